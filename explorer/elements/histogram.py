"""A histogram of κ in one circle over that of random circles: bars over a quiet shape."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK

_EMPTY = {"left": [], "right": [], "own": [], "random": []}


class Histogram:
    """Shares of samples (bars) and of random circles (outline) by κ."""

    def __init__(self) -> None:
        self.source = ColumnDataSource(name="histogram", data=_EMPTY)
        self.figure = figure(
            name="histogram",
            height=170,
            sizing_mode="stretch_width",
            tools=[],
            toolbar_location=None,
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            output_backend="canvas",
            min_border_left=8,
            min_border_right=8,
        )
        self.figure.grid.visible = False
        self.figure.yaxis.visible = False
        self.figure.xaxis.update(
            axis_label="mean κ within r500",
            axis_label_text_font=FONT,
            axis_label_text_font_size="12px",
            axis_label_text_font_style="normal",
            major_label_text_font=FONT,
            major_label_text_font_size="12px",
            minor_tick_line_color=None,
        )
        self.figure.xaxis.ticker.desired_num_ticks = 5
        edges = {"left": "left", "right": "right", "bottom": 0, "source": self.source}
        self.random = self.figure.quad(top="random", line_color=None, **edges)
        self.own = self.figure.quad(top="own", fill_alpha=0.75, line_width=1, **edges)

    def show(self, edges: np.ndarray, own: np.ndarray, random: np.ndarray) -> None:
        """Bars between `edges`; both kinds are scaled to their own highest bar."""
        self.source.data = {
            "left": edges[:-1],
            "right": edges[1:],
            "own": own / max(own.max(), 1e-9),
            "random": random / max(random.max(), 1e-9),
        }
        room = 0.04 * (edges[-1] - edges[0])
        self.figure.x_range.update(start=edges[0] - room, end=edges[-1] + room)
        self.figure.y_range.update(start=0, end=1.08)

    def clear(self) -> None:
        """No bars."""
        self.source.data = _EMPTY

    def paint(self, theme: str, accent: str) -> None:
        """Take the colours of the page."""
        ink = INK[theme]
        self.figure.update(
            background_fill_color=None, border_fill_color=None, outline_line_color=None
        )
        self.figure.xaxis.update(
            axis_line_color=ink["line"],
            major_tick_line_color=ink["line"],
            major_label_text_color=ink["quiet"],
            axis_label_text_color=ink["quiet"],
        )
        self.random.glyph.update(fill_color=ink["line"])
        self.own.glyph.update(fill_color=accent, line_color=accent)
