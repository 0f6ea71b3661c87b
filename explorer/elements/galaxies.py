"""The datashaded map of the galaxies, on which a box picks a region."""

from __future__ import annotations

import numpy as np
from bokeh.models import BoxSelectTool, ColumnDataSource, LinearColorMapper, Range1d, TapTool

from explorer.elements.figures import (
    INK,
    add_clusters,
    add_compass,
    paint,
    paint_compass,
    square_figure,
)
from explorer.elements.sky import frame

SIDE = 480  #: pixels of the picture
CROWD = 8  #: galaxies in a cell that get the strongest colour


def shade(x: np.ndarray, y: np.ndarray, half: float) -> np.ndarray:
    """Galaxies in each of SIDE × SIDE cells of the square −`half` … `half`, as bytes."""
    import datashader
    import pandas as pd

    view = {"x_range": (-half, half), "y_range": (-half, half)}
    canvas = datashader.Canvas(plot_width=SIDE, plot_height=SIDE, **view)
    counts = canvas.points(pd.DataFrame({"x": x, "y": y}), "x", "y", datashader.count())
    return np.minimum(counts.to_numpy(), 255).astype(np.uint8)


class GalaxyMap:
    """All galaxies, the clusters, and the region that is picked."""

    def __init__(self) -> None:
        self.half = 1.0
        self.source = ColumnDataSource(
            name="map-galaxies", data={k: [] for k in ("image", "x", "y", "dw", "dh")}
        )
        self.box = ColumnDataSource(
            name="region", data={k: [] for k in ("left", "right", "bottom", "top")}
        )
        self.clusters = ColumnDataSource(
            data={k: [] for k in ("x", "y", "radius", "name", "redshift", "mass", "label")}
        )
        self.mapper = LinearColorMapper(palette=["#000000", "#ffffff"], low=0, high=CROWD)
        select = BoxSelectTool(persistent=False, renderers=[])  # asks where, selects nothing
        self.figure = square_figure("galaxies", Range1d(-44, 44), Range1d(-44, 44), tools=[select])
        self.figure.toolbar.active_drag = select
        self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", source=self.source, color_mapper=self.mapper
        )
        self.circles, _ = add_clusters(self.figure, self.clusters)
        self.circles.nonselection_glyph = self.circles.glyph
        self.figure.add_tools(TapTool(renderers=[self.circles], visible=False))
        self.region = self.figure.quad(
            left="left",
            right="right",
            bottom="bottom",
            top="top",
            source=self.box,
            fill_alpha=0.12,
            line_width=2,
        )
        self._compass = add_compass(self.figure)

    def show(self, image: np.ndarray, half: float, clusters: dict[str, list]) -> None:
        """Show the datashaded `image` of −`half` … `half` [arcmin]."""
        self.half = half
        frame(self.figure.x_range, self.figure.y_range, half, half / 100)
        self.source.data = {
            "image": [image],
            "x": [-half],
            "y": [-half],
            "dw": [2 * half],
            "dh": [2 * half],
        }
        self.clusters.data = clusters

    def selected(self) -> str:
        """Name of the cluster that was clicked; empty for none."""
        chosen, names = self.clusters.selected.indices, self.clusters.data["name"]
        return str(names[chosen[0]]) if chosen and chosen[0] < len(names) else ""

    def mark(self, box: tuple[float, float, float, float] | None) -> None:
        """Outline the region (left, bottom, right, top) [arcmin], or none."""
        edges = [[], [], [], []] if box is None else [[edge] for edge in box]
        self.box.data = dict(zip(("left", "bottom", "right", "top"), edges, strict=True))

    def paint(self, theme: str, accent: str) -> None:
        """Take the colours of the page: galaxies are ink on paper, or light on the dark sky."""
        import colorcet

        ink = INK[theme]
        paint(self.figure, theme)
        night = colorcet.CET_L1 if theme == "dark" else colorcet.CET_L1[::-1]
        self.mapper.palette = [ink["empty"], *night[20:]]
        self.circles.glyph.line_color = accent
        self.region.glyph.update(line_color=accent, fill_color=accent)
        paint_compass(self._compass, theme)
