r"""Do single samples look like κ? Power, one-point PDF and peak counts, sample and truth alike.

Both lose their footprint mean and pass the same window (the footprint, cut hard), so only
ratios mean anything. Everything is a sum or mean of one map: ratios are taken of means over maps.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.sky import Grid, band_power, local_maxima, remove_mean

#: Edges in ℓ: eight bins from 300 to 6,000, two to 12,000.
EDGES = np.concatenate([np.geomspace(300, 6000, 9), np.geomspace(6000, 12000, 3)[1:]])


def windowed_power(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    edges: ArrayLike = EDGES,
) -> Float[Tensor, "*B K"]:
    """Band power of κ, its mean removed, cut to the footprint: comparable with its like only."""
    return band_power(remove_mean(kappa, area) * area, grid, edges)[1]


def within(edges: ArrayLike, low: float, high: float) -> Bool[np.ndarray, " K"]:
    """Which bins lie wholly between `low` and `high`."""
    edges = np.asarray(edges, float)
    return (edges[:-1] >= low * (1 - 1e-9)) & (edges[1:] <= high * (1 + 1e-9))


def central_moments(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"]
) -> Float[Tensor, "*B 2"]:
    """Second and third central moment of κ in the footprint, float64."""
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
    """Footprint pixels of all maps with κ, its mean removed, between consecutive `edges`."""
    values = remove_mean(kappa, area)[area.expand_as(kappa)]
    return _counts(values, edges)


def peak_counts(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"], edges: ArrayLike
) -> Float[Tensor, "*B K"]:
    """Local maxima with heights between consecutive `edges`, for every map.

    Args:
        kappa: Smoothed κ without its footprint mean.
        area: Footprint; a peak and its 8 neighbours lie inside.
        edges: Heights, in units of κ.
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
