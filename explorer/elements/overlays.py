"""What lies over all maps alike: contours, graticule, scale bar, a cross, a hatched mask.

Their sources are shared by the maps of one page; an empty source shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, GlyphRenderer, MultiPolygons
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK, at_once

LINES = ("xs", "ys")
WORDS = ("x", "y", "text", "align", "baseline")


class Overlays:
    """Sources shared by all maps of one page; a map takes part by :meth:`join`.

    What draws a source is added to the maps when it first has something to show: a map with
    glyphs for all that may never be asked for takes twice as long to build.
    """

    def __init__(self) -> None:
        self.hatch = _source("hatch", *LINES)
        self.graticule = _source("graticule", *LINES)
        self.degrees = _source("graticule-labels", *WORDS)
        self.contours = _source("contours", *LINES, "width")
        self.bar = _source("scale-bar", *LINES)
        self.length = _source("scale-bar-label", *WORDS)
        self.place = _source("place", "x", "y")
        self._plots: list[figure] = []
        self._drawn: dict[str, list[GlyphRenderer]] = {}  # name of a source → what draws it
        self._theme = "light"

    def join(self, plot: figure) -> None:
        """Draw on one more map."""
        self._plots.append(plot)
        for name in self._drawn:
            self._draw(name, plot)

    def show(self, source: ColumnDataSource, columns: dict[str, list]) -> None:
        """Send `columns` to one of the sources; nothing where they are those that are there."""
        if source.name not in self._drawn and any(columns.values()):
            self._drawn[source.name] = []
            with at_once(self._plots):
                for plot in self._plots:
                    self._draw(source.name, plot)
        if dict(source.data) != columns:
            source.data = columns

    def hide(self, source: ColumnDataSource) -> None:
        """Show nothing of one of the sources."""
        self.show(source, {name: [] for name in source.data})

    def paint(self, theme: str) -> None:
        """Take the colours of the page."""
        self._theme = theme
        for renderers in self._drawn.values():
            for renderer in renderers:
                _color(renderer, theme)

    def _draw(self, name: str, plot: figure) -> None:
        added = _ADD[name](self, plot)
        self._drawn[name] += added
        for renderer in added:
            _color(renderer, self._theme)


def _hatch(over: Overlays, plot: figure) -> list[GlyphRenderer]:
    return [
        plot.multi_polygons(
            "xs",
            "ys",
            source=over.hatch,
            fill_alpha=0.002,  # Bokeh hatches nothing that has neither a fill nor an outline
            line_color=None,
            hatch_pattern="right_diagonal_line",
            hatch_scale=7,
            hatch_weight=1,
        )
    ]


def _contours(over: Overlays, plot: figure) -> list[GlyphRenderer]:
    lines = {"xs": "xs", "ys": "ys", "source": over.contours}
    return [
        # Pale below, so that a line can be read on every colour.
        plot.multi_line(**lines, line_width=3.4, line_alpha=0.55, name="halo"),
        plot.multi_line(**lines, line_width="width"),
    ]


def _words(source: ColumnDataSource, plot: figure, **style: str) -> list[GlyphRenderer]:
    return [
        plot.text(
            x="x",
            y="y",
            text="text",
            source=source,
            text_align="align",
            text_baseline="baseline",
            text_font=value(FONT),  # else the name of a column
            text_font_size="11px",
            background_fill_alpha=0.7,
            padding=2,
            **style,
        )
    ]


_ADD: dict[str, Callable[[Overlays, figure], list[GlyphRenderer]]] = {
    "hatch": _hatch,
    "graticule": lambda over, plot: [
        plot.multi_line(
            "xs", "ys", source=over.graticule, line_width=1, line_alpha=0.5, line_dash=[4, 4]
        )
    ],
    "graticule-labels": lambda over, plot: _words(over.degrees, plot),
    "contours": _contours,
    "scale-bar": lambda over, plot: [plot.multi_line("xs", "ys", source=over.bar, line_width=2.5)],
    "scale-bar-label": lambda over, plot: _words(over.length, plot, text_font_style="bold"),
    "place": lambda over, plot: [
        plot.scatter("x", "y", source=over.place, marker="cross", size=26, line_width=2.5)
    ],
}


def _color(renderer: GlyphRenderer, theme: str) -> None:
    ink, glyph = INK[theme], renderer.glyph
    if "text" in glyph.properties():
        glyph.update(text_color=ink["ink"], background_fill_color=ink["empty"])
    elif isinstance(glyph, MultiPolygons):
        glyph.hatch_color = ink["quiet"]
    else:
        glyph.line_color = ink["empty"] if renderer.name == "halo" else ink["ink"]


def _source(name: str, *columns: str) -> ColumnDataSource:
    return ColumnDataSource(name=name, data={column: [] for column in columns})
