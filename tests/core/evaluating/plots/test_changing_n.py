"""Curves and maps are those of the table; nothing overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.evaluating.plots.changing_n import TITLES, changing_n
from massgan_core.evaluating.plots.growth import Growth, settle


@pytest.fixture
def settled(given, small_field):
    sets = [given.samples, given.samples.flip(0), given.samples.roll(5, 0)]
    return [settle(type(given)(s), small_field, 16, 8) for s in sets]


@pytest.fixture
def growth(settled):
    return Growth.of(settled, [0, 1, 2])


def test_points_and_bars_are_those_of_the_table(growth, settled, titled):
    panels = titled(changing_n(growth, settled[0]))
    for name, title in TITLES.items():
        (bars,) = panels[title].containers
        points, _, (stems,) = bars
        np.testing.assert_array_equal(points.get_xdata(), growth.found.n)
        np.testing.assert_array_equal(points.get_ydata(), growth.values(name))
        ends = np.array([stem[:, 1] for stem in stems.get_segments()])
        np.testing.assert_allclose(np.diff(ends)[:, 0] / 2, growth.changes[name], atol=1e-9)


def test_laws_begin_at_one_sample_and_are_what_they_claim(growth, settled, titled):
    panels = titled(changing_n(growth, settled[0]))
    for name, sign in (("psnr", 1), ("rmse", -1)):
        axes = panels[TITLES[name]]
        lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        exact, law = (np.array(next(v for k, v in lines.items() if w in k)) for w in (
            "2N/(N+1)", "measured spread/skill"
        ))  # fmt: skip
        n = np.array(growth.found.n)
        gain = 10 * np.log10(2 * n / (n + 1))
        first = growth.values(name)[0]
        want = first + gain if sign > 0 else first * 10 ** (-gain / 20)
        np.testing.assert_allclose(exact, want)
        assert law[0] == exact[0] == first and law[-1] != exact[-1]


def test_maps_are_the_means_on_one_scale_with_the_truth(growth, settled, titled, pixels):
    panels = titled(changing_n(growth, settled[0]))
    area = settled[0].field.footprint.numpy()
    names = {1: "1 sample", 4: "MEAN of 4", 16: "MEAN of 16"}
    for n, name in names.items():
        np.testing.assert_allclose(pixels(panels[name])[area], settled[0].maps[n].numpy()[area])
    truth = settled[0].field.truth.numpy()
    np.testing.assert_allclose(pixels(panels["TRUTH"])[area], truth[area])
    assert len({panels[n].images[0].get_clim() for n in (*names.values(), "TRUTH")}) == 1


@pytest.mark.parametrize("boxes", [[0, 1, 2], [0, 0, 0]])
def test_no_words_overlap_or_leave_the_page(settled, overlaps, boxes):
    page = changing_n(Growth.of(settled, boxes), settled[0], made_by="gan (default), seed 0")
    assert overlaps(page) == ([], [])


def test_one_field_says_that_it_has_no_bars(settled):
    page = changing_n(Growth.of(settled[:1], [0]), settled[0])
    assert "no error bars" in page.caption and "redrawn" not in page.caption
    assert "3 fields redrawn" in changing_n(Growth.of(settled, [0, 1, 2]), settled[0]).caption


def test_the_maps_are_as_wide_as_the_curves(growth, settled):
    axes = changing_n(growth, settled[0]).figure.axes
    curves, maps = axes[: len(TITLES)], axes[len(TITLES) :]
    assert maps[0].get_position().x0 == pytest.approx(curves[0].get_position().x0)
    bar = maps[-1].get_tightbbox().x1 / maps[-1].figure.bbox.width
    assert bar == pytest.approx(curves[-1].get_position().x1, abs=0.02)
