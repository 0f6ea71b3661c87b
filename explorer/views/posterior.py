"""What the samples have to show: which picture each map gets of them, and its small word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

from explorer.recipes import BLURRED, BOUNDS, LEAST_WINDOW
from explorer.views.titles import EMPTY, PAIRED
from explorer.widgets.texts import number

if TYPE_CHECKING:
    import numpy as np

    from explorer.blurring import Soft
    from explorer.state import State
    from explorer.store import Chance, Promise
    from massgan_core.posterior import Summary

SHARP = "Calibrated for maps without a blur"
NOT_KEPT = "Needs samples: press Start"  #: to blur; only their mean is there


class Posterior:
    """The samples on the page, what is known of them, and the player that flips through them."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.exact = True  #: at rest: exact floats, and samples to play
        self.summary: Summary | None = None
        self.worth: Promise | None = None
        self.chance: Chance | None = None
        self.fit: np.ndarray | None = None
        self.blurred: dict[str, Soft] = {}
        self.beforehand = False  #: drawn before anyone pressed Start
        self.played: tuple | None = None
        self.player = pn.widgets.Player(
            label="Samples one after the other",
            start=1,
            end=2,
            interval=400,
            loop_policy="loop",
            show_loop_controls=False,
            show_value=False,
            visible_buttons=["previous", "pause", "play", "next"],
            visible=False,
            sizing_mode="stretch_width",
            margin=0,
        )

    def take(self, summary: Summary | None, *, exact: bool, beforehand: bool) -> None:
        """Other samples; while nothing is drawn they can be played, from the newest."""
        self.summary, self.exact, self.beforehand = summary, exact, beforehand
        kept = summary.kept if summary is not None and exact else 0
        self.player.param.update(direction=0, visible=kept > 1)
        if kept > 1:
            self.player.param.update(end=kept, value=kept)
        if summary is None:
            self.worth = self.fit = None

    @property
    def to_play(self) -> tuple[Summary | None, int, bool]:
        """Whose sample the player is at, which, and whether it runs."""
        return self.summary, self.player.value, self.player.direction != 0

    @property
    def promise(self) -> str:
        """What the spread that is shown is worth; empty where nothing is to be said."""
        if self.worth is None:
            return ""
        return f"{SHARP}." if self.state.blur and self.worth.low is not None else self.worth.words

    def note(self, name: str) -> str:
        """What the map `name` says while it has no picture."""
        summary = self.summary
        if self.state.blur and name in BOUNDS and name not in self.state.hidden():
            return SHARP
        if summary is not None and summary.n < 2 and name in PAIRED:
            return "Needs two samples"
        if summary is None or not (self.state.blur and name in BLURRED):
            return EMPTY[name]
        if self._blurs(name):
            return "Blurring …"
        return NOT_KEPT if name in PAIRED else EMPTY[name]

    def awaited(self, name: str) -> bool:
        """Whether the map `name` is being blurred for the first time."""
        return bool(self.state.blur) and name not in self.blurred and self._blurs(name)

    def _blurs(self, name: str) -> bool:
        """Whether there are samples enough to blur the map `name`."""
        least = {"sample": 1, **dict.fromkeys(PAIRED, 2)}.get(name, 0)
        return self.summary is not None and name in BLURRED and self.summary.kept >= least

    def picture(self, name: str) -> tuple[np.ndarray, str] | None:
        """A map of the posterior and the word at the right of its title; None: not there yet."""
        summary = self.summary
        if summary is None or (summary.n < 2 and name in PAIRED):
            return None
        if self.state.blur and name in BLURRED:
            soft = self.blurred.get(name)
            how = " drawn beforehand" * self.beforehand
            words = soft and words_of(name, soft, how, total=self.player.visible)
            return soft and (soft.image, words)
        if name in ("sample", "chance") and not summary.kept:
            return None
        if name == "sample":
            kept, choice = summary.kept, self.player.visible
            at = self.player.value if choice else kept
            of = f" of {summary.n}" * choice
            return summary.sample(at - 1).numpy(), f"number {summary.first + at}{of}"
        if name in BOUNDS:
            image = None if self.state.blur else getattr(self.worth, name, None)
            return None if image is None else (image, "calibrated")
        if name == "fit":
            width = max(self.state.smoothing, LEAST_WINDOW)
            return None if self.fit is None else (self.fit, f"blurred by {width:g}′")
        if name == "chance":
            chance = self.chance
            return chance and (chance.image, f"of κ > {number(chance.threshold)}")
        of = f"of {summary.n} sample{'s' * (summary.n > 1)}"
        of += " drawn beforehand" * self.beforehand
        return getattr(summary, name).numpy(), of


def words_of(name: str, soft: Soft, how: str = "", *, total: bool = True) -> str:
    """Of which samples a blurred map is, how they were drawn, and by how much it is blurred."""
    blurred = f", blurred by {soft.blur:g}′"
    if name == "sample":
        return f"number {soft.n}" + f" of {soft.of}" * total + blurred
    some = f"{soft.n} of " * (soft.n < soft.of)
    return f"of {some}{soft.of} sample{'s' * (soft.of > 1)}{how}{blurred}"
