import numpy as np
import pytest
import torch

from massgan_core.peaks import (
    Sampled,
    aperture_mean,
    circle_mask,
    measure_region,
)
from massgan_core.sky import Grid, inside_polygon, remove_mean

GRID = Grid((60, 81), 0.5)
WHOLE = torch.ones(60, 81, dtype=torch.bool)
BOX = np.array([[-5.0, -3.0], [7.0, -3.0], [7.0, 4.0], [-5.0, 4.0]])


def test_a_constant_map_has_its_height_in_every_region():
    height = torch.tensor([-0.2, 0.0, 0.7])
    maps = height[:, None, None].expand(3, *GRID.shape)
    for inside in (circle_mask(GRID, (2.0, -1.0), 3.0), inside_polygon(GRID, BOX)):
        found = measure_region(maps, GRID, WHOLE, inside)
        torch.testing.assert_close(found.kappa.values, height.double())
        torch.testing.assert_close(found.peak.values, height.double())
        assert found.kappa.above() == 1 and found.seen == 1


def test_the_mean_is_linear_and_the_peak_scales(rng):
    a, b = torch.randn(2, 5, *GRID.shape, generator=rng, dtype=torch.float64)
    inside = inside_polygon(GRID, BOX)
    one, other, both = (measure_region(m, GRID, WHOLE, inside) for m in (a, b, 2 * a - 3 * b))
    want = 2 * one.kappa.values - 3 * other.kappa.values
    torch.testing.assert_close(both.kappa.values, want)
    twice = measure_region(2 * a, GRID, WHOLE, inside)
    torch.testing.assert_close(twice.peak.values, 2 * one.peak.values)
    assert (one.peak.values >= one.kappa.values).all()


def test_a_circle_is_an_aperture_up_to_its_pixels(rng):
    x, y = (torch.from_numpy(v) for v in GRID.pixel_to_plane(np.arange(81.0), np.arange(60.0)))
    smooth = torch.exp(-((x[None] - 2) ** 2 + y[:, None] ** 2) / 30)
    maps = remove_mean(torch.stack([smooth, smooth + 0.02 * x]), WHOLE)
    for radius in (3.0, 6.0, 9.0):
        found = measure_region(maps, GRID, WHOLE, circle_mask(GRID, (1.2, -0.7), radius))
        exact = aperture_mean(maps, GRID, WHOLE, np.array([[1.2, -0.7]]), radius)[:, 0]
        torch.testing.assert_close(found.kappa.values, exact, rtol=0.02, atol=0)
        assert found.area == pytest.approx(np.pi * radius**2, rel=0.04)


def test_white_noise_scatters_as_its_pixels_and_intervals_are_gaussian(rng):
    maps = torch.randn(4000, 12, 12, generator=rng)
    grid, whole = Grid((12, 12), 1.0), torch.ones(12, 12, dtype=torch.bool)
    inside = circle_mask(grid, (0.0, 0.0), 3.0)
    kappa = measure_region(maps, grid, whole, inside).kappa
    want = int(inside.sum()) ** -0.5
    assert kappa.std == pytest.approx(want, rel=0.05) and abs(kappa.mean) < 0.1 * want
    for level, sigmas in ((0.68, 0.994), (0.95, 1.960)):
        low, high = kappa.interval(level)
        assert -low == pytest.approx(sigmas * want, rel=0.1)
        assert high == pytest.approx(sigmas * want, rel=0.1)
    assert kappa.above() / 4000 == pytest.approx(0.5, abs=0.04)


def test_few_samples_have_no_wide_interval():
    for n, level, known in ((6, 0.68, False), (7, 0.68, True), (39, 0.95, False)):
        assert (Sampled(torch.arange(float(n))).interval(level) is not None) == known
    assert Sampled(torch.arange(40.0)).interval(0.95) == pytest.approx((0.975, 38.025))
    assert np.isnan(Sampled(torch.zeros(1)).std)
    with pytest.raises(ValueError, match="`level` must lie between 0 and 1"):
        Sampled(torch.zeros(9)).interval(1.0)


def test_only_the_footprint_counts(rng):
    maps, area = torch.randn(3, *GRID.shape, generator=rng), WHOLE.clone()
    area[:, :40] = False
    inside = inside_polygon(GRID, np.array([[-10.0, -5], [9.75, -5], [9.75, 5], [-10.0, 5]]))
    poisoned = torch.where(area, maps, torch.nan)
    found = measure_region(poisoned, GRID, area, inside)
    alone = measure_region(maps, GRID, WHOLE, inside & area)
    torch.testing.assert_close(found.kappa.values, alone.kappa.values)
    assert found.area == alone.area and found.seen == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_polygon_does_not_mind_where_it_begins_or_which_way_it_goes(turn):
    corners = np.roll(np.array([[-4.0, -4], [6, -2], [1, 0], [6.0, 7], [-3, 5]]), turn, 0)
    one, back = inside_polygon(GRID, corners), inside_polygon(GRID, corners[::-1])
    turned = inside_polygon(GRID, np.roll(corners, 1, 0))
    assert torch.equal(one, back) and torch.equal(one, turned)
    x, y = corners.T
    shoelace = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert int(one.sum()) * 0.25 == pytest.approx(shoelace, rel=0.03)


def test_regions_that_hold_nothing_are_refused():
    maps = torch.zeros(2, *GRID.shape)
    far = circle_mask(GRID, (300.0, 0.0), 2.0)
    with pytest.raises(ValueError, match="holds? the centre of a pixel of the footprint"):
        measure_region(maps, GRID, WHOLE, far)
    with pytest.raises(ValueError, match="at least one sample"):
        measure_region(maps[:0], GRID, WHOLE, WHOLE)
    with pytest.raises(ValueError, match="three or more, got 2"):
        inside_polygon(GRID, BOX[:2])
