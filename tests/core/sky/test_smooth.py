import pytest
import torch

from massgan_core.sky import Grid, MaskedSmoothing, smooth


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


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 6.0])  # 0.3: far less than a pixel
def test_many_images_of_one_mask_are_smoothed_as_one_is(sigma, rng):
    grid, mask = Grid((20, 33), 0.9), torch.rand(20, 33, generator=rng) > 0.3
    mask[:, 12:19] = False
    images = torch.randn(2, 3, 20, 33, generator=rng, dtype=torch.float64)
    found = MaskedSmoothing(grid, sigma, mask, torch.float64)(images)
    expected = smooth(images, grid, sigma, mask=mask.expand_as(images))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_negative_windows_are_refused_for_many_too():
    with pytest.raises(ValueError, match="`sigma` must be"):
        MaskedSmoothing(Grid((4, 4)), -1.0, torch.ones(4, 4).bool())
