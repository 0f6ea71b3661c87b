"""Small figures of bands, lines and bars, built once and then only sent new arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    FixedTicker,
    HoverTool,
    LogAxis,
    Range1d,
)
from bokeh.plotting import figure

from explorer.elements.figures import FONT, INK

#: Blue, orange, ink and grey: apart for every eye, and by their dashes.
COLORS = {
    "light": {"samples": "#2f5fd0", "mean": "#c2570c", "truth": "#1f2733", "law": "#667085"},
    "dark": {"samples": "#8ab0ff", "mean": "#ffb454", "truth": "#f4f6fa", "law": "#98a2b3"},
}
BAND = 0.24  #: opacity of a band
#: Of lines, by the kind of a layer: as Bokeh and SVG take them.
DASHES = {"line": "solid", "points": "solid", "dashed": (6, 4), "dotted": (2, 3)}
_PLAIN = 'return tick.toLocaleString("en", {maximumFractionDigits: 3}).replace("-", "−")'
# Bokeh's own labels on less than a decade are long: 2.500e-4.
_POWERS = """
if (tick >= 0.001 && tick < 10000) return String(Number(tick.toPrecision(2)))
const power = Math.floor(Math.log10(tick) + 1e-9), times = (tick / 10 ** power).toPrecision(2)
const raised = [...String(power)].map(c => c == "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("")
return (Number(times) == 1 ? "" : Number(times) + "·") + "10" + raised
"""
_PERCENT = 'return Math.round(100 * tick) + " %"'
_ARCMIN = 'return String(Math.round(108000 / tick) / 10) + "′"'


@dataclass(frozen=True)
class Layer:
    """One thing that a figure draws.

    Args:
        kind: ``line``, ``dashed``, ``dotted`` or ``points`` of x, y; ``band`` of x, low, high;
            ``bars`` of left, right, y.
        role: Its colour, one of `COLORS`.
        label: For the legend and the hover.
    """

    kind: str
    role: str
    label: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the arrays it takes."""
        return {"band": ("x", "low", "high"), "bars": ("left", "right", "y")}.get(
            self.kind, ("x", "y")
        )


class Chart:
    """A figure with named layers, the first at the back.

    Args:
        name: Of the figure; the source of a layer is called ``check-`` name ``-`` layer.
        x_label: Of the axis.
        y_label: Of the axis.
        layers: What it draws, by name.
        log: Which axes are logarithmic: "", "x", "y" or "xy".
        ticks: Where the x axis has marks; by default Bokeh chooses.
        percent: Linear axes show shares as percentages.
        tooltip: How the hover says x and y, as Bokeh formats; empty for no hover.
    """

    def __init__(
        self,
        name: str,
        x_label: str,
        y_label: str,
        layers: Mapping[str, Layer],
        *,
        log: str = "",
        ticks: Sequence[float] = (),
        percent: bool = False,
        tooltip: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.layers = dict(layers)
        self.figure = figure(
            name=f"check-{name}",
            height=230,
            sizing_mode="stretch_width",
            tools=[],
            toolbar_location=None,
            x_axis_type="log" if "x" in log else "linear",
            y_axis_type="log" if "y" in log else "linear",
            x_range=Range1d(1, 10),
            y_range=Range1d(1, 10),
            x_axis_label=x_label,
            y_axis_label=y_label,
            output_backend="canvas",
            min_border_left=64,
            min_border_right=14,
            min_border_top=8,
        )
        self.sources = {
            key: ColumnDataSource(name=f"check-{name}-{key}", data=_empty(layer))
            for key, layer in self.layers.items()
        }
        self._dots: dict[str, object] = {}
        self._glyphs = {key: self._draw(key) for key in self.layers}
        self._style(log, ticks, _PERCENT if percent else _PLAIN)
        hovered = [r for key, r in self._glyphs.items() if self.layers[key].kind != "band"]
        if tooltip:
            for renderer in hovered:
                label = self.layers[renderer.name].label
                self.figure.add_tools(
                    HoverTool(
                        renderers=[renderer],
                        tooltips=[("", label), *tooltip],
                        mode="mouse",
                        visible=False,
                    )
                )

    def show(
        self,
        limits: tuple[tuple[float, float], tuple[float, float]],
        arrays: Mapping[str, Mapping[str, np.ndarray]],
    ) -> None:
        """Send the arrays of the layers that there are, and the ends of both axes.

        Args:
            limits: (left, right), (bottom, top).
            arrays: Columns by layer; layers that are left out are emptied.
        """
        for key, layer in self.layers.items():
            columns = arrays.get(key)
            self.sources[key].data = (
                _empty(layer)
                if columns is None
                else {name: np.asarray(columns[name], float) for name in layer.columns}
            )
        for axis, (start, end) in zip(
            (self.figure.x_range, self.figure.y_range), limits, strict=True
        ):
            axis.update(start=float(start), end=float(end))

    def shown(self) -> list[str]:
        """Names of the layers with something to see."""
        return [key for key, source in self.sources.items() if len(source.data[_first(source)])]

    def clear(self) -> None:
        """Nothing to see."""
        for key, layer in self.layers.items():
            self.sources[key].data = _empty(layer)

    def describe(self, words: str) -> None:
        """What a screen reader says in the place of the picture."""
        self.figure.html_attributes = {"role": "img", "aria-label": words}

    def add_arcmin(self) -> None:
        """A second reading of ℓ along the top: the scale 180°/ℓ."""
        scales = (60, 20, 6, 2, 0.6)
        axis = LogAxis(
            ticker=FixedTicker(ticks=[10800 / scale for scale in scales]),
            formatter=CustomJSTickFormatter(code=_ARCMIN),
        )
        self.figure.add_layout(axis, "above")
        _letter(axis)

    def paint(self, theme: str) -> None:
        """Take the colours of the page."""
        ink, colors = INK[theme], COLORS[theme]
        self.figure.update(
            background_fill_color=None, border_fill_color=None, outline_line_color=None
        )
        self.figure.grid.grid_line_color = ink["line"]
        self.figure.grid.grid_line_alpha = 0.5
        for axis in self.figure.axis:
            axis.update(
                axis_line_color=ink["line"],
                major_tick_line_color=ink["line"],
                major_label_text_color=ink["quiet"],
                axis_label_text_color=ink["quiet"],
            )
        for key, renderer in self._glyphs.items():
            layer, glyph = self.layers[key], renderer.glyph
            color = colors[layer.role]
            if layer.kind in ("band", "bars"):
                glyph.fill_color = color
            else:
                glyph.line_color = color
            if layer.kind == "points":
                self._dots[key].glyph.update(fill_color=color, line_color=color)

    def _draw(self, key: str) -> object:
        layer, source = self.layers[key], self.sources[key]
        common = {"source": source, "name": key}
        if layer.kind == "band":
            return self.figure.varea(
                "x", "low", "high", fill_alpha=BAND, level="underlay", **common
            )
        if layer.kind == "bars":
            return self.figure.quad(
                left="left",
                right="right",
                bottom=0,
                top="y",
                fill_alpha=0.6,
                line_color=None,
                **common,
            )
        if layer.kind == "points":
            self._dots[key] = self.figure.scatter("x", "y", size=6, **common)
        return self.figure.line("x", "y", line_width=2, line_dash=DASHES[layer.kind], **common)

    def _style(self, log: str, ticks: Sequence[float], plain: str) -> None:
        for axis in self.figure.axis:
            _letter(axis)
        for axis, name in ((self.figure.xaxis, "x"), (self.figure.yaxis, "y")):
            if name not in log:
                axis.formatter = CustomJSTickFormatter(code=plain)
                axis.ticker.desired_num_ticks = 5
            else:
                axis.formatter = CustomJSTickFormatter(code=_POWERS)
                axis.ticker.desired_num_ticks = 4
        if ticks:
            self.figure.xaxis.ticker = FixedTicker(ticks=list(ticks))
            self.figure.xaxis.formatter = CustomJSTickFormatter(code=_PLAIN)


def limits(*arrays: np.ndarray, room: float = 0.05, log: bool = False) -> tuple[float, float]:
    """Ends of an axis with a little room for all finite values, the positive ones for `log`."""
    values = np.concatenate([np.ravel(np.asarray(a, float)) for a in arrays])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not values.size:
        return 1.0, 10.0
    low, high = (np.log(v) if log else v for v in (values.min(), values.max()))
    space = room * (high - low) or 0.05 * abs(high) or 1.0
    low, high = low - space, high + space
    return (float(np.exp(low)), float(np.exp(high))) if log else (float(low), float(high))


def with_gaps(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of a band that is not there where it is NaN: Bokeh would fill the gap.

    Each run of values begins and ends without a width, so that nothing lies between two runs.
    """
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(known.astype(int), prepend=0, append=0))
    runs = [np.r_[a, a:b, b - 1] for a, b in edges.reshape(-1, 2)]
    at = np.concatenate([np.zeros(0, int), *runs])
    columns = {"x": x[at], "low": low[at], "high": high[at]}
    ends = np.cumsum([0, *map(len, runs)])
    for i in (*ends[:-1], *(ends[1:] - 1)) if runs else ():
        columns["low"][i] = columns["high"][i] = (columns["low"][i] + columns["high"][i]) / 2
    return columns


def _letter(axis: object) -> None:
    axis.update(
        axis_label_text_font=FONT,
        axis_label_text_font_size="12px",
        axis_label_text_font_style="normal",
        axis_label_standoff=6,
        major_label_text_font=FONT,
        major_label_text_font_size="12px",
        minor_tick_line_color=None,
        major_tick_in=0,
        major_tick_out=4,
    )


def _empty(layer: Layer) -> dict[str, list]:
    return {name: [] for name in layer.columns}


def _first(source: ColumnDataSource) -> str:
    return next(iter(source.data))
