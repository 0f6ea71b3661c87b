r"""Scores inside the footprint, after the footprint mean is removed from map and truth alike.

PSNR is that of the published tables, with MAX = 1.

References:
    Whitney et al. (2024), https://arxiv.org/abs/2410.24197 (PSNR)
    Fortin et al. (2014), https://doi.org/10.1175/JHM-D-14-0008.1 (spread/skill)
"""

from __future__ import annotations

from math import log10

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky import remove_mean


def pearson(
    estimate: Float[Tensor, "*B H W"], truth: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> Float[Tensor, "*B"]:
    """Pearson r of each `estimate` with its `truth` over the footprint `area`."""
    a, b = (remove_mean(m.double(), area) * area for m in (estimate, truth))
    return (a * b).sum((-2, -1)) / torch.sqrt((a**2).sum((-2, -1)) * (b**2).sum((-2, -1)))


def mean_square(
    estimate: Float[Tensor, "*B H W"], truth: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> Float[Tensor, "*B"]:
    """Mean squared error of each `estimate` of `truth` over the footprint `area`."""
    error = remove_mean(estimate.double(), area) - remove_mean(truth.double(), area)
    return (error**2 * area).sum((-2, -1)) / area.sum((-2, -1))


def rmse(
    estimate: Float[Tensor, "*B H W"], truth: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> Float[Tensor, "*B"]:
    """Root mean squared error of each `estimate` of `truth` over the footprint `area`."""
    return torch.sqrt(mean_square(estimate, truth, area))


def psnr(error: float, maximum: float = 1.0) -> float:
    """Peak signal-to-noise ratio [dB] of an RMSE `error`, both it and `maximum` in units of κ."""
    return -20 * log10(error / maximum)


def spread_skill(
    mean: Float[Tensor, "*B H W"],
    var: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    n: int,
) -> Float[Tensor, ""]:
    r"""√[(1 + 1/N)·⟨var⟩ / ⟨(x̂_N − x)²⟩] over footprint and maps; 1 for true posterior samples.

    Args:
        mean: Mean of `n` samples that lost their footprint mean.
        var: Their variance (ddof = 1).
        truth: True κ.
        area: Footprint.
        n: Number of samples.
    """
    error = (remove_mean(mean.double(), area) - remove_mean(truth.double(), area)) ** 2
    spread = (var.double() * area).sum() / area.sum()
    return torch.sqrt((1 + 1 / n) * spread / ((error * area).sum() / area.sum()))
