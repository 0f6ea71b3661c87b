"""Gaussian smoothing on the flat sky."""

from __future__ import annotations

from math import pi, sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky.grid import ARCMIN, Grid


def gaussian_window(grid: Grid, sigma: float, like: Tensor) -> Float[Tensor, "H W"]:
    """Fourier transform exp(−ℓ²σ²/2) of a Gaussian of std `sigma` [arcmin]."""
    ell = grid.multipoles()
    return torch.exp(-0.5 * (ell * sigma * ARCMIN) ** 2).to(like.device, like.real.dtype)


def smooth(
    image: Float[Tensor, "*B H W"],
    grid: Grid,
    sigma: float,
    *,
    mask: Bool[Tensor, "*B H W"] | None = None,
) -> Float[Tensor, "*B H W"]:
    """Convolve `image`, on the pixels of `grid`, with a Gaussian of std `sigma` [arcmin].

    Without `mask` the field is periodic. With `mask` it is padded and every pixel is the
    weighted mean of the True pixels around it (normalised convolution); elsewhere 0.

    Raises:
        ValueError: `sigma` is negative.
    """
    if sigma < 0:
        raise ValueError(f"`sigma` must be ≥ 0 [arcmin], got {sigma}")
    if sigma == 0:
        return image if mask is None else torch.where(mask, image, 0.0)
    if mask is None:
        window = gaussian_window(grid, sigma, image)
        return torch.fft.ifft2(window * torch.fft.fft2(image)).real
    margin = int(4 * sigma / grid.pixel_scale + 1)
    height, width = grid.shape
    padded = Grid((height + margin, width + margin), grid.pixel_scale)
    weight = mask.to(image.dtype)
    both = torch.stack([torch.where(mask, image, 0.0), weight.expand_as(image)])
    both = smooth(torch.nn.functional.pad(both, (0, margin, 0, margin)), padded, sigma)
    total, norm = both[..., :height, :width]
    return torch.where(mask, total / _positive(norm), 0.0)


class MaskedSmoothing:
    """:func:`smooth` with one mask for many images: two matrix products each.

    A Gaussian is a product of one along y and one along x; each is a matrix, made once, and so
    is the norm. The same as :func:`smooth` up to rounding.

    Args:
        grid: Of the images.
        sigma: Std of the Gaussian ≥ 0 [arcmin].
        mask: True where an image counts.
        dtype: Of the images.
    """

    def __init__(
        self,
        grid: Grid,
        sigma: float,
        mask: Bool[Tensor, "H W"],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if sigma < 0:
            raise ValueError(f"`sigma` must be ≥ 0 [arcmin], got {sigma}")
        self.mask = mask
        self._rows, self._columns = (
            _along(n, sigma / grid.pixel_scale).to(mask.device, dtype) for n in grid.shape
        )
        self._norm = _positive(self._convolve(mask.to(dtype)))

    def __call__(self, images: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B H W"]:
        """Every pixel as the weighted mean of the True pixels around it; elsewhere 0."""
        total = self._convolve(torch.where(self.mask, images, 0.0))
        return torch.where(self.mask, total / self._norm, 0.0)

    def _convolve(self, images: Tensor) -> Tensor:
        return self._rows @ images @ self._columns  # both are symmetric


def _along(n: int, sigma: float) -> Float[Tensor, "n n"]:
    """What a Gaussian of std `sigma` [pixels] makes of a row of `n` pixels, padded as above."""
    padded = n + int(4 * sigma + 1)
    turns = 2 * pi * torch.fft.rfftfreq(padded, dtype=torch.float64)
    kernel = torch.fft.irfft(torch.exp(-0.5 * (turns * sigma) ** 2), padded)
    place = torch.arange(n)
    return kernel[(place[:, None] - place) % padded]


def _positive(norm: Tensor) -> Tensor:
    return norm.clamp_min(sqrt(torch.finfo(norm.dtype).tiny))
