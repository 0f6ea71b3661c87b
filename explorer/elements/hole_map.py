"""The outline of a simulated field, into which a mouse cuts holes."""

from __future__ import annotations

from collections.abc import Sequence

from bokeh.models import ColumnDataSource, LassoSelectTool, LinearColorMapper, PolySelectTool

from explorer.elements.figures import INK, orient, paint, square_figure
from explorer.elements.sky import Sky


class HoleMap:
    """What is observed, and the holes; it shares the ranges of the maps.

    A line drawn round a place, or corners clicked one by one, are a `selectiongeometry` event of
    type ``poly``: the tools ask where and select nothing.
    """

    def __init__(self, sky: Sky) -> None:
        self.holes = ColumnDataSource(name="holes", data={"xs": [], "ys": []})
        self.mapper = LinearColorMapper(palette=["#ffffff", "#000000"], low=0, high=1)
        freehand = LassoSelectTool(persistent=False, renderers=[], continuous=False)
        corners = PolySelectTool(persistent=False, renderers=[])
        self.figure = square_figure("holes", sky.x_range, sky.y_range, tools=[freehand, corners])
        self.figure.toolbar.active_drag = freehand
        self.figure.toolbar.autohide = False
        self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", source=sky.mask, color_mapper=self.mapper
        )
        self.outlines = self.figure.patches(
            "xs", "ys", source=self.holes, fill_alpha=0.12, line_width=2
        )

    def show(self, holes: Sequence[Sequence[Sequence[float]]]) -> None:
        """Outline the `holes`, lists of corners (x, y) [arcmin]."""
        self.holes.data = {
            name: [[corner[axis] for corner in hole] for hole in holes]
            for axis, name in enumerate(("xs", "ys"))
        }

    def orient(self, *, on_sky: bool) -> None:
        """Name the axes as those of the maps are."""
        orient(self.figure, [], on_sky=on_sky)

    def paint(self, theme: str, page: str, accent: str) -> None:
        """Take the colours of the page."""
        paint(self.figure, theme)
        self.mapper.palette = [page, INK[theme]["empty"]]
        self.outlines.glyph.update(line_color=accent, fill_color=accent)
