"""A map in its axes: the very data, at the right place of the sky."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from massgan_core.evaluating.plots.panels import Scale, color_bar, draw_map, inside
from massgan_core.sky import Grid

SCALE = Scale(-0.1, 0.1)


@pytest.fixture
def axes():
    return Figure((4, 4)).add_axes((0.1, 0.1, 0.8, 0.8))


@pytest.fixture
def real(small_field):
    return replace(small_field, kappa=None)


def test_what_is_drawn_is_the_map_inside_the_footprint(axes, small_field, pixels):
    draw_map(axes, small_field.kappa, small_field, SCALE)
    shown, area = pixels(axes), small_field.footprint.numpy()
    np.testing.assert_array_equal(np.isfinite(shown), area)
    np.testing.assert_array_equal(shown[area], small_field.kappa.numpy()[area])
    assert area.sum() == area.size - 40  # the hole of 5 × 8, the single empty pixel filled


def test_pixels_lie_where_the_grid_has_them(axes, small_field):
    image = draw_map(axes, small_field.kappa, small_field, SCALE)
    left, right, bottom, top = image.get_extent()
    assert image.origin == "lower"
    assert (left, bottom, right, top) == small_field.grid.bounds
    assert axes.get_xlim() == (left, right) and axes.get_ylim() == (bottom, top)


def test_the_unobserved_is_hatched(axes, small_field):
    draw_map(axes, small_field.kappa, small_field, SCALE)
    assert axes.patch.get_hatch() and axes.images[0].cmap(np.ma.masked)[3] == 0


def test_limits_are_symmetric_and_common_to_all_maps(small_field):
    area = small_field.footprint
    small = torch.full(area.shape, 0.01)
    large = torch.full(area.shape, -0.3)
    assert Scale.of([small, large], area) == Scale(-0.3, 0.3)
    assert Scale.of([large, small], area) == Scale(-0.3, 0.3)
    assert Scale.of([small, small], area, signed=False).low == 0.01


def test_limits_do_not_know_what_was_not_observed(small_field):
    area = small_field.footprint
    inner = 0.1 * torch.randn(area.shape, generator=torch.Generator().manual_seed(1))
    wild = torch.where(area, inner, 1e3)
    assert Scale.of([wild], area) == Scale.of([inner], area)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("value", [0.0, 0.2, float("nan")])
def test_a_constant_map_has_limits_too(small_field, value, signed):
    area = small_field.footprint
    scale = Scale.of([torch.full(area.shape, value)], area, signed=signed)
    assert scale.low < scale.high


def test_names_on_the_axes_are_right_ascension_and_declination(axes, real):
    draw_map(axes, real.sigma, real, SCALE)
    grid = real.grid
    x0, y0, *_ = grid.bounds
    ra = [float(t.get_text()) for t in axes.get_xticklabels()]
    dec = [float(t.get_text()) for t in axes.get_yticklabels()]
    assert len(ra) >= 2 and len(dec) >= 2
    for name, at in zip(ra, axes.get_xticks(), strict=True):
        assert grid.pixel_to_sky(*grid.plane_to_pixel(at, y0))[0] == pytest.approx(name, abs=1e-4)
    for name, at in zip(dec, axes.get_yticks(), strict=True):
        assert grid.pixel_to_sky(*grid.plane_to_pixel(x0, at))[1] == pytest.approx(name, abs=1e-4)
    # East is left.
    order = np.argsort(axes.get_xticks())
    assert (np.diff(np.array(ra)[order]) < 0).all()


def test_right_ascension_may_cross_zero(axes, real):
    field = replace(real, grid=Grid.tan(real.grid.shape, 1.0, center=(0.0, 40.0)))
    draw_map(axes, real.sigma, field, SCALE)
    ra = [float(t.get_text()) for t in axes.get_xticklabels()]
    assert len(ra) >= 2 and all(0 <= name < 360 for name in ra)
    assert max(ra) > 359 and min(ra) < 1


def test_a_simulated_sky_has_arcminutes(axes, small_field):
    draw_map(axes, small_field.kappa, small_field, SCALE)
    names = [float(t.get_text().replace("−", "-")) for t in axes.get_xticklabels()]
    assert names == pytest.approx(axes.get_xticks().tolist()) and 0.0 in names


def test_inner_maps_have_no_names(axes, real):
    draw_map(axes, real.sigma, real, SCALE, left=False, bottom=False)
    assert not any(t.get_text() for t in axes.get_xticklabels() + axes.get_yticklabels())


def test_clusters_are_circles_of_their_radius_where_they_were_observed(axes, real):
    grid = real.grid
    # In the open, in the hole, off the field.
    column, row = np.array([5.0, 24.0, 80.0]), np.array([12.0, 4.0, 12.0])
    ra, dec = grid.pixel_to_sky(column, row)
    some = SimpleNamespace(ra=ra, dec=dec, r500=np.array([2.0, 3.0, 4.0]))
    assert not real.footprint[4, 24]
    found = inside(some, real)
    x, y = grid.pixel_to_plane(5.0, 12.0)
    np.testing.assert_allclose(found, [[x, y, 2.0]], atol=1e-6)
    draw_map(axes, real.sigma, real, SCALE, clusters=some)
    (drawn,) = axes.collections
    (outline,) = drawn.get_paths()
    box = outline.get_extents()
    assert box.width == pytest.approx(4.0, abs=1e-6)
    assert ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) == pytest.approx((x, y), abs=1e-6)


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(-9, 9, "neither"), (-9, 0.01, "max"), (-0.01, 9, "min"), (-0.01, 0.01, "both")],
)
def test_the_colour_bar_says_where_values_lie_beyond(axes, small_field, low, high, ends):
    image = draw_map(axes, small_field.kappa, small_field, Scale(low, high))
    bar = axes.figure.add_axes((0.1, 0.02, 0.8, 0.03))
    color_bar(bar, image, "κ")
    assert image.colorbar.extend == ends and bar.get_xlabel() == "κ"
    assert (image.colorbar.vmin, image.colorbar.vmax) == pytest.approx((low, high))
