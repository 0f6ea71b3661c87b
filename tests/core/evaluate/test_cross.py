import numpy as np
import pytest
import torch

from massgan_core.evaluate import box_weights, windowed_power
from massgan_core.evaluate.cross import cross_power, taper
from massgan_core.sky import Grid, PowerSpectrum, gaussian_field

GRID = Grid((64, 64), 1.0)
EDGES = np.geomspace(300, 10000, 7)
POWER = PowerSpectrum([10.0, 1e3, 1e5], [1e-9, 1e-9, 1e-11])
AREA = torch.rand(64, 64, generator=torch.Generator().manual_seed(1)) > 0.02
AREA[:, :5] = False
AREA[20:30, 35:45] = False
HARD = None
SOFT = taper(AREA, GRID, 2.0)


def skies(rng, n):
    return gaussian_field(POWER, GRID, rng, (n,))


@pytest.mark.parametrize("window", [HARD, SOFT])
def test_cross_is_auto_for_the_truth_itself(window, rng):
    kappa = skies(rng, 3)
    power = cross_power(kappa, kappa, GRID, AREA, EDGES, window=window)
    assert power.cross.shape == (3, 6)
    for other in (power.estimate, power.truth):
        assert torch.equal(power.cross, other)
    assert (power.correlation == 1).all() and (power.transfer == 1).all()
    assert (power.residual == 0).all()
    half = cross_power(0.5 * kappa, kappa, GRID, AREA, EDGES, window=window)
    torch.testing.assert_close(half.transfer, torch.full((3, 6), 0.5).double())
    torch.testing.assert_close(half.correlation, torch.ones(3, 6).double())


def test_the_hard_cut_is_that_of_windowed_power(rng):
    """Same window, mean removal and bins: each power and that of the error."""
    first, second = skies(rng, 2), skies(rng, 2)
    power = cross_power(first, second, GRID, AREA, EDGES)
    for mine, kappa in ((power.estimate, first), (power.truth, second)):
        torch.testing.assert_close(
            mine, windowed_power(kappa, GRID, AREA, EDGES), rtol=1e-4, atol=0
        )
    error = windowed_power(first - second, GRID, AREA, EDGES)
    torch.testing.assert_close(power.residual, error, rtol=1e-4, atol=0)


@pytest.mark.parametrize("window", [HARD, SOFT])
def test_neither_mean_nor_outside_counts(window, rng):
    first, second = skies(rng, 2), skies(rng, 2)
    want = cross_power(first, second, GRID, AREA, EDGES, window=window)
    junk = torch.randn(2, 64, 64, generator=rng)
    junk[0, 0, 0] = torch.nan
    first, second = torch.where(AREA, first + 0.3, junk), torch.where(AREA, second - 0.2, junk)
    got = cross_power(first, second, GRID, AREA, EDGES, window=window)
    torch.testing.assert_close(got.cross, want.cross, rtol=1e-3, atol=1e-14)
    torch.testing.assert_close(got.residual, want.residual, rtol=1e-3, atol=0)


@pytest.mark.parametrize("window", [HARD, SOFT])
def test_independent_noise_lowers_r_as_predicted(window, rng):
    """r² = P/(P + N) and T = 1, with both powers seen through the same window."""
    kappa, noise = skies(rng, 100), 0.06 * torch.randn(100, 64, 64, generator=rng)
    power = cross_power(kappa + noise, kappa, GRID, AREA, EDGES, window=window)
    kept, lost = (
        cross_power(m, m, GRID, AREA, EDGES, window=window).truth.mean(0) for m in (kappa, noise)
    )
    r = power.averaged().correlation
    want = torch.sqrt(kept / (kept + lost))
    assert want[0] > 0.8 > 0.6 > want[-1]
    torch.testing.assert_close(r, want, rtol=0, atol=0.02)
    torch.testing.assert_close(
        power.averaged().transfer, torch.ones(6).double(), rtol=0, atol=0.04
    )
    torch.testing.assert_close(power.averaged().residual, lost, rtol=1e-4, atol=0)


def test_mean_and_sample_of_an_exact_posterior(rng):
    """T = r² for the mean, T = r for a sample: the periodic Wiener filter, mode by mode."""
    kappa, noise = skies(rng, 100), 0.06 * torch.randn(100, 64, 64, generator=rng)
    c_ell = POWER.on(GRID)
    gain = (c_ell / (c_ell + 0.06**2 * GRID.pixel_area)).float()
    mean = torch.fft.ifft2(gain * torch.fft.fft2(kappa + noise)).real
    sample = mean + gaussian_field(c_ell * (1 - gain), GRID, rng, (100,))
    whole = torch.ones(64, 64, dtype=torch.bool)
    means, samples = (cross_power(m, kappa, GRID, whole, EDGES).averaged() for m in (mean, sample))
    torch.testing.assert_close(means.transfer, means.correlation**2, rtol=0, atol=0.03)
    torch.testing.assert_close(samples.transfer, samples.correlation, rtol=0, atol=0.03)
    torch.testing.assert_close(samples.correlation, means.correlation**2, rtol=0, atol=0.03)


def test_redrawn_boxes_give_the_scatter_over_boxes(rng):
    kappa, noise = skies(rng, 24), 0.02 * torch.randn(24, 64, 64, generator=rng)
    power = cross_power(kappa + noise, kappa, GRID, AREA, EDGES)
    boxes = [b for b in range(12) for _ in range(2)]
    sets = power.averaged(box_weights(boxes, draws=200))
    assert sets.correlation.shape == (200, 6)
    error = sets.correlation.std(0)
    assert ((0 < error) & (error < 0.2)).all()
    once = power.averaged(torch.ones(1, 24).double())
    torch.testing.assert_close(once.correlation[0], power.averaged().correlation)


def test_the_taper_rises_from_the_edge():
    area = torch.ones(40, 40, dtype=torch.bool)
    area[:, :10] = False
    window = taper(area, Grid((40, 40), 0.5), 4.0)
    row = window[20]
    assert (row[:10] == 0).all() and (window[~area] == 0).all()
    assert (row[10:18].diff() > 0).all()
    assert row[11] == pytest.approx(0.25 - 0.5 / np.pi)  # 1′: a quarter of the way, and soft
    assert row[13] == pytest.approx(0.5)  # 2′ from the last pixel outside: half way
    assert row[17:30].min() > 0.999  # the border of the grid is an edge, too
    assert row[39] == pytest.approx(float(row[10]))
    assert torch.equal(taper(area, GRID, 0.0), area.double())


def test_bad_windows_are_refused(rng):
    kappa = skies(rng, 1)
    with pytest.raises(ValueError, match="`window` must be 0 outside"):
        cross_power(kappa, kappa, GRID, AREA, EDGES, window=torch.ones(64, 64))
    with pytest.raises(ValueError, match="`width` must be ≥ 0"):
        taper(AREA, GRID, -1.0)
