"""Real fields as modes of ``rfft2`` on a padded grid, and as pixels of its first corner.

The field is the corner [0:h, 0:w] of a periodic grid of H × W pixels. Rows that would be empty,
or thrown away, are not transformed: a quarter of the arithmetic of ``rfft2`` less.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.lensing import ShearOperator
from massgan_core.sky.spectrum import PowerSpectrum


def to_modes(image: Float[Tensor, "*B h w"], shape: tuple[int, int]) -> Complex[Tensor, "*B H K"]:
    """``rfft2`` of an image that is zero outside its corner of a grid of `shape`."""
    rows = torch.fft.rfft(image, n=shape[1], dim=-1)
    return torch.fft.fft(rows, n=shape[0], dim=-2)


def to_pixels(
    modes: Complex[Tensor, "*B H K"], shape: tuple[int, int], part: tuple[int, int]
) -> Float[Tensor, "*B h w"]:
    """The corner of `part` = (h, w) pixels of the image on a grid of `shape`."""
    rows = torch.fft.ifft(modes, dim=-2)[..., : part[0], :]
    return torch.fft.irfft(rows, n=shape[1], dim=-1)[..., : part[1]]


def half(plane: Tensor) -> Tensor:
    """The half of an ``fft2`` plane that ``rfft2`` keeps."""
    return plane[..., : plane.shape[-1] // 2 + 1]


def multiplicity(grid: Grid, device: torch.device | None = None) -> Float[Tensor, " K"]:
    """How many modes of the whole plane each column of the half plane stands for."""
    width = grid.shape[1]
    twice = torch.full((width // 2 + 1,), 2.0, device=device)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    return twice


def prior_variance(
    power: PowerSpectrum, grid: Grid, device: torch.device | None = None
) -> Float[Tensor, "H K"]:
    """S on the half plane, in units in which white noise of unit pixels has 1."""
    return half(power.on(grid) / grid.pixel_area).float().to(device)


def shear_modes(grid: Grid, device: torch.device | None = None) -> Float[Tensor, "2 H K"]:
    """D1 = (kx² − ky²)/k² and D2 = 2 kx ky/k² on the half plane.

    On the Nyquist lines kx or ky has no sign, so D2 is zero there: γ2 stays real.
    """
    return _shear_modes(tuple(grid.shape), str(device or "cpu"))


@lru_cache(maxsize=8)
def _shear_modes(shape: tuple[int, int], device: str) -> Float[Tensor, "2 H K"]:
    """Training asks for the same ones at each step, where they are needed."""
    kernel = half(ShearOperator(shape).kernel(torch.empty(shape, device=device)))
    second = kernel.imag.clone()
    height, width = shape
    if height % 2 == 0:
        second[height // 2] = 0
    if width % 2 == 0:
        second[:, width // 2] = 0
    return torch.stack([kernel.real, second])
