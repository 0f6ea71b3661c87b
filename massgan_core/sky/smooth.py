"""Gaussian smoothing on the flat sky."""

from __future__ import annotations

from math import sqrt

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
    return torch.where(mask, total / norm.clamp_min(sqrt(torch.finfo(image.dtype).tiny)), 0.0)
