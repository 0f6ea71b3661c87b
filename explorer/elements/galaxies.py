"""The datashaded map of the galaxies, on which a box picks a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bokeh.models import BoxSelectTool, ColumnDataSource, LinearColorMapper, Range1d, TapTool

from explorer.elements.figures import (
    INK,
    add_clusters,
    add_compass,
    at_once,
    paint,
    paint_compass,
    square_figure,
)
from explorer.elements.sky import frame

SIDE = 480  #: pixels of the picture
CROWD = 8  #: galaxies in a cell that get the strongest colour


@dataclass(frozen=True, eq=False)
class GalaxyLayer:
    """One picture of the galaxies of a square of the sky.

    Args:
        image: South up from the first row [N, N]; NaN where nothing was observed.
        high: The value that gets the strongest colour; the weakest is for 0.
        unit: Of the colour bar.
        sticks: Ends of the lines drawn over it (x0, y0, x1, y1) [arcmin], or `None`.
    """

    image: np.ndarray
    high: float
    unit: str
    sticks: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None


def sticks(
    shear: np.ndarray, x: np.ndarray, y: np.ndarray, length: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lines along which images are stretched, `length` [arcmin] long for a shear of 1.

    Args:
        shear: Complex, in the frame of the plane: γ1 > 0 along x, γ2 > 0 along the diagonal.
        x: Their middles [arcmin].
        y: Likewise.
    """
    half = 0.5 * length * np.abs(shear) * np.exp(0.5j * np.angle(shear))
    return x - half.real, y - half.imag, x + half.real, y + half.imag


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
        self.mapper = LinearColorMapper(
            palette=["#000000", "#ffffff"], low=0, high=CROWD, nan_color="rgba(0, 0, 0, 0)"
        )
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
        self.sticks = ColumnDataSource(
            name="shear-sticks", data={k: [] for k in ("x0", "y0", "x1", "y1")}
        )
        self.lines = None  # made when first wanted
        self._compass, self._theme = add_compass(self.figure), "light"

    def show(self, layer: GalaxyLayer, half: float, clusters: dict[str, list]) -> None:
        """Show a picture of −`half` … `half` [arcmin]."""
        self.half = half
        self.show_layer(layer)
        self.clusters.data = clusters

    def show_layer(self, layer: GalaxyLayer) -> None:
        """Another picture of the same galaxies."""
        half, image = self.half, layer.image
        self.mapper.high = layer.high
        ends = () if layer.sticks is None else layer.sticks
        if ends and self.lines is None:
            with at_once([self.figure]):
                self.lines = self.figure.segment(
                    "x0", "y0", "x1", "y1", source=self.sticks, line_width=1.5, level="annotation"
                )
            self.lines.glyph.line_color = INK[self._theme]["ink"]
        self.sticks.data = dict(zip(("x0", "y0", "x1", "y1"), ends or ([],) * 4, strict=True))
        frame(self.figure.x_range, self.figure.y_range, half, half / 100)
        self.source.data = {
            "image": [image],
            "x": [-half],
            "y": [-half],
            "dw": [2 * half],
            "dh": [2 * half],
        }

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

        ink, self._theme = INK[theme], theme
        paint(self.figure, theme)
        if self.lines is not None:
            self.lines.glyph.line_color = ink["ink"]
        night = colorcet.CET_L1 if theme == "dark" else colorcet.CET_L1[::-1]
        self.mapper.palette = [ink["empty"], *night[20:]]
        self.circles.glyph.line_color = accent
        self.region.glyph.update(line_color=accent, fill_color=accent)
        paint_compass(self._compass, theme)
