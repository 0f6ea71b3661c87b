from dataclasses import replace

import pytest
import torch

from massgan_core.mapping import KaiserSquires
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    shape_noise,
    smooth,
)

POWER = PowerSpectrum([10.0, 1e3, 1e5], [3e-9, 1e-9, 1e-12])


def clean(rng, side=128):
    """A noise-free field cut from a larger one."""
    large = Grid((2 * side, 2 * side), 0.5)
    kappa = gaussian_field(POWER, large, rng)
    gamma = ShearOperator(large)(kappa)
    part, ones = slice(side // 2, side // 2 + side), torch.ones(side, side)
    return ShearField(
        Grid((side, side), 0.5),
        gamma[part, part],
        0.1 * ones,
        ones.bool(),
        kappa[part, part],
    )


def test_recovers_the_smoothed_truth_inside_the_field(rng):
    field = clean(rng)
    truth = smooth(field.kappa, field.grid, 2.0)
    inner = slice(32, 96)
    a, b = KaiserSquires(2.0).map(field)[inner, inner], truth[inner, inner]
    assert torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] > 0.97


def test_linear_and_e_and_b_modes_swap(rng):
    field = clean(rng, 32)
    ks = KaiserSquires(1.0)
    torch.testing.assert_close(ks.b_mode(field.rotated()), ks.map(field))
    torch.testing.assert_close(ks.map(field.rotated()), -ks.b_mode(field))
    double = replace(field, gamma=2 * field.gamma)
    torch.testing.assert_close(ks.map(double), 2 * ks.map(field))


def test_std_is_that_of_propagated_noise(small_field):
    ks = KaiserSquires(1.5)
    key, many = torch.Generator().manual_seed(1), small_field.sigma.expand(600, -1, -1)
    noise = replace(
        small_field,
        gamma=shape_noise(many, key),
        sigma=many,
        mask=small_field.mask.expand_as(many),
        kappa=None,
    )
    draws = ks.map(noise)
    ratio = draws.std(0) / ks.std(small_field)
    assert abs(ratio.mean() - 1) < 0.01 and ratio.std() < 0.05


def test_shear_outside_the_mask_changes_nothing(small_field):
    poisoned = replace(
        small_field, gamma=torch.where(small_field.mask, small_field.gamma, 1e6 + 0j)
    )
    ks = KaiserSquires()
    assert torch.equal(ks.map(poisoned), ks.map(small_field))


def test_samples_are_the_map(small_field):
    ks = KaiserSquires()
    assert torch.equal(ks.sample(small_field, 3), ks.map(small_field).expand(3, -1, -1))


def test_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match="`smoothing` must be"):
        KaiserSquires(-1.0)
