"""Widgets of the tools for one map: go to a place, limits, stretch, contours, lines, undo."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import panel as pn

from explorer.places import LONGEST
from explorer.widgets.calm import sheet
from explorer.widgets.texts import text
from explorer.widgets.tick import Tick

if TYPE_CHECKING:
    from explorer.viewer import Explorer

SPANS = {
    "± the limit above": "limit",
    "As typed": "typed",
    "90% of each map": "90",
    "95% of each map": "95",
    "99% of each map": "99",
    "99.5% of each map": "99.5",
    "All of each map": "full",
}
STRETCHES = {"Linear": "linear", "asinh": "asinh", "Square root": "sqrt"}
CONTOURS = {
    "None": "none",
    "Signal to noise": "snr",
    "Mean": "mean",
    "Wiener filter": "wiener",
    "Kaiser–Squires": "ks",
}
CROSSED = "Low must be less than high: until then the limits are ± the limit above."
MORE, LESS = "More tools", "Fewer tools"
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


class Tools:
    """A part of the Picture card that starts closed: a newcomer sees few widgets."""

    def __init__(self, explorer: Explorer) -> None:
        self.state, self.history = explorer.state, explorer.history
        state, widgets = self.state, pn.widgets
        self.place = widgets.TextInput(
            label="Go to",
            placeholder="RA Dec, or a cluster's name",
            description="Degrees (150.1 2.2), hours and degrees (10:00:24 +02:12:00), or the "
            "name or number of an X-ray cluster; Enter goes there.",
            max_length=LONGEST,
            **_WIDE,
        )
        self.place_words, self.contour_words = text("", visible=False), text("", visible=False)
        self.limit_words = text(f'<p class="quiet">{CROSSED}</p>', visible=False)
        self.undo = widgets.Button(label="Undo", disabled=True, **_WIDE)
        self.redo = widgets.Button(label="Redo", disabled=True, **_WIDE)
        self.view = widgets.Button(label="Reset view", **_WIDE)
        self.choices = widgets.Button(label="Reset choices", **_WIDE)
        number = {"step": 0.01, "format": "0.000", **_WIDE}
        pair = _column(
            widgets.FloatInput.from_param(state.param.low, label="Low κ", **number),
            widgets.FloatInput.from_param(state.param.high, label="High κ", **number),
            kind="mg-pair",
        )
        # Hidden from outside: the grid's own display rule would keep it in sight.
        self.typed = pn.Column(pair, **_WIDE)
        parts = _column(
            self.place,
            self.place_words,
            _select(state.param.span, "Colour limits", SPANS),
            self.typed,
            self.limit_words,
            _select(state.param.stretch, "Stretch", STRETCHES),
            _select(state.param.contours, "Contours on all maps", CONTOURS),
            self.contour_words,
            _check(state.param.graticule, "Lines of RA and Dec"),
            _check(state.param.scale_bar, "Scale bar"),
            _check(state.param.hatched, "Hatch what was not observed"),
            _column(self.undo, self.redo, self.view, self.choices, kind="mg-pair"),
            kind="mg-stack",
        )
        # Hidden from outside, as above.
        self.fold = pn.Column(parts, visible=False, **_WIDE)
        self.more = widgets.Button(label=MORE, **_WIDE)
        self.layout = _column(self.more, self.fold, kind="mg-stack")
        self.more.on_click(self._on_more)
        self.undo.on_click(lambda _: self.history.undo())
        self.redo.on_click(lambda _: self.history.redo())
        self.choices.on_click(lambda _: state.reset())
        state.param.watch(self._update, ["span", "low", "high", "place"])
        self.history.param.watch(self._update, ["can_undo", "can_redo"])
        self._update()

    def _on_more(self, _: object) -> None:
        self.fold.visible = not self.fold.visible
        self.more.label = LESS if self.fold.visible else MORE

    def say_place(self, sentence: str) -> None:
        """Why there is no way to the place; empty for nothing."""
        _say(self.place_words, sentence)

    def say_contours(self, sentence: str) -> None:
        """What the contours are; empty for none."""
        _say(self.contour_words, sentence)

    def _update(self, *_: object) -> None:
        state = self.state
        self.typed.visible = state.span == "typed"
        self.limit_words.visible = state.span == "typed" and state.low >= state.high
        self.undo.disabled = not self.history.can_undo
        self.redo.disabled = not self.history.can_redo
        if state.place != self.place.value:
            self.place.value = state.place


def _say(words: pn.pane.HTML, sentence: str) -> None:
    words.param.update(object=f'<p class="quiet">{escape(sentence)}</p>', visible=bool(sentence))


def _select(parameter: object, label: str, options: dict[str, str]) -> pn.widgets.Select:
    return pn.widgets.Select.from_param(parameter, label=label, options=options, **_WIDE)


def _check(parameter: object, label: str) -> Tick:
    return Tick.from_param(parameter, label=label, **_WIDE)


def _column(*parts: object, kind: str) -> pn.Column:
    return pn.Column(*parts, css_classes=[kind], stylesheets=[sheet("page")], **_WIDE)
