from math import pi

import pytest
import torch

from massgan_core.simulate.resample import resample


def wave(shape, ky, kx, *, scale=1.0, start=(0.0, 0.0), phase=0.3):
    """cos(2π k·x) at the centres of pixels of side `scale` beginning at `start`."""
    y, x = (s + (torch.arange(n) + 0.5) * scale for s, n in zip(start, shape, strict=True))
    return torch.cos(2 * pi * (ky * y.double()[:, None] + kx * x.double()[None, :]) + phase)


def test_whole_pixels_are_cut(rng):
    image = torch.randn(20, 31, generator=rng)
    assert torch.equal(resample(image, (3, 5), 1.0, (10, 12)), image[3:13, 5:17])


def test_a_cut_needs_no_interpolation_but_would_survive_it(rng):
    """The limit of the general formula: a step of nearly 1 gives nearly the same pixels."""
    image = torch.randn(24, 24, generator=rng, dtype=torch.float64)
    near = resample(image, (3, 5), 1 + 1e-5, (10, 12))
    torch.testing.assert_close(near, image[3:13, 5:17], atol=5e-3, rtol=0)


@pytest.mark.parametrize("many", [2, 4])
def test_large_pixels_are_block_means_and_small_ones_average_to_the_old(rng, many):
    image = torch.randn(32, 24, generator=rng, dtype=torch.float64)
    blocks = image.reshape(32 // many, many, 24 // many, many).mean((1, 3))
    got = resample(image, (0, 0), float(many), (32 // many, 24 // many))
    torch.testing.assert_close(got, blocks)
    fine = resample(image, (0, 0), 1 / many, (32 * many, 24 * many))
    torch.testing.assert_close(fine.reshape(32, many, 24, many).mean((1, 3)), image)


@pytest.mark.parametrize(("step", "n"), [(0.8, 20), (1.25, 16), (0.96, 25)])
def test_the_mean_over_the_same_area_is_kept(rng, step, n):
    """16, 20 and 24 old pixels: a region of whole old pixels has their mean exactly."""
    image = torch.randn(40, 40, generator=rng, dtype=torch.float64)
    side = round(n * step)
    got = resample(image, (7, 3), step, (n, n))
    torch.testing.assert_close(got.mean(), image[7 : 7 + side, 3 : 3 + side].mean())


@pytest.mark.parametrize("step", [0.98987, 0.7, 1.3])
def test_a_wave_keeps_amplitude_and_place(step):
    """Well below Nyquist, away from the edges, whichever way it runs."""
    start, shape = (40.0, 52.5), (60, 50)
    for ky, kx in ((0.05, 0.0), (0.0, 0.08), (0.06, -0.04)):
        image = wave((200, 180), ky, kx)
        got = resample(image, start, step, shape)
        k = torch.tensor([ky, kx], dtype=torch.float64)
        window = (torch.sinc(k * step) / torch.sinc(k)).prod()
        want = window * wave(shape, ky, kx, scale=step, start=start)
        torch.testing.assert_close(got, want, atol=2e-3, rtol=0)
        assert abs(window - 1) < 0.02


def test_white_noise_keeps_its_power_at_nearly_the_same_scale(rng):
    """Linear interpolation would lose half of it where pixels straddle."""
    image = torch.randn(128, 128, generator=rng, dtype=torch.float64)
    got = resample(image, (2, 2), 0.98987, (120, 120))
    torch.testing.assert_close(got.std(), image.std(), rtol=0.05, atol=0)


def test_dtype_follows_and_leaving_the_image_is_refused():
    image = torch.zeros(16, 16)
    assert resample(image, (0, 0), 0.5, (8, 8)).dtype == torch.float32
    for start, step, shape in (
        ((0, 9), 1.0, (8, 8)),
        ((-1, 0), 1.0, (4, 4)),
        ((0, 0), 1.1, (8, 15)),
    ):
        with pytest.raises(ValueError, match="must lie inside the image"):
            resample(image, start, step, shape)
