"""One map: a figure with an image that is built once and then only sent new arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSHover,
    HoverTool,
    Label,
    LinearColorMapper,
    TapTool,
)

from explorer.elements.colors import LEVELS, to_levels
from explorer.elements.figures import (
    FONT,
    INK,
    add_clusters,
    add_compass,
    move_tools,
    orient,
    paint,
    paint_compass,
    square_figure,
)
from explorer.elements.peaks import add_labels, add_peaks, paint_labels, paint_peaks
from explorer.elements.scale import SCRIPT, Scale
from explorer.elements.sky import Sky
from explorer.widgets.calm import TOKENS

if TYPE_CHECKING:
    from massgan_core.sky import Grid

# A live frame is bytes along a scale, a resting one exact floats: the hover knows both.
_VALUE = f"""
{SCRIPT}
const [low, high, stretch, signed] =
  ["low", "high", "stretch", "signed"].map(name => source.data[name][0])
const bytes = source.data.image[0] instanceof Uint8Array
if (bytes && value == 0 || isNaN(value)) return "no value"
const along = scale(low, high, stretch, signed)
const from = along.bent(low), to = along.bent(high)
const at = from + (value - 1) / {LEVELS - 1} * (to - from)
const kappa = bytes ? along.value(at) : value
return (bytes ? "≈ " : "") + kappa.toFixed(4).replace("-", "−")
"""


class SkyMap:
    """A κ map (or a map of its spread) on the shared sky.

    Args:
        sky: Ranges, mask and clusters shared by all maps of the page.
        name: Of the figure; its source is called ``map-`` + name.
        label: What the hover calls the value.
    """

    def __init__(self, sky: Sky, name: str, label: str) -> None:
        self.sky, self.with_clusters = sky, True
        self.scale, self._colors = Scale(0.0, 1.0, signed=False), ["#000000"] * LEVELS
        self._exact = True
        self.source = ColumnDataSource(name=f"map-{name}", data=self._empty())
        self.mapper = LinearColorMapper(palette=self._colors, low=0.0, high=1.0)
        self.figure = square_figure(name, sky.x_range, sky.y_range, tools=move_tools())
        image = self.figure.image(
            "image",
            x="x",
            y="y",
            dw="dw",
            dh="dh",
            source=self.source,
            color_mapper=self.mapper,
        )
        self._veil = LinearColorMapper(palette=["rgba(0,0,0,0)", "#888888"], low=0, high=1)
        self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", source=sky.mask, color_mapper=self._veil
        )
        sky.overlays.join(self.figure)
        value = CustomJSHover(args={"source": self.source}, code=_VALUE)
        self.figure.add_tools(
            HoverTool(
                renderers=[image],
                tooltips=[
                    (label, "@image{custom}"),
                    ("RA", "$x{custom}"),
                    ("Dec", "$y{custom}"),
                ],
                formatters={"@image": value, "$x": sky.ra, "$y": sky.dec},
                visible=False,
            )
        )
        self.circles, _ = add_clusters(self.figure, sky.clusters)
        # The chosen one is marked, the others stay as they are (`None` would keep the first
        # colours: the page makes its own copy of the glyph then).
        self.circles.nonselection_glyph = self.circles.glyph.clone()
        self.circles.selection_glyph = self.circles.glyph.clone()
        self.circles.selection_glyph.line_width = 3.5
        sky.shapes.join(self.figure)
        sky.guess.join(self.figure)
        self._tap = TapTool(renderers=[self.circles], visible=False)
        self.figure.add_tools(self._tap)
        self.peaks = self.labels = None  # made when first wanted
        self._theme = "light"
        self._compass = add_compass(self.figure)
        self._note = Label(
            x=0,
            y=0,
            text="",
            text_align="center",
            text_baseline="middle",
            text_font=FONT,
            text_font_size="15px",
        )
        self.figure.add_layout(self._note)

    @property
    def limits(self) -> tuple[float, float]:
        """Values of the first and the last colour."""
        return self.scale.limits

    def send(
        self,
        grid: Grid,
        image: np.ndarray,
        limits: tuple[float, float],
        *,
        exact: bool,
        stretch: str = "linear",
        signed: bool = True,
    ) -> None:
        """Show `image`: its own float32 values when `exact`, else a light live frame.

        `stretch` and `signed` are those of :class:`explorer.elements.scale.Scale`.
        """
        self.scale, self._exact = Scale(*limits, stretch, signed), exact
        how = {"stretch": stretch, "signed": signed}
        array = np.ascontiguousarray(image) if exact else to_levels(image, limits, **how)
        columns = self.sky.image(grid, array, limits)
        self.source.data = {**columns, **{name: [value] for name, value in how.items()}}
        self._note.visible = False
        self.circles.visible = self.with_clusters
        self._map_colors()

    @property
    def note(self) -> str:
        """What an empty map says; nothing while there is an image."""
        return self._note.text if self._note.visible else ""

    def recolor(self, colors: list[str]) -> None:
        """Take other colours between the same limits."""
        if colors != self._colors:
            self._colors = colors
            self._map_colors()

    def orient(self, grid: Grid) -> None:
        """Name the axes of a field on `grid`."""
        orient(self.figure, self._compass, on_sky=grid.wcs is not None)

    def clear(self, note: str) -> None:
        """No image; say what to do to get one."""
        self.source.data = self._empty()
        self._note.update(text=note, visible=True)
        self.circles.visible = False

    def show_clusters(self, shown: bool) -> None:
        """Circles, or none; never on an empty map."""
        self.with_clusters = shown
        self.circles.visible = shown and bool(self.source.data["image"])

    def show_marks(self, *, peaks: bool, labels: bool) -> None:
        """Diamonds at the peaks, and the clusters' names; or not."""
        if peaks and self.peaks is None:
            self.peaks = add_peaks(self.figure, self.sky.peaks)
            self._tap.renderers = [self.circles, self.peaks]
        if labels and self.labels is None:
            self.labels = add_labels(self.figure, self.sky.clusters)
        self._paint_marks()
        if self.peaks is not None:
            self.peaks.visible = peaks
        if self.labels is not None:
            self.labels.visible = labels

    def _paint_marks(self) -> None:
        if self.peaks is not None:
            paint_peaks(self.peaks, self._theme)
        if self.labels is not None:
            paint_labels(self.labels, self._theme)

    def paint(self, theme: str, colors: list[str]) -> None:
        """Take the colours of the page."""
        self._theme = theme
        ink = INK[theme]
        paint(self.figure, theme)
        self._colors = colors
        self.mapper.nan_color = ink["empty"]
        self._map_colors()
        self._veil.palette = ["rgba(0,0,0,0)", ink["empty"]]
        self._note.text_color = ink["quiet"]
        for glyph in (self.circles.glyph, self.circles.nonselection_glyph):
            glyph.line_color = ink["ink"]
        self.circles.selection_glyph.line_color = TOKENS[theme]["accent"]
        paint_compass(self._compass, theme)
        self._paint_marks()

    def _map_colors(self) -> None:
        # A live frame is stretched already; an exact one is by its colours.
        exact = self._exact
        colors = self.scale.colors(self._colors) if exact else self._colors
        if colors != self.mapper.palette:
            self.mapper.palette = colors
        low, high = self.limits if exact else (1, LEVELS)
        # Level 0 of a live frame is "no value"; exact frames say it with NaN.
        below = None if exact else self.mapper.nan_color
        self.mapper.update(low=low, high=high, low_color=below)

    @staticmethod
    def _empty() -> dict[str, list]:
        box = ("image", "x", "y", "dw", "dh")
        return {name: [] for name in (*box, "low", "high", "stretch", "signed")}
