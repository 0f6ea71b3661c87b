"""A place that is clicked on any map, and the circle in which the answer lies."""

from __future__ import annotations

from collections.abc import Callable

from bokeh.models import ColumnDataSource, CustomJS
from bokeh.plotting import figure

from explorer.elements.figures import INK, at_once
from explorer.widgets.calm import TOKENS

# The page does not hear of a click for which Python begins to listen once it is drawn.
_CLICK = "clicked.data = {x: [cb_obj.x], y: [cb_obj.y]}"

Take = Callable[[float, float], None]


class Guess:
    """Shared by the maps of one page; a map takes part by :meth:`join`."""

    def __init__(self) -> None:
        self.mark = ColumnDataSource(name="guess", data={"x": [], "y": []})
        self.answer = ColumnDataSource(name="answer", data={"x": [], "y": [], "radius": []})
        self.clicked = ColumnDataSource(name="clicked", data={"x": [], "y": []})
        self.clicked.on_change("data", self._on_click)
        self._plots: list[figure] = []
        self._drawn: list[dict] = []  # glyph renderers of each map, once they are wanted
        self._take: Take | None = None
        self._theme = "light"

    def join(self, plot: figure) -> None:
        """Take clicks on one more map, from when they are first wanted."""
        self._plots.append(plot)
        if self._drawn:
            self._furnish(plot)

    def arm(self, take: Take | None) -> None:
        """Hand offsets [arcmin] of clicks to `take`; None: to nobody."""
        self._take = take
        if take is not None and not self._drawn:
            with at_once(self._plots):
                for plot in self._plots:
                    self._furnish(plot)

    def show(
        self,
        mark: tuple[float, float] | None,
        answer: tuple[float, float, float] | None = None,
    ) -> None:
        """Show a mark and a circle, or none."""
        for source, values in ((self.mark, mark), (self.answer, answer)):
            columns = {
                name: [] if values is None else [values[i]] for i, name in enumerate(source.data)
            }
            if dict(source.data) != columns:
                source.data = columns

    def paint(self, theme: str) -> None:
        """Take the colours of the page."""
        self._theme = theme
        for parts in self._drawn:
            self._color(parts)

    def _furnish(self, plot: figure) -> None:
        cross = {"x": "x", "y": "y", "source": self.mark, "marker": "x", "size": 16}
        parts = {
            # Pale below, so that a mark can be seen on every colour.
            "halo": plot.scatter(**cross, line_width=6, line_alpha=0.7, name="halo"),
            "mark": plot.scatter(**cross, line_width=3),
            "answer": plot.circle(
                "x",
                "y",
                radius="radius",
                source=self.answer,
                fill_alpha=0.0,
                line_width=2.5,
                line_dash=[6, 4],
            ),
        }
        click = CustomJS(args={"clicked": self.clicked}, code=_CLICK)
        plot.js_on_event("tap", click)
        self._drawn.append(parts)
        self._color(parts)

    def _on_click(self, attr: str, old: dict, new: dict) -> None:
        if self._take is not None and len(new["x"]):
            self._take(float(new["x"][0]), float(new["y"][0]))

    def _color(self, parts: dict) -> None:
        ink = INK[self._theme]
        parts["halo"].glyph.line_color = ink["empty"]
        parts["mark"].glyph.line_color = ink["ink"]
        parts["answer"].glyph.line_color = TOKENS[self._theme]["accent"]
