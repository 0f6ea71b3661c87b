import pytest
import torch

from massgan_core.simulate import mock, sky
from massgan_core.sky import Grid, PowerSpectrum, ShearOperator, reduced_shear

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
GRID = Grid((80, 80), 0.5)


def test_counts_are_integer_poisson_and_empty_pixels_unobserved():
    kappa, gamma = sky("gaussian", GRID, POWER, seed=1)
    field = mock(kappa, gamma, GRID, depth=6.0, seed=1)
    counts = field.counts
    assert torch.equal(counts, counts.round())
    assert torch.equal(field.mask, counts > 0)
    assert abs(counts.mean() - 1.5) < 0.06 and abs(counts.var() - 1.5) < 0.12
    torch.testing.assert_close(field.sigma[field.mask], 0.295 / torch.sqrt(counts[field.mask]))
    assert field.footprint.all()


def test_data_are_reduced_shear_plus_noise_of_sigma():
    kappa, gamma = sky("gaussian", GRID, POWER, seed=2)
    ones = torch.ones(GRID.shape)
    field = mock(kappa, gamma, GRID, sigma=0.2 * ones, mask=ones.bool(), seed=2)
    noise = field.gamma - reduced_shear(gamma, kappa)
    for part in (noise.real, noise.imag):
        torch.testing.assert_close(part.std(), torch.tensor(0.2), rtol=0.03, atol=0)
    linear = mock(kappa, gamma, GRID, sigma=0.2 * ones, mask=ones.bool(), linear=True, seed=2)
    torch.testing.assert_close(linear.gamma - gamma, noise)


def test_shear_is_made_on_a_larger_field_than_the_crop():
    """On the crop itself shear would wrap round: here it must not be the periodic one."""
    kappa, gamma = sky("gaussian", GRID, POWER, seed=3)
    wrapped = ShearOperator(GRID)(kappa)
    edge = torch.zeros(GRID.shape, dtype=torch.bool)
    edge[:3], edge[-3:] = True, True
    error = (gamma - wrapped).abs()
    assert error[edge].mean() > 0.2 * gamma.abs().mean()
    assert error[30:50, 30:50].mean() < error[edge].mean()


def test_same_seed_same_field_other_seed_another():
    a, b, c = (sky("lognormal", GRID, POWER, seed=s)[0] for s in (4, 4, 5))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_noise_source_must_be_given_once():
    kappa, gamma = sky("gaussian", GRID, POWER, seed=1)
    with pytest.raises(ValueError, match="either `sigma`"):
        mock(kappa, gamma, GRID)
    with pytest.raises(ValueError, match="`depth` must be positive"):
        mock(kappa, gamma, GRID, depth=-1.0)
    with pytest.raises(ValueError, match="`kind` must be"):
        sky("cubist", GRID, POWER, seed=1)
