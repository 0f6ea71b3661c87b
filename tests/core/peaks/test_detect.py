import numpy as np
import pytest
import torch

from massgan_core.peaks import find_peaks
from massgan_core.sky import Grid, smooth

GRID = Grid((48, 64), 0.5)
WHOLE = torch.ones(48, 64, dtype=torch.bool)
PLANTED = {(10, 12): 3.0, (30, 50): 2.0, (40, 20): 1.0}  #: row and column, height


def planted(width=2.0):
    """Gaussian hills of std `width` pixels."""
    row, column = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    return sum(
        h * torch.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * width**2))
        for (y, x), h in PLANTED.items()
    )


def test_planted_peaks_are_found_highest_first():
    kappa = planted()
    peaks = find_peaks(kappa, GRID, WHOLE, threshold=0.5)
    assert list(zip(peaks.row, peaks.column, strict=True)) == list(PLANTED)
    np.testing.assert_allclose(peaks.height, np.array([3, 2, 1]) - kappa.mean().item(), atol=1e-5)
    assert (peaks.map == 0).all() and len(peaks) == 3
    assert peaks.places[0].tolist() == [(12 - 31.5) * 0.5, (10 - 23.5) * 0.5]
    assert peaks.ra is None and peaks.dec is None


def test_a_threshold_and_a_choice_keep_the_high_ones():
    kappa = planted()
    assert len(find_peaks(kappa, GRID, WHOLE, threshold=1.5)) == 2
    peaks = find_peaks(kappa, GRID, WHOLE, threshold=0.5)
    assert peaks[peaks.height > 1.5].row.tolist() == [10, 30]
    assert peaks[0].column.tolist() == [12] and len(peaks[:2]) == 2


def test_smoothing_is_inside_and_finds_the_same_hills_in_noise(rng):
    noisy = planted() + torch.randn(48, 64, generator=rng)
    assert len(find_peaks(noisy, GRID, WHOLE)) > 100
    peaks = find_peaks(noisy, GRID, WHOLE, smoothing=1.0, threshold=0.6)[:2]
    away = np.hypot(peaks.row - [10, 30], peaks.column - [12, 50])
    assert (away <= 2).all()
    soft = smooth(noisy, GRID, 1.0, mask=WHOLE)
    want = (soft - soft.mean())[peaks.row, peaks.column]
    np.testing.assert_allclose(peaks.height, want, atol=1e-5)


def test_what_is_outside_changes_nothing_and_holds_no_peak(rng):
    area = torch.rand(48, 64, generator=rng) > 0.05
    kappa = torch.randn(48, 64, generator=rng)
    want = find_peaks(kappa, GRID, area, smoothing=0.5)
    got = find_peaks(torch.where(area, kappa, 100.0), GRID, area, smoothing=0.5)
    assert len(want) > 10
    assert np.array_equal(got.row, want.row) and np.array_equal(got.column, want.column)
    np.testing.assert_allclose(got.height, want.height, atol=1e-5)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            assert area[want.row + dy, want.column + dx].all()


def test_the_zero_point_is_the_footprint_mean():
    low, high = (find_peaks(planted() + c, GRID, WHOLE, threshold=0.5) for c in (0.0, 9.0))
    np.testing.assert_allclose(high.height, low.height, atol=1e-5)


def test_a_batch_is_its_maps(rng):
    kappa = torch.randn(2, 3, 48, 64, generator=rng)
    peaks = find_peaks(kappa, GRID, WHOLE)
    assert set(peaks.map) == set(range(6)) and (np.diff(peaks.map) >= 0).all()
    one, alone = peaks[peaks.map == 4], find_peaks(kappa[1, 1], GRID, WHOLE)
    assert np.array_equal(one.row, alone.row) and np.array_equal(one.height, alone.height)
    assert (np.diff(alone.height) <= 0).all()
    areas = torch.rand(2, 3, 48, 64, generator=rng) > 0.05
    some = find_peaks(kappa, GRID, areas)
    alone = find_peaks(kappa[1, 1], GRID, areas[1, 1])
    assert np.array_equal(some[some.map == 4].column, alone.column)


def test_a_grid_on_the_sky_gives_positions_there():
    grid = Grid.tan((48, 64), 0.5, center=(150.0, 2.2))
    peaks = find_peaks(planted(), grid, WHOLE, threshold=0.5)
    x, y = grid.sky_to_plane(peaks.ra, peaks.dec)
    np.testing.assert_allclose(np.stack([x, y], -1), peaks.places, atol=1e-6)
    assert peaks.ra[0] > peaks.ra[1] and peaks.dec[0] < peaks.dec[1]  # East is left


@pytest.mark.parametrize("grid", [GRID, Grid.tan((48, 64), 0.5, center=(150.0, 2.2))])
def test_a_flat_map_has_no_peak(grid):
    peaks = find_peaks(torch.ones(48, 64), grid, WHOLE)
    assert len(peaks) == 0 and peaks.places.shape == (0, 2)
