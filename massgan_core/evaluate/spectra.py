r"""Do single samples look like κ? Power, one-point PDF and peak counts, sample and truth alike.

Both lose their footprint mean and pass the same window (the footprint, cut hard), so only
ratios mean anything. Everything is a sum or mean of one map: ratios are taken of means over maps.
"""

from __future__ import annotations

from math import pi

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.sky import Grid, PowerSpectrum, band_power, local_maxima, remove_mean
from massgan_core.sky.spectrum import band_means

#: Edges in ℓ: eight bins from 300 to 6,000, two to 12,000.
EDGES = np.concatenate([np.geomspace(300, 6000, 9), np.geomspace(6000, 12000, 3)[1:]])


def windowed_power(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    edges: ArrayLike = EDGES,
) -> Float[Tensor, "*B K"]:
    """Band power of κ, its mean removed, cut to the footprint: comparable with its like only.

    Args:
        kappa: Maps.
        grid: Pixels.
        area: Footprint.
        edges: Of the bins in ℓ, increasing [K + 1].
    """
    return band_power(remove_mean(kappa, area) * area, grid, edges)[1]


def windowed_theory(
    power: PowerSpectrum,
    grid: Grid,
    area: Bool[Tensor, "H W"],
    edges: ArrayLike = EDGES,
) -> Float[Tensor, " K"]:
    r"""Mean of :func:`windowed_power` over skies of spectrum `power`; no sky is drawn.

    With the window w, A = Σw pixels and ξ the covariance of two pixels, a map cut and freed of
    its mean has

    .. math:: P(\ell) \propto \widehat{\xi\,(w \star w)} - 2\,\mathrm{Re}\,
              \widehat{w u}\,\hat w^* + v\,|\hat w|^2, \qquad
              u = \frac{\xi * w}{A}, \qquad v = \frac{\sum w u}{A}

    Skies are periodic on twice the field, as simulated ones are before they are cut.

    Args:
        power: C_ℓ of κ.
        grid: Pixels.
        area: Footprint.
        edges: Bin edges in ℓ.
    """
    height, width = grid.shape
    large = Grid((2 * height, 2 * width), grid.pixel_scale)
    c_ell, count = power.on(large) / grid.pixel_area, area.sum()
    window = torch.nn.functional.pad(area.double(), (0, width, 0, height))
    modes = torch.fft.fft2(window)
    pairs = torch.fft.ifft2(modes.abs() ** 2).real  # pixels of the window at each distance
    first = torch.fft.fft2(torch.fft.ifft2(c_ell).real * pairs).real[::2, ::2]
    u = torch.fft.ifft2(c_ell * modes).real * window / count
    cross = (torch.fft.fft2(u) * modes.conj()).real[::2, ::2]
    own = u.sum() / count * modes[::2, ::2].abs() ** 2
    total = (first - 2 * cross + own) * grid.pixel_area / (height * width)
    return band_means(total, grid, edges)[1]


def power_per_log(
    power: Float[Tensor, "*B K"], grid: Grid, edges: ArrayLike
) -> tuple[Float[Tensor, " J"], Float[Tensor, "*B J"]]:
    """Mean ℓ of the bins that hold modes, and ℓ² C_ℓ / 2π there, the variance per unit of ln ℓ.

    Args:
        power: From :func:`windowed_power` or :func:`windowed_theory`, on the same `edges`.
        grid: Pixels.
        edges: Bin edges in ℓ.
    """
    ell, _ = band_means(torch.zeros(grid.shape, dtype=torch.float64), grid, edges)
    there = ell.isfinite()
    ell = ell[there]
    return ell, power[..., there] * ell**2 / (2 * pi)


def within(edges: ArrayLike, low: float, high: float) -> Bool[np.ndarray, " K"]:
    """Which bins lie wholly between `low` and `high`."""
    edges = np.asarray(edges, float)
    return (edges[:-1] >= low * (1 - 1e-9)) & (edges[1:] <= high * (1 + 1e-9))


def central_moments(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"]
) -> Float[Tensor, "*B 2"]:
    """Second and third central moment of `kappa` in the footprint `area`, float64."""
    centred = remove_mean(kappa.double(), area) * area
    count = area.sum((-2, -1))
    return torch.stack([(centred**p).sum((-2, -1)) / count for p in (2, 3)], -1)


def std_and_skewness(
    moments: Float[Tensor, "*F 2"],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Std and skewness of the pixels of all maps together, from :func:`central_moments`."""
    second, third = moments.reshape(-1, 2).mean(0)
    return torch.sqrt(second), third / second**1.5


def value_counts(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"], edges: ArrayLike
) -> Float[Tensor, " K"]:
    """Footprint pixels of all maps with κ, its mean removed, between consecutive `edges`.

    Args:
        kappa: Maps.
        area: Footprint.
        edges: Of the bins in κ, increasing [K + 1].
    """
    values = remove_mean(kappa, area)[area.expand_as(kappa)]
    return _counts(values, edges)


def densities(
    kappa: Float[Tensor, "N H W"], area: Bool[Tensor, "H W"], edges: ArrayLike
) -> Float[Tensor, "N K"]:
    """One-point PDF of κ of each map: share of its footprint pixels in a bin, per unit of κ."""
    counts = torch.stack([value_counts(one, area, edges) for one in kappa])
    return counts / (area.sum() * torch.as_tensor(np.diff(np.asarray(edges, float))))


def peak_counts(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"], edges: ArrayLike
) -> Float[Tensor, "*B K"]:
    """Local maxima with heights between consecutive `edges`, for every map.

    Args:
        kappa: Smoothed κ without its footprint mean.
        area: Footprint; a peak and its 8 neighbours lie inside.
        edges: Heights, in units of κ, increasing [K + 1].
    """
    peaks = local_maxima(kappa, area)
    maps = zip(
        kappa.reshape(-1, *kappa.shape[-2:]), peaks.reshape(-1, *kappa.shape[-2:]), strict=True
    )
    counts = torch.stack([_counts(one[at], edges) for one, at in maps])
    return counts.reshape(*kappa.shape[:-2], -1)


def _counts(values: Float[Tensor, " M"], edges: ArrayLike) -> Float[Tensor, " K"]:
    edges = torch.as_tensor(np.asarray(edges, float), device=values.device)
    index = torch.bucketize(values.double(), edges, right=True)
    return torch.bincount(index, minlength=len(edges) + 1)[1 : len(edges)].double()
