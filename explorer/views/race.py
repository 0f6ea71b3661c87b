"""Two samplers on the same field, side by side: their maps, their speed, how right they are."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import isfinite
from typing import TYPE_CHECKING

import panel as pn

from explorer.beside import RIVALS, base, raced, rival
from explorer.elements.colors import picture_limits
from explorer.elements.sky_map import SkyMap
from explorer.race import Scores, scores
from explorer.state import SPANS, USUAL_SHARE
from explorer.views.bars import grip
from explorer.views.limits import CHOICES, chosen_limits, palette_of, stretch_of
from explorer.views.posterior import words_of
from explorer.views.titles import EMPTY, SIGNED, TITLES, UNITS, called
from explorer.widgets.calm import sheet
from explorer.widgets.cards import Made, card, panes
from explorer.widgets.texts import caption, color_bar, heading, number, text

if TYPE_CHECKING:
    import numpy as np

    from explorer.elements.sky import Sky
    from explorer.runner import Runner
    from explorer.viewer import Explorer
    from massgan_core.posterior import Summary

TITLE, SENTENCE = "Side by side", "Two samplers draw of the same field, a batch each in turn."
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


class RaceView:
    """A head for each of the two samplers, and their maps below, one row a kind of map.

    Args:
        explorer: Whose runs, field and choices.
        sky: What all maps share.
        deliver: Runs a call where it may change the page.
    """

    def __init__(
        self, explorer: Explorer, sky: Sky, deliver: Callable[[Callable[[], None]], None]
    ) -> None:
        self.explorer, self.state, self.race = explorer, explorer.state, explorer.race
        self.sky, self.scores, self._deliver = sky, None, deliver
        self.maps = Made(self._make)
        self._images: dict[str, np.ndarray] = {}
        self._drawn: tuple = ()
        self._scoring = False
        self._scored: tuple = (None, None)
        self._line, self._heads = text(""), (text(""), text(""))
        names = [f"{base(name)}_{side}" for name in RIVALS for side in "ab"]
        self._words = {name: text("") for name in names}
        self._bars = {name: text("") for name in names}
        self.cards = {name: card(kind="mg-map", visible=False) for name in names}
        heads = [card(head, kind="mg-map") for head in self._heads]
        css = [sheet("page"), sheet("compare")]
        grid = pn.Column(
            *heads, *self.cards.values(), css_classes=["mg-duo"], stylesheets=css, **_WIDE
        )
        line = card(self._line, kind="mg-map")
        whole = pn.Column(line, grid, css_classes=["mg-main"], stylesheets=css, **_WIDE)
        # Hidden from outside: a class with a display rule of its own would stay in sight.
        self.layout = pn.Column(whole, visible=False, **_WIDE)
        self.choose()

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        state, rival_runner = self.state, self.race.rival
        chosen = ["pictures", "sampler", "beside", *CHOICES]
        return [
            (state, state.param.watch(soon(self.choose), chosen)),
            (rival_runner, rival_runner.param.watch(soon(self.say), ["phase"])),
        ]

    @property
    def visible(self) -> bool:
        """Whether there is a second sampler."""
        return bool(rival(self.state))

    @property
    def behind(self) -> bool:
        """Whether there is something to show that is not shown."""
        new = self._now()
        return self.visible and any(
            one is not other for one, other in zip(new, self._drawn or (0,) * 7, strict=True)
        )

    def _now(self) -> tuple:
        runs = (self.race.runner, self.race.rival)
        resting = tuple(run.phase != "running" for run in runs)
        soft = self.explorer.blurring.found, self.explorer.blurring_beside.found
        return (*[run.summary for run in runs], *resting, self.explorer.store.field, *soft)

    @property
    def at_rest(self) -> bool:
        """Whether neither draws."""
        return self.race.runner.phase != "running" and self.race.rival.phase != "running"

    def choose(self) -> None:
        """Show the pairs of maps that are chosen, while there is a second sampler."""
        self.layout.visible = self.visible
        kinds = {base(name) for name in raced(self.state)} if self.visible else set()
        for name, place in self.cards.items():
            place.visible = name[:-2] in kinds
            if place.visible:
                self.maps[name]  # there from now on
        if self.visible:
            self.show()

    def _make(self, name: str) -> SkyMap:
        made = SkyMap(self.sky, name, UNITS.get(name[:-2], "κ"))
        made.paint(self.state.theme, self._palette(name))
        made.show_clusters(self.state.clusters)
        self.cards[name].objects = panes(self._words[name], made.figure, self._bars[name])
        return made

    def show(self) -> None:
        """Both posteriors as they are now, every pair between the same limits."""
        self._drawn = self._now()
        field = self.explorer.store.field
        for name in raced(self.state):
            kind, found = base(name), {}
            for side, run in zip("ab", (self.race.runner, self.race.rival), strict=True):
                image, small = (None, "") if field is None else self._picture(kind, side, run)
                if image is not None:
                    found[f"{kind}_{side}"] = image, run, small
            limits = self._limits(kind, [image for image, *_ in found.values()])
            for side in "ab":
                self._put(f"{kind}_{side}", found.get(f"{kind}_{side}"), limits)
        self._score()
        self.say()

    def _picture(self, kind: str, side: str, run: Runner) -> tuple[np.ndarray | None, str]:
        """A map of one sampler, and the word at the right of its title."""
        explorer, n = self.explorer, 0 if run.summary is None else run.summary.n
        blurring = explorer.blurring if side == "a" else explorer.blurring_beside
        soft = blurring.found.get(kind)
        if soft is not None:
            return soft.image, words_of(kind, soft, total=False)
        small = f"number {n}" if kind == "sample" else f"of {n} sample{'s' * (n > 1)}"
        return picture(kind, run.summary), small

    def _put(self, name: str, found: tuple | None, limits: tuple[float, float]) -> None:
        made, small, kind = self.maps[name], "", name[:-2]
        if self.explorer.store.field is not None:
            made.orient(self.explorer.store.field.grid)
        if found is None:
            self._images.pop(name, None)
            made.clear(EMPTY[kind])
        else:
            image, run, small = found
            self._images[name] = image
            grid = self.explorer.store.field.grid
            how = {"stretch": stretch_of(self.state, kind), "signed": kind in SIGNED}
            made.send(grid, image, limits, exact=run.phase != "running", **how)
            made.recolor(self._palette(name))
        self._words[name].object = heading(*TITLES[kind], small)
        self._bar(name)

    def _limits(self, kind: str, images: list) -> tuple[float, float]:
        chosen = chosen_limits(self.state, kind)
        if chosen is not None:
            return chosen
        if not images:
            return 0.0, 1.0
        area, share = self.explorer.store.footprint, SPANS[self.state.span] or USUAL_SHARE
        ends = [
            picture_limits(image, area, signed=kind in SIGNED, share=share) for image in images
        ]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def _score(self) -> None:
        """Score the latest means in a thread; what came meanwhile is scored after."""
        pair = (self.race.runner.summary, self.race.rival.summary)
        if None in [summary and 1 for summary in pair]:
            self.scores, self._scored = None, (None, None)
            return
        if self._scoring or all(a is b for a, b in zip(pair, self._scored, strict=True)):
            return
        self._scoring, self._scored = True, pair

        def take(found: Scores | None) -> None:
            self._scoring = False
            if self.race.rival.summary is not None and pair[0].field is self.explorer.store.field:
                self.scores = found
            self._deliver(self._take_scores)

        self.explorer.aside(lambda: scores(*pair), take)

    def _take_scores(self) -> None:
        self._score()
        self.say()

    def say(self) -> None:
        """Who they are, how fast, and how right."""
        if not self.visible:
            return
        run, other = self.race.runner, self.race.rival
        names = (self.explorer.drawn_by if run.summary else self.state.sampler, rival(self.state))
        for side, (name, one) in enumerate(zip(names, (run, other), strict=True)):
            self._heads[side].object = heading(
                called(name), told(one.n, one.rate, self.scores, side)
            )
        agree = ""
        if self.scores is not None and isfinite(self.scores.between):
            agree = f" Their means correlate with r = {self.scores.between:.2f}."
        self._line.object = (
            f'<div id="massgan-race" data-state="{other.phase}" data-n="{other.n}">'
            f'<div class="title">{escape(TITLE)}</div>{caption(SENTENCE + agree)}</div>'
        )

    def shown(self) -> dict[str, tuple[np.ndarray, tuple[float, float], str]]:
        """The second sampler's maps that can be seen now, as `Maps.shown` gives the first's."""
        there = [k for k in RIVALS if k in self._images and self.cards[k].visible]
        return {k: (self._images[k], self.maps[k].limits, "") for k in there}

    def paint(self, theme: str) -> None:
        """Take the theme and the colours of the State."""
        for name, made in self.maps.items():
            made.paint(theme, self._palette(name))
            made.show_clusters(self.state.clusters)
            self._bar(name)

    def _palette(self, name: str) -> list[str]:
        # A map that is only being made has no limits yet.
        limits = self.maps[name].limits if name in self._images else (-1.0, 1.0)
        return palette_of(self.state, name[:-2], limits, self.state.theme)

    def _bar(self, name: str) -> None:
        kind, made, known = name[:-2], self.maps[name], name in self._images
        colors, limits, held = self._palette(name), None, None
        if known:
            colors, limits = made.scale.colors(colors), made.limits
            held = grip(kind, made)
        self._bars[name].object = color_bar(colors, limits, UNITS.get(kind, "κ"), held)


def picture(kind: str, summary: Summary | None) -> np.ndarray | None:
    """A map of a posterior; None where it is not there yet."""
    if summary is None or (kind == "std" and summary.n < 2):
        return None
    if kind == "sample":
        return summary.sample(summary.kept - 1).numpy() if summary.kept else None
    return getattr(summary, kind).numpy()


def told(n: int, rate: float, found: Scores | None, side: int) -> str:
    """How far a sampler is, how fast, and how close its mean is to a truth that is known."""
    if not n:
        return "No samples yet."
    words = f"{n} sample{'s' * (n > 1)}"
    if rate:
        words += f", {number(rate)} a second"
    if found is not None and found.r and isfinite(found.r[side]):
        words += f". Mean against the truth: r = {found.r[side]:.3f}, "
        words += f"rms error {number(found.rms[side])}"
    return (words + ".").replace("-", "−")
