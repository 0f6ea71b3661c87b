import pytest
import torch

from massgan_core.sky import Grid, ShearOperator
from massgan_core.sky.modes import multiplicity, shear_modes, to_modes, to_pixels

SHAPES = [(12, 14), (11, 13), (12, 13), (11, 14)]


@pytest.mark.parametrize("shape", SHAPES)
def test_there_and_back_through_a_corner(shape, rng):
    image = torch.randn(3, 5, 6, generator=rng)
    whole = torch.nn.functional.pad(image, (0, shape[1] - 6, 0, shape[0] - 5))
    modes = to_modes(image, shape)
    torch.testing.assert_close(modes, torch.fft.rfft2(whole))
    torch.testing.assert_close(to_pixels(modes, shape, (5, 6)), image)
    torch.testing.assert_close(to_pixels(modes, shape, shape), whole)


@pytest.mark.parametrize("shape", SHAPES)
def test_components_are_the_lensing_operator(shape, rng):
    """Off the Nyquist lines, where the sign of kx or ky is not known."""
    modes = torch.fft.fft2(torch.randn(shape, generator=rng))
    if shape[0] % 2 == 0:
        modes[shape[0] // 2] = 0
    if shape[1] % 2 == 0:
        modes[:, shape[1] // 2] = 0
    kappa = torch.fft.ifft2(modes).real
    parts = torch.fft.irfft2(shear_modes(Grid(shape)) * torch.fft.rfft2(kappa), s=shape)
    gamma = ShearOperator(shape)(kappa)
    torch.testing.assert_close(parts, torch.stack([gamma.real, gamma.imag]))


@pytest.mark.parametrize("shape", SHAPES)
def test_modes_count_as_often_as_they_are_there(shape, rng):
    image = torch.randn(shape, generator=rng)
    power = (torch.fft.rfft2(image).abs() ** 2 * multiplicity(Grid(shape))).sum()
    torch.testing.assert_close(power / image.numel(), (image**2).sum())
