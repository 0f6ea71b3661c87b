import pytest
import torch
from numpy.testing import assert_allclose

from massgan_core.simulate import Lognormal, lognormal
from massgan_core.sky import Grid, PowerSpectrum, band_power, generator
from massgan_core.sky.spectrum import band_edges

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
GRID = Grid((192, 192), 1.0)


def test_spectrum_is_the_wanted_one_and_not_only_to_first_order():
    maps = Lognormal(GRID, POWER, shift=0.02)(generator(1), (40,))
    edges = band_edges(400, 8000, 5)
    ell = GRID.multipoles().flatten()
    _, power = band_power(maps, GRID, edges)
    error = power.std(0) / 40**0.5
    want = torch.stack(
        [
            POWER.on(GRID).flatten()[(ell >= a) & (ell < b)].mean()
            for a, b in zip(edges, edges[1:], strict=False)
        ]
    )
    assert ((power.mean(0) - want).abs() < 4 * error).all()
    assert (error / want).max() < 0.04


def test_std_minimum_and_skewness_follow_from_the_shift():
    maker = Lognormal(GRID, POWER, shift=0.02)
    maps = maker(generator(2), (40,))
    assert_allclose(maps.std().item(), maker.std, rtol=0.02)
    assert maps.min() > -0.02
    x = maker.std / 0.02
    skewness = ((maps - maps.mean()) ** 3).mean() / maps.std() ** 3
    assert_allclose(skewness.item(), 3 * x + x**3, rtol=0.15)


def test_a_large_shift_is_gaussian():
    maps = Lognormal(GRID, POWER, shift=10.0)(generator(3), (10,))
    assert abs(((maps - maps.mean()) ** 3).mean() / maps.std() ** 3) < 0.05


def test_same_seed_same_map():
    first, second, other = (lognormal(GRID, POWER, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_shift_must_be_positive():
    with pytest.raises(ValueError, match="`shift` must be positive"):
        Lognormal(GRID, POWER, shift=0.0)
