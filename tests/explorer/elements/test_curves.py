"""Small figures take arrays: what is sent is what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.models import LogAxis

from explorer.elements.curves import COLORS, Chart, Layer, limits

LAYERS = {
    "area": Layer("band", "samples", "samples"),
    "line": Layer("line", "truth", "truth"),
    "dots": Layer("points", "mean", "mean"),
    "law": Layer("dashed", "law", "law"),
    "bars": Layer("bars", "samples", "counts"),
}
X = np.array([1.0, 2.0, 4.0])


@pytest.fixture
def chart() -> Chart:
    made = Chart("try", "x", "y", LAYERS, log="x", tooltip=[("x", "@x")])
    made.paint("light")
    return made


def test_arrays_go_to_their_layers_and_the_others_are_empty(chart: Chart) -> None:
    chart.show(
        ((1, 4), (0, 9)),
        {"area": {"x": X, "low": X, "high": 2 * X}, "dots": {"x": X, "y": X**2}},
    )
    assert chart.shown() == ["area", "dots"]
    np.testing.assert_array_equal(chart.sources["area"].data["high"], 2 * X)
    np.testing.assert_array_equal(chart.sources["dots"].data["y"], X**2)
    ranges = chart.figure.x_range, chart.figure.y_range
    assert [(r.start, r.end) for r in ranges] == [(1, 4), (0, 9)]
    before = chart.sources["dots"]
    chart.show(((1, 4), (0, 9)), {"line": {"x": X, "y": X}})
    assert chart.shown() == ["line"] and chart.sources["dots"] is before
    chart.clear()
    assert chart.shown() == []


def test_it_takes_the_theme(chart: Chart) -> None:
    for theme in ("dark", "light"):
        chart.paint(theme)
        by_name = {r.name: r.glyph for r in chart.figure.renderers}
        assert by_name["line"].line_color == COLORS[theme]["truth"]
        assert by_name["area"].fill_color == COLORS[theme]["samples"]
        assert by_name["bars"].fill_color == COLORS[theme]["samples"]
        assert by_name["dots"].line_color == COLORS[theme]["mean"]
        assert chart._dots["dots"].glyph.fill_color == COLORS[theme]["mean"]


def test_a_screen_reader_hears_the_finding(chart: Chart) -> None:
    chart.describe("Coverage. All is well.")
    assert chart.figure.html_attributes == {
        "role": "img",
        "aria-label": "Coverage. All is well.",
    }


def test_the_scale_stands_above_the_multipoles(chart: Chart) -> None:
    chart.add_arcmin()
    (above,) = chart.figure.above
    assert isinstance(above, LogAxis)
    np.testing.assert_allclose(
        10800 / np.array(above.ticker.ticks), [60, 20, 6, 2, 0.6]
    )  # 180° = 10,800′


@pytest.mark.parametrize("log", [False, True])
def test_limits_hold_everything_finite(log: bool) -> None:
    low, high = limits(X, [np.nan, 0.5, np.inf], log=log)
    assert low < 0.5 and high > 4
    assert (low > 0) or not log
    assert limits([-3.0, 0.0, 2.0, 8.0], log=True)[0] > 1.5
    for nothing in ([], [np.nan], [2.0]):
        low, high = limits(nothing, log=log)
        assert np.isfinite([low, high]).all() and low < high
