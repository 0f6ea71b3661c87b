"""Regions and a line on all maps of a page, and the hand that draws them.

What is drawn is followed in the browser, on every map at once; only the finished shape comes
back, as columns of the source `done`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, CustomJS, PanTool, TapTool
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK, at_once
from explorer.widgets.calm import TOKENS

#: Shapes by two points: while dragged, `hand` remembers where the drag began.
_DRAG = """
const tool = hand.data.tool[0]
if (!["circle", "box", "line"].includes(tool)) return
const {x, y} = cb_obj
if (cb_obj.event_name == "panstart" || hand._from == null) { hand._from = [x, y]; return }
const [a, b] = hand._from
if (cb_obj.event_name == "panend") {
  draft.data = {x: [], y: []}
  hand._from = null
  done.data = {tool: [tool, tool], x: [a, x], y: [b, y]}
  return
}
if (tool == "line") draft.data = {x: [a, x], y: [b, y]}
else if (tool == "box") draft.data = {x: [a, x, x, a, a], y: [b, b, y, y, b]}
else {
  const radius = Math.hypot(x - a, y - b), turn = [...Array(65).keys()].map(i => i * Math.PI / 32)
  const circle = (from, f) => turn.map(t => from + radius * f(t))
  draft.data = {x: circle(a, Math.cos), y: circle(b, Math.sin)}
}
"""
#: A polygon by its corners: a click each; a double click, or one on the first corner, ends it.
_CLICK = """
if (hand.data.tool[0] != "polygon") return
const span = Math.abs(range.end - range.start), near = span / 60
let x = [...draft.data.x], y = [...draft.data.y]
const close = i => Math.hypot(cb_obj.x - x[i], cb_obj.y - y[i]) < near
const twice = cb_obj.event_name == "doubletap"
const again = x.length > 0 && close(x.length - 1)
if (twice || x.length > 2 && close(0)) {
  draft.data = {x: [], y: []}
  if (x.length > 2) done.data = {tool: x.map(_ => "polygon"), x, y}
} else if (!again) {
  draft.data = {x: [...x, cb_obj.x], y: [...y, cb_obj.y]}
}
"""


class Shapes:
    """Shared by the maps of one page. A map takes part by :meth:`join`."""

    def __init__(self) -> None:
        self.regions = ColumnDataSource(
            name="regions", data={k: [] for k in ("xs", "ys", "x", "y", "number")}
        )
        self.line = ColumnDataSource(name="line", data={"x": [], "y": []})
        self.draft = ColumnDataSource(name="draft", data={"x": [], "y": []})
        self.done = ColumnDataSource(name="drawn", data={"tool": [], "x": [], "y": []})
        self.hand = ColumnDataSource(name="hand", data={"tool": ["move"]})
        self.figures: list[figure] = []
        self._drawn: list[dict] = []  # glyph renderers of each map, once they are wanted
        self._open, self._theme = False, "light"

    def join(self, plot: figure) -> None:
        """Let a map show and draw shapes, from when they are first wanted."""
        self.figures.append(plot)
        if self._drawn:
            self._furnish(plot)

    def arm(self, tool: str | None) -> None:
        """What a drag on a map does; None hides the shapes, and a drag moves the map."""
        self._open = tool is not None
        if self._open and not self._drawn:
            with at_once(self.figures):
                for plot in self.figures:
                    self._furnish(plot)
        self.draft.data = {"x": [], "y": []}
        self.hand.data = {"tool": [tool or "move"]}
        for plot, parts in zip(self.figures, self._drawn, strict=False):
            for part in parts.values():
                part.visible = self._open
            self._hold(plot, tool or "move")

    def show(self, outlines: Sequence[np.ndarray], line: np.ndarray | None) -> None:
        """Show regions by their corners [arcmin], each [V, 2], and a line [2, 2], or none."""
        xs, ys = ([o[:, i].tolist() for o in outlines] for i in (0, 1))
        columns = {
            "xs": xs,
            "ys": ys,
            "x": [(min(x) + max(x)) / 2 for x in xs],
            "y": [max(y) for y in ys],
            "number": [str(i) for i in range(1, len(xs) + 1)],
        }
        ends = np.zeros((0, 2)) if line is None else line
        two = {"x": ends[:, 0].tolist(), "y": ends[:, 1].tolist()}
        for source, data in ((self.regions, columns), (self.line, two)):
            if source.data != data:  # nothing is sent twice
                source.data = data

    def paint(self, theme: str) -> None:
        """Take the colours of the page."""
        self._theme = theme
        for parts in self._drawn:
            self._color(parts)

    def _furnish(self, plot: figure) -> None:
        common = {"visible": self._open}
        parts = {
            "regions": plot.patches(
                "xs", "ys", source=self.regions, fill_alpha=0.08, line_width=1.8, **common
            ),
            "numbers": plot.text(
                "x",
                "y",
                text="number",
                source=self.regions,
                text_align="center",
                text_baseline="bottom",
                text_font=value(FONT),  # else the name of a column
                text_font_size=value("12px"),
                text_font_style="bold",
                **common,
            ),
            "line": plot.line("x", "y", source=self.line, line_width=2, **common),
            "ends": plot.scatter("x", "y", source=self.line, size=6, **common),
            "draft": plot.line(
                "x", "y", source=self.draft, line_width=1.8, line_dash=[5, 3], **common
            ),
            "corners": plot.scatter("x", "y", source=self.draft, size=3, **common),
        }
        # The chosen one is marked, the others stay as they are.
        for key in ("regions", "numbers"):
            glyph = parts[key].glyph
            parts[key].nonselection_glyph = glyph.clone()
            parts[key].selection_glyph = glyph.clone()
        parts["regions"].selection_glyph.update(line_width=3.5, fill_alpha=0.16)
        for tap in plot.select(TapTool):
            tap.renderers = [*tap.renderers, parts["regions"]]
        args = {"hand": self.hand, "draft": self.draft, "done": self.done, "range": plot.x_range}
        plot.js_on_event("panstart", CustomJS(args=args, code=_DRAG))
        plot.js_on_event("pan", CustomJS(args=args, code=_DRAG))
        plot.js_on_event("panend", CustomJS(args=args, code=_DRAG))
        plot.js_on_event("tap", CustomJS(args=args, code=_CLICK))
        plot.js_on_event("doubletap", CustomJS(args=args, code=_CLICK))
        self._drawn.append(parts)
        self._color(parts)
        self._hold(plot, self.hand.data["tool"][0])

    def _color(self, parts: dict) -> None:
        accent, ink = TOKENS[self._theme]["accent"], INK[self._theme]["ink"]
        region = parts["regions"]
        for glyph in (region.glyph, region.selection_glyph, region.nonselection_glyph):
            glyph.update(line_color=accent, fill_color=accent)
        numbers = parts["numbers"]
        for glyph in (numbers.glyph, numbers.selection_glyph, numbers.nonselection_glyph):
            glyph.text_color = accent
        for key in ("line", "draft"):
            parts[key].glyph.line_color = ink
        for key in ("ends", "corners"):
            parts[key].glyph.update(line_color=ink, fill_color=ink)

    @staticmethod
    def _hold(plot: figure, tool: str) -> None:
        """A drag either moves the map or draws."""
        pan = plot.select_one(PanTool)
        plot.toolbar.active_drag = pan if tool == "move" else None
