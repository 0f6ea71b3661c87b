r"""Denoising score matching: the loss, and how good the denoiser is.

With x = κ + t u and the Gaussian denoiser's rms error e_t,

.. math:: L = \left\langle \left| F_\theta(x, t) - \frac{\kappa - D_G(x)}{e_t} \right|^2
          \right\rangle = \left\langle \frac{|D(x) - \kappa|^2}{e_t^2} \right\rangle ,

the squared error of the denoiser over that of the Gaussian one: 1 for the Gaussian prior at
every t, so that no noise level drowns the others. The noise is added, and the Gaussian denoiser
applied, on the large periodic map; then both are cut, as the sampler cuts its padded grid.

References:
    Vincent (2011), https://doi.org/10.1162/NECO_a_00142
    Remy et al. (2023), https://arxiv.org/abs/2201.05561
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.score.prior import ErrorRatio, Prior
from massgan_core.sky import Grid, PowerSpectrum, band_power
from massgan_core.sky.modes import to_pixels


@dataclass(frozen=True)
class Noised:
    """Cut-outs of noised maps: κ, κ_t and its Gaussian denoised map [B, h, w]; t and e_t [B]."""

    kappa: Tensor
    noisy: Tensor
    gaussian: Tensor
    t: Tensor
    error: Tensor


def noise_levels(
    n: int, low: float, high: float, generator: torch.Generator
) -> Float[Tensor, " n"]:
    """`n` log-uniform noise levels, one in each n-th of the range, in random order."""
    place = (torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)) / n
    return torch.exp(log(low) + (log(high) - log(low)) * place)


def noised(
    prior: Prior,
    kappa: Float[Tensor, "B Y X"],
    t: Float[Tensor, " B"],
    white: Float[Tensor, "B Y X"],
) -> tuple[Float[Tensor, "B Y X"], Float[Tensor, "B Y X"]]:
    """Large maps with noise of level t, and what the Gaussian denoiser makes of them."""
    noisy = kappa + t[:, None, None] * white
    shape = prior.grid.shape
    modes = prior.gaussian(torch.fft.rfft2(noisy), t)
    return noisy, to_pixels(modes, shape, shape)


def denoising_loss(prior: Prior, part: Noised) -> Float[Tensor, " B"]:
    """Squared error of the denoiser over the Gaussian one's expected one, of each map."""
    target = (part.kappa - part.gaussian) / part.error[:, None, None]
    return ((learned(prior, part) - target) ** 2).mean((-2, -1))


def learned(prior: Prior, part: Noised) -> Float[Tensor, "B h w"]:
    """F: the network's correction in units of e_t."""
    return prior.correction(part.noisy, part.gaussian, part.t)


def error_power(
    error: Float[Tensor, "B h w"], grid: Grid, edges: np.ndarray
) -> Float[Tensor, " L"]:
    """Mean C_ℓ of error maps between consecutive `edges`, under a Hann window."""
    window = torch.outer(*(torch.hann_window(n, periodic=False).double() for n in grid.shape))
    power = band_power(window * error.double().cpu(), grid, edges)[1].mean(0)
    return power / (window**2).mean()


def band_mean(
    power: PowerSpectrum, t: float, grid: Grid, edges: np.ndarray
) -> Float[Tensor, " L"]:
    """C_ℓ of the Gaussian denoiser's error, averaged over the modes between the `edges`."""
    plane = power.on(grid)
    plane = plane if t == float("inf") else plane * _white(t, grid) / (plane + _white(t, grid))
    band = torch.bucketize(grid.multipoles(), torch.from_numpy(edges), right=True) - 1
    return torch.stack([plane[band == i].mean() for i in range(len(edges) - 1)])


def _white(t: float, grid: Grid) -> float:
    """C_ℓ of white noise of std t in a pixel."""
    return t**2 * grid.pixel_area


def make_ratio(
    edges: np.ndarray, levels: list[float], rows: list[Tensor], *, limit: float = 10.0
) -> ErrorRatio:
    """Measured over expected error power as a table; the last row belongs to t = ∞.

    Args:
        edges: Of the bands [L + 1].
        levels: Noise levels t/σ_κ, increasing, ∞ left out [T].
        rows: T + 1 rows [L].
        limit: The ratio is held within 1/limit … limit.
    """
    ell = np.sqrt(edges[1:] * edges[:-1])
    table = [tuple(row.clamp(1 / limit, limit).tolist()) for row in rows]
    return ErrorRatio(tuple(ell.tolist()), (*levels, float("inf")), tuple(table))
