import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from massgan_core.sky import Grid, PowerSpectrum, band_power, gaussian_field
from massgan_core.sky.spectrum import band_edges, nyquist

POWER = PowerSpectrum([10.0, 1e3, 1e5], [1e-9, 1e-9, 1e-11])


def test_interpolation_is_a_power_law_between_and_beyond():
    assert_allclose(POWER([1e4, 1e6]), [1e-10, 1e-12])
    assert POWER(0.0) == 0


def test_gaussian_fields_have_the_spectrum_they_were_asked_for(rng):
    grid = Grid((128, 128), 1.0)
    kappa = gaussian_field(POWER, grid, rng, (60,))
    ell, power = band_power(kappa, grid, band_edges(400, 10000, 6))
    error = power.std(0) / 60**0.5
    want = torch.from_numpy(_binned(grid, 6))
    assert ((power.mean(0) - want).abs() < 4 * error).all()
    assert_allclose(kappa.var().item(), POWER.std(1.0, 128) ** 2, rtol=0.05)


def _binned(grid, bins):
    """C_ℓ averaged over the very modes of each bin."""
    edges, ell = band_edges(400, 10000, bins), grid.multipoles().numpy().ravel()
    index = np.digitize(ell, edges) - 1
    return np.array([POWER(ell[index == k]).mean() for k in range(bins)])


def test_parseval(rng):
    grid = Grid((30, 41), 0.5)
    kappa = torch.randn(30, 41, generator=rng, dtype=torch.float64)
    _, power = band_power(kappa, grid, [-1.0, 1e9])
    assert_allclose(power.item() / grid.pixel_area, (kappa**2).mean() * 1.0, rtol=1e-9)


def test_cross_power_of_a_map_with_itself_and_its_negative(rng):
    grid = Grid((16, 16), 1.0)
    kappa = torch.randn(16, 16, generator=rng)
    edges = band_edges(500, 10000, 3)
    auto, cross = band_power(kappa, grid, edges)[1], band_power(kappa, grid, edges, -kappa)[1]
    torch.testing.assert_close(auto, -cross)


def test_wavenumbers_reach_nyquist():
    grid = Grid((16, 16), 0.29)
    assert_allclose(-grid.wavenumbers()[0].min(), nyquist(0.29))


@pytest.mark.parametrize(("ell", "power"), [([1, 2], [1, -1]), ([2, 1], [1, 1]), ([1], [1])])
def test_bad_tables_are_refused(ell, power):
    with pytest.raises(ValueError, match="power spectrum"):
        PowerSpectrum(ell, power)
