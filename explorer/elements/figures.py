"""The figure all maps start from, and how it takes the colours of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

from bokeh.models import (
    BoxZoomTool,
    CustomJSHover,
    CustomJSTickFormatter,
    HoverTool,
    Label,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

#: Colours of a figure on the light and the dark page.
INK = {
    "light": {"ink": "#1f2733", "quiet": "#667085", "line": "#d7dce3", "empty": "#e9ecf1"},
    "dark": {"ink": "#e6e9ef", "quiet": "#98a2b3", "line": "#343c49", "empty": "#232a35"},
}
FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
_SIGNED = 'return String({value}).replace("-", "−")'
# Left + right = top + bottom, so that a square figure has a square frame at every width.
BORDERS = {
    "min_border_left": 64,
    "min_border_right": 8,
    "min_border_top": 8,
    "min_border_bottom": 64,
}


@contextmanager
def at_once(plots: Iterable[figure]) -> Iterator[None]:
    """Add glyphs and tools to figures that are on the page.

    Bokeh walks through all models on every change of one, unless told to wait. For what Panel
    adds it must not wait: Panel asks new models for their document to know where its styles are.
    """
    document = next((plot.document for plot in plots if plot.document is not None), None)
    with nullcontext() if document is None else document.models.freeze():
        yield


def square_figure(name: str, x_range: Range1d, y_range: Range1d, *, tools: list) -> figure:
    """An empty square figure on arcmin axes; it takes the width it is given."""
    plot = figure(
        name=name,
        x_range=x_range,
        y_range=y_range,
        tools=[*tools, ResetTool(), SaveTool()],
        sizing_mode="scale_width",
        aspect_ratio=1,
        toolbar_location="above",
        toolbar_inner=True,
        output_backend="canvas",
        **BORDERS,
    )
    plot.toolbar.autohide = True
    plot.toolbar.stylesheets = [":host { background: transparent !important; }"]
    plot.toolbar.logo = None
    plot.grid.visible = False
    for axis in (plot.xaxis, plot.yaxis):
        axis.ticker.desired_num_ticks = 5
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
    return plot


def move_tools() -> list:
    """Drag to move, Ctrl + wheel to zoom (so that the page still scrolls), box zoom on demand."""
    return [
        PanTool(),
        WheelZoomTool(modifiers="ctrl"),
        BoxZoomTool(match_aspect=True),
    ]


def _known() -> CustomJSHover:
    """Writes a number with so many digits, and its unit; positions of one's own have none."""
    return CustomJSHover(
        code="""
        const [digits, ...unit] = format.split(" ")
        return isNaN(value) ? "not known" : [value.toFixed(Number(digits)), ...unit].join(" ")
        """
    )


def add_clusters(plot: figure, source: object) -> tuple[object, HoverTool]:
    """Circles of r500, with a hover of their own."""
    circles = plot.circle(
        "x",
        "y",
        radius="radius",
        source=source,
        fill_color="#ffffff",
        fill_alpha=0.0,
        line_width=1.4,
        name="clusters",
    )
    hover = HoverTool(
        renderers=[circles],
        tooltips=[
            ("Cluster", "@name"),
            ("redshift", "@redshift{3}"),
            ("M500", "@mass{1 × 10¹³ M☉}"),
            ("r500", "@radius{0.0}′"),
        ],
        formatters={"@redshift": _known(), "@mass": _known()},
        attachment="above",
        visible=False,
    )
    plot.add_tools(hover)
    return circles, hover


def add_compass(plot: figure) -> list[Label]:
    """North up and East left, said in the corner of the map."""
    place = {"x_units": "screen", "y_units": "screen", "text_font": FONT, "name": "compass"}
    size = {"text_font_size": "11px", "text_font_style": "bold"}
    labels = [
        Label(x=30, y=36, text="N", text_align="center", **place, **size),
        Label(x=30, y=22, text="↑", text_align="center", **place, **size),
        Label(x=30, y=8, text="E ← ·", text_align="right", x_offset=3, **place, **size),
    ]
    for label in labels:
        plot.add_layout(label)
    orient(plot, labels, on_sky=True)
    return labels


def orient(plot: figure, compass: list[Label], *, on_sky: bool) -> None:
    """Name the axes: East and North on the sky, plain x and y for a field that is nowhere."""
    east, north = (
        ("East of the centre [′]", "North of the centre [′]") if on_sky else ("x [′]", "y [′]")
    )
    plot.xaxis.axis_label, plot.yaxis.axis_label = east, north
    # Plane x grows to the West: on the sky the axis shows −x, so East is left and positive.
    value = "-tick || 0" if on_sky else "tick"
    plot.xaxis.formatter = CustomJSTickFormatter(code=_SIGNED.format(value=value))
    plot.yaxis.formatter = CustomJSTickFormatter(code=_SIGNED.format(value="tick"))
    for label in compass:
        label.visible = on_sky


def paint(plot: figure, theme: str) -> None:
    """Give the figure the page's colours; its own background stays clear."""
    ink = INK[theme]
    plot.update(
        background_fill_color=ink["empty"],
        border_fill_color=None,
        outline_line_color=None,
    )
    for axis in (plot.xaxis, plot.yaxis):
        axis.update(
            axis_line_color=None,
            major_tick_line_color=ink["line"],
            major_label_text_color=ink["quiet"],
            axis_label_text_color=ink["quiet"],
        )


def paint_compass(compass: list[Label], theme: str) -> None:
    """Letters that can be read on any map."""
    ink = INK[theme]
    for label in compass:
        label.update(
            text_color=ink["ink"], background_fill_color=ink["empty"], background_fill_alpha=0.7
        )
