from dataclasses import replace

import pytest
import torch

from massgan_core.sky import Grid, ShearField, footprint, remove_mean


def test_nothing_outside_the_mask_survives(small_field):
    field = replace(
        small_field,
        gamma=torch.where(small_field.mask, small_field.gamma, 1e6),
        sigma=torch.where(small_field.mask, small_field.sigma, torch.nan),
    )
    assert torch.equal(field.gamma, small_field.gamma)
    assert torch.equal(field.sigma, small_field.sigma)
    assert torch.isinf(field.sigma[~field.mask]).all()
    assert (field.weight[~field.mask] == 0).all() and (field.weight[field.mask] > 0).all()


def test_footprint_fills_single_holes_alone(small_field):
    filled = small_field.footprint & ~small_field.mask
    assert filled.nonzero().tolist() == [[15, 10]]


def test_footprint_never_grows_at_an_edge():
    mask = torch.zeros(5, 5, dtype=torch.bool)
    mask[:3] = True
    assert torch.equal(footprint(mask), mask)


def test_truth_has_no_mean_in_the_footprint(small_field):
    assert abs(small_field.truth[small_field.footprint].mean()) < 1e-7


def test_remove_mean_is_idempotent(rng):
    kappa, area = torch.randn(3, 9, 8, generator=rng), torch.rand(3, 9, 8, generator=rng) > 0.3
    once = remove_mean(kappa + 5, area)
    torch.testing.assert_close(once, remove_mean(kappa, area), atol=1e-6, rtol=0)
    torch.testing.assert_close(remove_mean(once, area), once, atol=1e-6, rtol=0)


def test_crop_keeps_values_and_places(small_field):
    part = small_field.crop(3, 5, (10, 11))
    assert torch.equal(part.gamma, small_field.gamma[3:13, 5:16])
    assert part.grid.pixel_to_sky(0, 0) == small_field.grid.pixel_to_sky(5, 3)
    with pytest.raises(ValueError, match="leaves"):
        small_field.crop(20, 0, (10, 10))


def test_rotation_by_45_degrees_turns_gamma(small_field):
    torch.testing.assert_close(small_field.rotated().gamma, 1j * small_field.gamma)
    assert small_field.rotated().kappa is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"mask": torch.zeros(24, 33, dtype=torch.bool)}, "`mask` must hold"),
        ({"sigma": torch.zeros(24, 33)}, "`sigma` must be positive"),
        ({"sigma": torch.full((24, 33), torch.nan)}, "`sigma` must be positive"),
        ({"gamma": torch.full((24, 33), torch.nan + 0j)}, "`gamma` must be finite"),
    ],
)
def test_unusable_fields_are_refused(small_field, change, word):
    with pytest.raises(ValueError, match=word):
        replace(small_field, **change)


def test_shapes_must_agree(rng):
    gamma = torch.zeros(8, 9, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"`gamma` must end in shape \(8, 8\)"):
        ShearField(Grid((8, 8)), gamma, torch.ones(8, 9), torch.ones(8, 9).bool())


def test_a_field_is_one_line_for_people():
    grid = Grid((4, 6), 0.29)
    mask = torch.zeros(grid.shape, dtype=torch.bool)
    mask[:, :3] = True
    field = ShearField(
        grid, torch.zeros(grid.shape) + 0j, torch.ones(grid.shape), mask, name="sky"
    )
    assert repr(field) == "<ShearField 'sky': 4 × 6 pixels of 0.29′, 50% observed>"
