"""Two maps of the page in one place: blink, swipe, or their difference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from explorer.beside import base, possible, rival
from explorer.elements.colors import palette, picture_limits
from explorer.elements.compare_map import NAMES, CompareMap
from explorer.race import likeness
from explorer.views.titles import SIGNED, TITLES, UNITS, called
from explorer.widgets.calm import sheet
from explorer.widgets.curtain import Curtain
from explorer.widgets.named import Segments
from explorer.widgets.texts import caption, color_bar, number, text

if TYPE_CHECKING:
    from explorer.elements.sky import Sky
    from explorer.viewer import Explorer

TITLE, SENTENCE = "Compare two maps", "In one place: what one map has and the other has not."
MODES = {"Off": "off", "Blink": "blink", "Swipe": "swipe", "Difference": "difference"}
HINTS = {
    "blink": "What jumps is different. Key b starts and stops.",
    "swipe": "Drag the line: A is left of it, B right.",
    "difference": "Red: A has more mass than B. The colours have limits of their own.",
}
UNLIKE = "A and B are not the same kind of number"
UNCHOSEN = "Not on the page: choose it under Maps"
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


class Compare:
    """A line with the ways to compare, and below it, unless off, the maps A and B.

    Args:
        explorer: Whose state, field and event loop.
        pages: Things with `shown()` and `maps`: where the maps to compare come from.
        sky: What all maps share.
        deliver: Runs a call where it may change the page.
    """

    def __init__(
        self,
        explorer: Explorer,
        pages: list,
        sky: Sky,
        deliver: Callable[[Callable[[], None]], None],
    ) -> None:
        self.explorer, self.state, self.pages, self.sky = explorer, explorer.state, pages, sky
        self._deliver = deliver
        self.map: CompareMap | None = None
        self._sent: tuple = ()
        self._palettes: dict[str, list[str]] = {}
        # Of the class they would be taken for addresses.
        self.curtain = Curtain(stylesheets=[sheet("curtain")], **_WIDE)
        self.mode = Segments.from_param(
            self.state.param.compare,
            options=MODES,
            label=TITLE,
            width=340,
            margin=0,
        )
        self.choices = {
            key: pn.widgets.Select(label=f"Map {letter}", **_WIDE)
            for key, letter in (("first", "A"), ("second", "B"))
        }
        self.turn = pn.widgets.Button(label="Hold still", **_WIDE)
        self.flip = pn.widgets.Button(label="Show the other", **_WIDE)
        self.buttons = _column(self.turn, self.flip, kind="mg-stack")
        self._hint, self._likeness = text(""), text("")
        self._bars = {name: _bar_pane() for name in NAMES}
        self.bench = _column(kind="mg-bench")
        self.fold = pn.Column(self.bench, visible=False, **_WIDE)
        title = f'<div class="title">{TITLE}</div>{caption(SENTENCE)}'
        head = pn.Row(text(title), self.mode, align="center", **_WIDE)
        self.layout = _column(head, self.fold, kind="mg-card")
        for key, choice in self.choices.items():
            choice.param.watch(partial(self._on_choice, key), "value")
        self.turn.on_click(lambda _: self.blink())
        self.flip.on_click(lambda _: self.curtain.param.update(flips=self.curtain.flips + 1))
        self.curtain.param.watch(self._on_line, "at")
        self.curtain.param.watch(self._on_blinking, "blinking")
        self._want()
        self.open()

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        state, chosen = self.state, ["compare", "first", "second"]
        offered = [*chosen, "curtain", "source", "sampler", "beside"]
        return [
            (state, state.param.watch(lambda *_: self._want(), chosen)),
            (state, state.param.watch(soon(self.open), offered)),
        ]

    def press(self) -> None:
        """The key: begin to blink; when it blinks already, hold still or go on."""
        if self.state.compare == "blink":
            self.blink()
        else:
            self.state.compare = "blink"

    def blink(self) -> None:
        """Start or stop the blinking."""
        self.curtain.turns += 1

    def open(self) -> None:
        """Show what the State says; the figures are made when they are first wanted."""
        state, mode = self.state, self.state.compare
        there = possible(state)
        for key, choice in self.choices.items():
            name = getattr(state, key)
            options = {self._title(option): option for option in there}
            if name not in there:
                options[f"{self._title(name)} (not here)"] = name
            choice.param.update(options=options, value=name)
        self.fold.visible = mode != "off"
        self.buttons.visible = mode == "blink"
        self._hint.object = caption(HINTS.get(mode, ""))
        names = [self._title(getattr(state, key)) for key in self.choices]
        self.curtain.param.update(mode=mode, at=state.curtain, names=names)
        if mode == "off":
            return
        if self.map is None:
            self._furnish()
        self._difference.visible = mode == "difference"
        for name, bar in self._bars.items():
            bar.visible = (name == "difference") == (mode == "difference")
        self.paint(state.theme)
        self._sent = ()
        self.follow()

    def _furnish(self) -> None:
        self.map = CompareMap(self.sky)
        panes = {name: pn.pane.Bokeh(made.figure, **_WIDE) for name, made in self.map.maps.items()}
        layers = [_column(panes[name], kind=f"mg-{name}") for name in NAMES]
        self._difference = layers[2]
        choice = [self.choices["first"], self._bars["first"]]
        choice += [self.choices["second"], self._bars["second"], self._bars["difference"]]
        self.bench.objects = [
            _column(*layers, self.curtain, kind="mg-curtain"),
            _column(*choice, self.buttons, self._hint, self._likeness, kind="mg-choice"),
        ]

    def follow(self) -> None:
        """Show the maps A and B as they are on the page now; what is there is not sent again."""
        if self.state.compare == "off" or self.map is None:
            return
        store = self.explorer.store
        shown = {} if store.field is None else self._shown()  # maps outlive their field a moment
        pair = [shown.get(getattr(self.state, key)) for key in self.choices]
        notes = [self._note(getattr(self.state, key)) for key in self.choices]
        sent = (
            store.field,
            *notes,
            *[part for one in pair for part in one or (None,)],
        )
        if len(sent) == len(self._sent) and all(map(_same, sent, self._sent)):
            return
        self._sent = sent
        if store.field is not None:
            self.map.orient(store.field.grid)
        for name, key, found in zip(NAMES, self.choices, pair, strict=False):
            self._put(name, found, self._note(getattr(self.state, key)))
        self._put("difference", *self._less(pair))
        self._compare(pair)

    def _shown(self) -> dict[str, tuple[np.ndarray, tuple[float, float], bool]]:
        """All maps on the page: image, limits, and whether it is shown exactly."""
        found = {}
        for page in self.pages:
            for name, (image, limits, _) in page.shown().items():
                (sent,) = page.maps[name].source.data["image"] or [image]
                found[name] = image, limits, sent.dtype != np.uint8
        return found

    def _less(self, pair: list) -> tuple[tuple | None, str]:
        """A − B with limits of its own, or why there is none."""
        units = {UNITS.get(base(getattr(self.state, key)), "κ") for key in self.choices}
        if len(units) > 1:
            return None, UNLIKE
        if None in [None if one is None else 1 for one in pair]:
            return None, "Needs both maps"
        (first, _, exact), (second, _, too) = pair
        image = first - second
        limits = picture_limits(image, self.explorer.store.footprint, signed=True)
        return (image, limits, exact and too), ""

    def _put(self, name: str, found: tuple | None, note: str) -> None:
        image, limits, exact = (None, None, True) if found is None else found
        grid = None if image is None else self.explorer.store.field.grid
        self.map.send(name, grid, image, limits, exact=exact, note=note)
        self._bars[name].object = _bar(name, self._palettes[name], limits, self._unit(name))

    def _compare(self, pair: list) -> None:
        """How alike they are, once both are at rest."""
        self._likeness.object = ""
        field, sent = self.explorer.store.field, self._sent
        if field is None or any(one is None or not one[2] for one in pair):
            return
        alike = not self._less(pair)[1]

        def say(found: tuple[float, float] | None) -> None:
            if found is not None and sent is self._sent:
                words = caption(likely(*found, alike=alike))
                self._deliver(lambda: self._likeness.param.update(object=words))

        self.explorer.aside(lambda: likeness(pair[0][0], pair[1][0], field), say)

    def _note(self, name: str) -> str:
        known = name in possible(self.state)
        chosen = base(name) in self.state.pictures
        return "" if known and chosen else UNCHOSEN if known else "Not known of this field"

    def paint(self, theme: str) -> None:
        """Take the theme and the colours of the page."""
        if self.map is None:
            return
        for name in NAMES:
            key = base(getattr(self.state, name)) if name in self.choices else "mean"
            kind = "kappa" if key in SIGNED else "spread"
            self._palettes[name] = palette(kind, self.state.colors, theme)
        self.map.paint(theme, self._palettes, clusters=self.state.clusters)
        for name, made in self.map.maps.items():
            limits = made.limits if made.source.data["image"] else None
            self._bars[name].object = _bar(name, self._palettes[name], limits, self._unit(name))

    def _unit(self, name: str) -> str:
        key = name if name in self.choices else "first"
        return UNITS.get(base(getattr(self.state, key)), "κ")

    def _title(self, name: str) -> str:
        whose = f" – {called(rival(self.state))}" if name != base(name) else ""
        return TITLES[base(name)][0] + whose

    def _want(self) -> None:
        """Put the maps that are compared on the page, where they can be."""
        state = self.state
        if state.compare == "off":
            return
        chosen = {base(n) for n in (state.first, state.second) if n in possible(state)}
        if not chosen <= set(state.pictures):
            names = state.param.pictures.objects
            state.pictures = [n for n in names if n in chosen or n in state.pictures]

    def _on_choice(self, key: str, event: object) -> None:
        if event.new is not None:
            setattr(self.state, key, event.new)

    def _on_line(self, event: object) -> None:
        self.state.curtain = event.new

    def _on_blinking(self, event: object) -> None:
        self.turn.label = "Hold still" if event.new else "Blink"


def likely(r: float, rms: float, *, alike: bool) -> str:
    """How alike two maps are, in words; nothing where it cannot be told."""
    if not isfinite(r):
        return ""
    apart = f"; they differ by {number(rms)} (rms)" if alike and isfinite(rms) else ""
    return f"Over the field A and B correlate with r = {r:.2f}{apart}.".replace("-", "−")


def _same(one: Any, other: Any) -> bool:
    return one is other or (not isinstance(one, np.ndarray) and one == other)


def _bar(name: str, colors: list[str], limits: tuple | None, unit: str) -> str:
    title = escape("A − B") if name == "difference" else ""
    small = f'<div class="label">{title}</div>' if title else ""
    return small + color_bar(colors, limits, unit)


def _bar_pane() -> pn.pane.HTML:
    made = text("")
    made.stylesheets = [*made.stylesheets, sheet("compare")]
    return made


def _column(*parts: object, kind: str) -> pn.Column:
    sheets = [sheet("page"), sheet("compare")]
    return pn.Column(*parts, css_classes=[kind], stylesheets=sheets, **_WIDE)
