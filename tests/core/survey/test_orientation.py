"""The aperture mass tells E from B, and a wrong sign of e2 on the real sky."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from massgan_core.sky import Grid, PowerSpectrum, ShearField, ShearOperator, gaussian_field
from massgan_core.survey import cosmos, open_field, orientation_check


def sky(sigma: float = 0.02) -> ShearField:
    """A Gaussian sky with much structure of some arcminutes."""
    grid = Grid((120, 120), 0.5)
    generator = torch.Generator().manual_seed(11)
    power = PowerSpectrum([10, 1e3, 1e4, 1e5], [1e-8, 1e-8, 1e-10, 1e-14])
    gamma = ShearOperator(grid)(gaussian_field(power, grid, generator))
    noise = torch.complex(*(sigma * torch.randn((2, 120, 120), generator=generator)))
    mask = torch.rand((120, 120), generator=generator) > 0.1
    return ShearField(grid, gamma + noise, torch.full((120, 120), sigma), mask)


def test_lensing_is_an_e_mode() -> None:
    found = orientation_check(sky())
    assert found.e > 5 * found.b
    assert found.excess > 5 and not found.suspicious


def test_turning_every_shear_by_45_degrees_swaps_e_and_b() -> None:
    field = sky()
    straight, turned = orientation_check(field), orientation_check(field.rotated())
    assert (turned.e, turned.b) == pytest.approx((straight.b, straight.e))


def test_flipping_e2_swaps_the_two_signs() -> None:
    field = sky()
    given = orientation_check(field)
    other = orientation_check(replace(field, gamma=field.gamma.conj().resolve_conj()))
    assert (other.e, other.b) == pytest.approx((given.e_flipped, given.b_flipped))
    assert (other.e_flipped, other.b_flipped) == pytest.approx((given.e, given.b))
    assert other.error == pytest.approx(given.error)
    assert other.suspicious and "--flip-e2" in other.sentence


def test_noise_alone_is_not_suspicious() -> None:
    field = sky()
    for seed in range(8):
        noise = torch.randn((2, *field.grid.shape), generator=torch.Generator().manual_seed(seed))
        found = orientation_check(replace(field, gamma=torch.complex(*noise) * 0.3))
        assert not found.suspicious
        assert abs(found.excess) < 4 and abs(found.excess_flipped) < 4


def test_the_signs_of_the_cosmos_catalogue_are_right() -> None:
    right = orientation_check(cosmos())
    assert right.excess > 4 and abs(right.excess_flipped) < 3 and not right.suspicious
    assert "σ" in right.sentence and "flip-e2" not in right.sentence
    assert orientation_check(open_field("cosmos", flip_e2=True)).suspicious
    assert orientation_check(open_field("cosmos", flip_e1=True)).suspicious
    assert not orientation_check(open_field("cosmos", flip_e1=True, flip_e2=True)).suspicious


def test_shear_outside_the_mask_does_not_count() -> None:
    field = sky()
    spoilt = replace(field, gamma=torch.where(field.mask, field.gamma, 1e6 + 0j))
    assert orientation_check(spoilt) == orientation_check(field)


@pytest.mark.parametrize("shape", [(9, 31), (5, 5), (1, 4)])
def test_small_and_oblong_fields_are_legal(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(12)
    gamma = torch.complex(*torch.randn((2, *shape), generator=generator))
    field = ShearField(
        Grid(shape, 0.29), gamma, torch.ones(shape), torch.ones(shape, dtype=torch.bool)
    )
    assert not orientation_check(field).suspicious
