"""Marks on a map: peaks as small diamonds, names beside circles; made when first wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, HoverTool

from explorer.elements.figures import FONT, INK
from explorer.widgets.calm import TOKENS

if TYPE_CHECKING:
    from bokeh.models import GlyphRenderer
    from bokeh.plotting import figure

    from massgan_core.peaks import Peaks

COLUMNS = ("x", "y", "number", "height", "probability")


def peak_columns(peaks: Peaks | None, probability: np.ndarray | None = None) -> dict[str, list]:
    """The columns behind the diamonds."""
    if peaks is None:
        return {name: [] for name in COLUMNS}
    number = np.arange(1, len(peaks) + 1)
    return {
        name: list(values)
        for name, values in zip(
            COLUMNS, (peaks.x, peaks.y, number, peaks.height, probability), strict=True
        )
    }


def add_peaks(plot: figure, source: ColumnDataSource) -> GlyphRenderer:
    """Small diamonds, with a hover of their own; the chosen one is filled."""
    marks = plot.scatter(
        "x",
        "y",
        marker="diamond",
        size=11,
        source=source,
        fill_alpha=0.0,
        line_width=1.6,
        name="peaks",
    )
    # Not `None`: the page makes its own copy of the glyph's first colours then.
    marks.nonselection_glyph = marks.glyph.clone()
    marks.selection_glyph = marks.glyph.clone()
    marks.selection_glyph.update(size=17, line_width=3, fill_alpha=0.35)
    plot.add_tools(
        HoverTool(
            renderers=[marks],
            tooltips=[
                ("Peak", "@number"),
                ("κ", "@height{0.0000}"),
                ("in the samples", "@probability{0%}"),
            ],
            attachment="below",
            visible=False,
        )
    )
    return marks


def paint_peaks(marks: GlyphRenderer, theme: str) -> None:
    """Take the colours of the page."""
    for glyph in (marks.glyph, marks.nonselection_glyph):
        glyph.update(line_color=INK[theme]["ink"], fill_color=INK[theme]["ink"])
    accent = TOKENS[theme]["accent"]
    marks.selection_glyph.update(line_color=accent, fill_color=accent)


def add_labels(plot: figure, source: ColumnDataSource) -> GlyphRenderer:
    """The name of each cluster, to the right of its circle."""
    return plot.text(
        "x",
        "y",
        text="label",
        source=source,
        x_offset=8,
        text_baseline="middle",
        text_font=value(FONT),
        text_font_size="11px",
        name="labels",
    )


def paint_labels(labels: GlyphRenderer, theme: str) -> None:
    """Take the colours of the page."""
    for glyph in (labels.glyph, labels.selection_glyph, labels.nonselection_glyph):
        if hasattr(glyph, "text_color"):
            glyph.update(text_color=INK[theme]["ink"], text_alpha=1.0)
