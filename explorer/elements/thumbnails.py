"""Small maps in two rows round one place: the samples that most agree, and most disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, LinearColorMapper, Range1d
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK
from explorer.widgets.calm import TOKENS

ROW = 5  #: small maps in a row
_GAP = 0.08  # between them, of their width
_LABEL = 0.3  # room above each row
_EMPTY = {key: [] for key in ("image", "x", "y", "middle", "center", "radius", "number", "top")}


def cutout(image: np.ndarray, column: float, row: float, half: int) -> np.ndarray:
    """The square of 2·`half` + 1 pixels about a pixel; NaN beyond the map."""
    around = np.pad(np.asarray(image, np.float32), half + 1, constant_values=np.nan)
    rows, columns = image.shape
    i, j = (int(np.clip(round(v), 0, n - 1)) for v, n in ((row, rows), (column, columns)))
    return around[i + 1 : i + 2 * half + 2, j + 1 : j + 2 * half + 2]


class Thumbnails:
    """One figure of two rows, each of at most five maps, all with the same circle."""

    def __init__(self) -> None:
        self.source = ColumnDataSource(name="thumbnails", data=dict(_EMPTY))
        self.mapper = LinearColorMapper(palette=["#000000", "#ffffff"], low=-0.1, high=0.1)
        width, height = ROW + (ROW - 1) * _GAP, 2 * (1 + _LABEL) + _GAP
        self.figure = figure(
            name="thumbnails",
            tools="tap",
            toolbar_location=None,
            x_range=Range1d(-0.02, width + 0.02),
            y_range=Range1d(-0.02, height),
            sizing_mode="scale_width",
            aspect_ratio=width / height,
            output_backend="canvas",
            min_border=0,
        )
        self.figure.axis.visible = self.figure.grid.visible = False
        self.images = self.figure.image(
            "image", x="x", y="y", dw=1, dh=1, source=self.source, color_mapper=self.mapper
        )
        # The tap needs a shape; an image has none that can be seen through.
        self.frames = self.figure.rect(
            "middle", "center", width=1, height=1, source=self.source, fill_alpha=0.0
        )
        self.circles = self.figure.circle(
            "middle", "center", radius="radius", source=self.source, fill_alpha=0.0, line_width=1.2
        )
        self.numbers = self.figure.text(
            "x",
            "top",
            text="number",
            source=self.source,
            text_font_size="10px",
            text_font=value(FONT),
        )
        for one in (self.images, self.frames, self.circles, self.numbers):
            one.nonselection_glyph = one.selection_glyph = None

    def show(
        self,
        images: Sequence[np.ndarray],
        numbers: Sequence[int],
        radius: float,
        limits: tuple[float, float],
    ) -> None:
        """Show small maps.

        Args:
            images: Of one size [H, H], those that most agree first, then those that least do,
                ordered in each half as they are to be seen.
            numbers: Of their samples.
            radius: Of the circle, as a share of the width of a map.
            limits: Of the colours.
        """
        self.mapper.update(low=limits[0], high=limits[1])
        half = (len(images) + 1) // 2
        column = [i % half for i in range(len(images))]
        x = [c * (1 + _GAP) for c in column]
        y = [(1 + _LABEL + _GAP) * (i < half) for i in range(len(images))]
        self.source.selected.indices = []
        self.source.data = {
            "image": list(images),
            "x": x,
            "y": y,
            "middle": [v + 0.5 for v in x],
            "center": [v + 0.5 for v in y],
            "radius": [radius] * len(images),
            "number": [
                f"{'most: ' if i == 0 else 'least: ' if i == half else ''}{n}"
                for i, n in enumerate(numbers)
            ],
            "top": [v + 1.05 for v in y],
        }

    def clear(self) -> None:
        """No maps."""
        self.source.data = dict(_EMPTY)

    def paint(self, theme: str, colors: list[str]) -> None:
        """Take the colours of the page."""
        ink = INK[theme]
        self.figure.update(
            background_fill_color=None, border_fill_color=None, outline_line_color=None
        )
        self.mapper.update(palette=colors, nan_color=ink["empty"])
        self.frames.glyph.line_color = ink["line"]
        self.circles.glyph.line_color = TOKENS[theme]["accent"]
        self.numbers.glyph.text_color = ink["quiet"]
