import pytest
import torch

from massgan_core.sky import Grid, smooth


def test_a_point_becomes_a_gaussian_of_unit_sum():
    grid = Grid((64, 64), 0.5)
    point = torch.zeros(64, 64, dtype=torch.float64)
    point[32, 32] = 1
    out = smooth(point, grid, 1.5)
    torch.testing.assert_close(out.sum(), torch.tensor(1.0, dtype=torch.float64))
    # Half-width: exp(-r²/2s²) at 1.5′ = 3 pixels.
    ratio = out[32, 35] / out[32, 32]
    torch.testing.assert_close(ratio, torch.exp(torch.tensor(-0.5, dtype=torch.float64)))


def test_masked_smoothing_keeps_a_constant_and_ignores_what_is_masked(rng):
    grid, mask = Grid((20, 30), 1.0), torch.rand(20, 30, generator=rng) > 0.4
    image = torch.where(mask, 3.0, 1e6)
    out = smooth(image, grid, 2.0, mask=mask)
    torch.testing.assert_close(out[mask], torch.full_like(out[mask], 3.0))
    assert (out[~mask] == 0).all()


def test_masked_smoothing_does_not_wrap(rng):
    grid, image = Grid((40, 40), 1.0), torch.zeros(40, 40)
    image[:, 0] = 1.0
    out = smooth(image, grid, 2.0, mask=torch.ones(40, 40).bool())
    assert out[20, 39].abs() < 1e-4 < 0.1 < out[20, 1]


def test_negative_windows_are_refused():
    with pytest.raises(ValueError, match="`sigma` must be"):
        smooth(torch.zeros(4, 4), Grid((4, 4)), -1.0)
