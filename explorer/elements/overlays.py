"""What lies over all maps alike: contours, graticule, scale bar, a cross, a hatched mask.

Their sources are shared by the maps of one page; an empty source shows nothing.
"""

from __future__ import annotations

from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, GlyphRenderer
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK

LINES = ("xs", "ys")
WORDS = ("x", "y", "text", "align", "baseline")


class Overlays:
    """Sources of all that can lie over a map."""

    def __init__(self) -> None:
        self.hatch = _source("hatch", *LINES)
        self.graticule = _source("graticule", *LINES)
        self.degrees = _source("graticule-labels", *WORDS)
        self.contours = _source("contours", *LINES, "width")
        self.bar = _source("scale-bar", *LINES)
        self.length = _source("scale-bar-label", *WORDS)
        self.place = _source("place", "x", "y")


def show(source: ColumnDataSource, columns: dict[str, list]) -> None:
    """Send `columns`; nothing where they are those that are there."""
    if dict(source.data) != columns:
        source.data = columns


def hide(source: ColumnDataSource) -> None:
    """Show nothing of `source`."""
    show(source, {name: [] for name in source.data})


def add_overlays(plot: figure, over: Overlays) -> dict[str, GlyphRenderer]:
    """Draw all of `over` on one map; :func:`paint_overlays` gives it colours."""
    words = {
        "x": "x",
        "y": "y",
        "text": "text",
        "text_align": "align",
        "text_baseline": "baseline",
        "text_font": value(FONT),  # else the name of a column
        "text_font_size": "11px",
        "background_fill_alpha": 0.7,
        "padding": 2,
    }
    return {
        "hatch": plot.multi_polygons(
            "xs",
            "ys",
            source=over.hatch,
            fill_alpha=0.002,  # Bokeh hatches nothing that has neither a fill nor an outline
            line_color=None,
            hatch_pattern="right_diagonal_line",
            hatch_scale=7,
            hatch_weight=1,
        ),
        "graticule": plot.multi_line(
            "xs", "ys", source=over.graticule, line_width=1, line_alpha=0.5, line_dash=[4, 4]
        ),
        # Pale below, so that a line can be read on every colour.
        "halo": plot.multi_line("xs", "ys", source=over.contours, line_width=3.4, line_alpha=0.55),
        "contours": plot.multi_line("xs", "ys", source=over.contours, line_width="width"),
        "degrees": plot.text(source=over.degrees, **words),
        "bar": plot.multi_line("xs", "ys", source=over.bar, line_width=2.5),
        "length": plot.text(source=over.length, **{**words, "text_font_style": "bold"}),
        "place": plot.scatter(
            "x", "y", source=over.place, marker="cross", size=26, line_width=2.5
        ),
    }


def paint_overlays(drawn: dict[str, GlyphRenderer], theme: str) -> None:
    """Take the colours of the page."""
    ink = INK[theme]
    drawn["hatch"].glyph.hatch_color = ink["quiet"]
    drawn["halo"].glyph.line_color = ink["empty"]
    for name in ("graticule", "contours", "bar", "place"):
        drawn[name].glyph.line_color = ink["ink"]
    for name in ("degrees", "length"):
        drawn[name].glyph.update(text_color=ink["ink"], background_fill_color=ink["empty"])


def _source(name: str, *columns: str) -> ColumnDataSource:
    return ColumnDataSource(name=name, data={column: [] for column in columns})
