"""Plots leave out what is missing, and say in words what they show."""

import numpy as np
import pytest

from massgan_core.evaluating.report.chart import Axis, Frame, Series, curves, dots, numbers
from massgan_core.evaluating.report.palette import looks, themed

NAN = float("nan")
LOOKS = looks(["ks", "gan", "mine"])


def series(method, y, error=None):
    y = np.array(y, float)
    error = np.full(len(y), NAN) if error is None else np.array(error, float)
    return Series(method, np.arange(len(y)) + 1.0, y, error)


def test_missing_values_are_nan():
    table = {"a": [1, None, 2], "b": 0.5, "c": None}
    np.testing.assert_array_equal(numbers(table, "a"), [1, NAN, 2])
    np.testing.assert_array_equal(numbers(table, "b"), [0.5])
    np.testing.assert_array_equal(numbers(table, "c"), [NAN])
    np.testing.assert_array_equal(numbers(table, "d", np.zeros(2)), [NAN, NAN])


@pytest.mark.parametrize("draw", ["curves", "dots"])
def test_a_plot_of_nothing_is_none(draw):
    nothing = [series("ks", [NAN]), series("gan", [NAN, NAN])]
    if draw == "dots":
        assert dots("a", "A", "Good.", nothing, LOOKS, "x") is None
    else:
        assert curves("a", "A", "Good.", nothing, LOOKS, Axis("x"), Axis("y")) is None


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("log", [False, True])
def test_gaps_and_missing_errors_are_drawn(apart, log):
    both = [series("ks", [1, NAN, 3], [0.1, NAN, NAN]), series("gan", [NAN, NAN, NAN])]
    x, y = Axis("x", log), Axis("y", log)
    chart = curves("a", "A", "Good.", both, LOOKS, x, y, Frame(1.0), apart=apart)
    assert chart.legend == (("ks", ""),)
    assert "ks: from 1 to 3, between 1 and 3." in chart.alt
    low, high = chart.figure.axes[0].get_ylim()
    assert low < 1 < 3 < high


def test_a_huge_error_does_not_hide_the_values():
    chart = curves("a", "A", "", [series("ks", [1, 2], [0, 1e6])], LOOKS, Axis("x"), Axis("y"))
    low, high = chart.figure.axes[0].get_ylim()
    assert high - low < 5


def test_drawings_have_the_colours_of_the_page():
    svg = dots("a", "A", "", [series("gan", [1.0], [0.1])], LOOKS, "label").svg()
    assert f"var({LOOKS['gan'].variable})" in svg
    assert "var(--ink)" in svg
    assert LOOKS["gan"].color not in svg
    assert ">label</text>" in svg
    assert " id=" not in svg.replace(' id="m', "").replace(' id="p', "")


def test_matplotlib_keeps_its_settings():
    from matplotlib import rcParams

    before = dict(rcParams)
    dots("a", "A", "", [series("gan", [1.0])], LOOKS, "x").svg()
    assert dict(rcParams) == before


def test_known_methods_keep_their_colour_beside_any_others():
    alone = looks(["gan"])["gan"]
    many = looks(["a", "b", "gan", "ks", "c"])
    assert many["gan"] == alone
    assert len({look.color for look in many.values()}) == 5
    assert len({look.marker for look in many.values()}) == 5


def test_more_methods_than_colours_can_be_drawn():
    assert len(looks([f"m{k}" for k in range(30)])) == 30


def test_only_known_colours_are_exchanged():
    assert themed("#0072b2 #123456") == "var(--m1) #123456"
