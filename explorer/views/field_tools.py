"""Tools of the field: holes cut by hand, any depth, and named parts of COSMOS."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

import panel as pn
from bokeh.models import CustomJSTickFormatter

from explorer import parts
from explorer import store as library
from explorer.elements.hole_map import HoleMap
from explorer.elements.sky import Sky
from explorer.holes import MOST, hole
from explorer.widgets.calm import TOKENS, sheet
from explorer.widgets.cards import card, panes
from explorer.widgets.texts import caption, heading, text
from explorer.widgets.tick import Tick

if TYPE_CHECKING:
    from explorer.state import State
    from explorer.viewer import Explorer

LEAST_DEPTH, MOST_DEPTH = 5.0, 300.0  #: ends of the slider [galaxies per arcmin²]
_TICKS = "return Number((10 ** tick).toPrecision(3)).toString()"
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
HOLES = (
    "Cut holes",
    "Draw round a place with the mouse: what lies inside was never observed.",
)
NO_HOLES = "No holes yet. The other tool takes corners, click by click; a double click ends it."
BY_HAND = "A box drawn by hand"
WHOLE = "The whole field"


class Depth:
    """A slider beside the presets; the same sky is drawn anew at every depth."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.state = explorer, explorer.state
        self.slider = pn.widgets.FloatSlider(
            label="… or any depth [per arcmin²]",
            start=log10(LEAST_DEPTH),
            end=log10(MOST_DEPTH),
            step=0.01,
            value=self._place(),
            format=CustomJSTickFormatter(code=_TICKS),  # one for each page
            **_WIDE,
        )
        self.redraw = Tick.from_param(
            self.state.param.redraw, label="Draw anew when the slider moves", **_WIDE
        )
        self.slider.param.watch(self._on_slide, "value_throttled")
        self.state.param.watch(self._update, "depth")
        self.layout = pn.Column(
            self.slider,
            self.redraw,
            css_classes=["mg-stack"],
            stylesheets=[sheet("page")],
            **_WIDE,
        )

    def _on_slide(self, event: object) -> None:
        self.explorer.deepen(float(f"{10**event.new:.3g}"))

    def _update(self, *_: object) -> None:
        self.slider.value = self._place()

    def _place(self) -> float:
        depth = library.COSMOS_DEPTH if self.state.depth is None else self.state.depth
        return log10(min(max(depth, LEAST_DEPTH), MOST_DEPTH))


class Regions:
    """Named parts of COSMOS, besides the box."""

    def __init__(self, state: State) -> None:
        self.state, self._known = state, {WHOLE: None, **parts.regions()}
        self.choice = pn.widgets.Select(
            label="Part of the field",
            description="The most massive X-ray clusters, 20′ round each.",
            **_WIDE,
        )
        self.choice.param.watch(self._on_choice, "value")
        state.param.watch(self._update, ["region", "source"])
        self._update()

    def _update(self, *_: object) -> None:
        region = self.state.region
        known = region in self._known.values()
        # A Select cannot hold None.
        options = {name: str(value) for name, value in self._known.items()}
        if not known:
            options[BY_HAND] = str(region)
        self.choice.visible = self.state.source == "cosmos"
        self.choice.param.update(options=options, value=str(region))

    def _on_choice(self, event: object) -> None:
        for value in self._known.values():
            if str(value) == event.new:
                self.state.region = value


class HolesCard:
    """A card with the outline of a simulated field, to cut holes into."""

    def __init__(self, state: State, sky: Sky) -> None:
        self.state, self._sky = state, sky
        self.map: HoleMap | None = None  # made when a field is simulated
        self._on_sky = False
        self.undo = pn.widgets.Button(label="Take the last one back", **_WIDE)
        self.clear = pn.widgets.Button(label="Close all holes", **_WIDE)
        self._heading, self._words = text(""), text("")
        self._buttons = pn.Column(
            self.undo,
            self.clear,
            css_classes=["mg-pair"],
            stylesheets=[sheet("page")],
            **_WIDE,
        )
        self.layout = card(kind="mg-data", visible=False)
        self.undo.on_click(lambda _: self._take(self.state.cut[:-1]))
        self.clear.on_click(lambda _: self._take([]))
        self.update()

    def on_drawn(self, event: object) -> None:
        """Cut the hole that was drawn."""
        shape = event.geometry
        if not event.final or shape["type"] != "poly" or len(shape["x"]) < 3:
            return
        if len(self.state.cut) >= MOST:
            self._say(f"{MOST} holes are the most: close one first.")
            return
        try:
            self._take([*self.state.cut, hole(shape["x"], shape["y"])])
        except ValueError as error:
            self._say(str(error))

    def update(self) -> None:
        """Show the holes of the State, where the field is simulated."""
        holes = self.state.cut
        self.layout.visible = self.state.source == "simulated" and not self.state.lesson
        if not self.layout.visible:
            return
        if self.map is None:
            self._furnish()
        self._heading.object = heading(*HOLES, f"{len(holes)} of {MOST}")
        self._say("" if holes else NO_HOLES)
        for button in (self.undo, self.clear):
            button.disabled = not holes
        self.map.show(holes)

    def _furnish(self) -> None:
        self.map = HoleMap(self._sky)
        self.map.figure.on_event("selectiongeometry", self.on_drawn)
        self.map.orient(on_sky=self._on_sky)
        self.paint()
        self.layout.objects = panes(self._heading, self.map.figure, self._words, self._buttons)

    def orient(self, *, on_sky: bool) -> None:
        """Name the axes as those of the maps are."""
        self._on_sky = on_sky
        if self.map is not None:
            self.map.orient(on_sky=on_sky)

    def paint(self) -> None:
        """Take the theme."""
        if self.map is None:
            return
        tokens = TOKENS[self.state.theme]
        self.map.paint(self.state.theme, tokens["page"], tokens["accent"])

    def _say(self, words: str) -> None:
        self._words.param.update(object=caption(words), visible=bool(words))

    def _take(self, holes: list) -> None:
        self.state.cut = list(holes)
