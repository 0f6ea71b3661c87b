r"""Is the spread right where it matters? Spread/skill by level, at peaks and when smoothed.

.. math:: s^2 = \frac{(1 + 1/N)\,\sum \mathrm{var}}{\sum (\hat x_N - x)^2}

with sums over some of the footprint's pixels, after map and truth have lost their mean over the
*whole* footprint. The functions return the two sums of every map; they add up over maps, and
their paired ratio has a bootstrap (:func:`massgan_core.evaluate.paired_ratio`).

**Selection.** Pixels picked by the samples' own std or mean are picked for their sampling noise
too: the std of N samples scatters by 1/√(2N − 2), 9 % at N = 64. An exact posterior whose std is
the same everywhere then shows s = 0.84 in the lowest decile and 1.16 in the highest; its MEAN
stands a little too high at its peaks. Pick with one half of the samples and measure with the
other, and an exact posterior gives 1 and no bias.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massgan_core.sky import Grid, remove_mean, smooth


def spread_and_error(
    mean: Float[Tensor, "*B H W"],
    var: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    where: Bool[Tensor, "*B H W"],
    n: float,
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """Sums over `where` of (1 + 1/N)·var and of the squared error, for every map.

    Args:
        mean: Mean of `n` samples that lost their footprint mean.
        var: Their variance (ddof = 1).
        truth: True κ.
        area: Footprint, whose mean is removed.
        where: Pixels that count.
        n: Number of samples; ``inf`` where `mean` and `var` are exact.
    """
    error = (remove_mean(mean.double(), area) - remove_mean(truth.double(), area)) ** 2
    spread = (1 + 1 / n) * var.double()
    return (spread * where).sum((-2, -1)), (error * where).sum((-2, -1))


def by_level(
    mean: Float[Tensor, "*B H W"],
    var: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    level: Int[Tensor, "*B H W"],
    n: float,
    bins: int = 10,
) -> tuple[Float[Tensor, "*B K"], Float[Tensor, "*B K"]]:
    """The sums of :func:`spread_and_error` for each level 0 … K − 1, for every map.

    Args:
        mean, var, truth, area, n: As in :func:`spread_and_error`.
        level: Of each pixel, from :func:`levels`.
        bins: Number of levels K.
    """
    sums = [spread_and_error(mean, var, truth, area, level == k, n) for k in range(bins)]
    spread, error = (torch.stack(x, -1) for x in zip(*sums, strict=True))
    return spread, error


def levels(
    std: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"], bins: int = 10
) -> Int[Tensor, "*B H W"]:
    """Level 0 … K − 1 of each pixel: its decile, for K = 10; −1 outside the footprint.

    Args:
        std: Of the samples.
        area: Footprint; its pixels in all maps together are shared out evenly.
        bins: Number of levels K.
    """
    inside = std[area].sort().values
    edges = inside[torch.arange(1, bins, device=std.device) * len(inside) // bins]
    level = torch.bucketize(std, edges, right=True)
    return torch.where(area, level, -1)


def top(
    mean: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"], share: float = 0.01
) -> Bool[Tensor, "*B H W"]:
    """The `share` of each map's footprint `area` where `mean` is highest: its peaks."""
    low = torch.where(area, mean, -torch.inf).flatten(-2)
    count = torch.round(share * area.sum((-2, -1), keepdim=True).flatten(-2)).clamp_min(1)
    order = low.sort(-1, descending=True).values
    threshold = order.gather(-1, count.long() - 1)[..., None]
    return area & (mean >= threshold)


def estimate_and_truth(
    mean: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    where: Bool[Tensor, "*B H W"],
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """Sums over `where` of estimated and of true κ, the footprint mean removed, for every map.

    Their ratio less one is the relative bias of κ at peaks, where `where` is :func:`top`.

    Args:
        mean: Estimate of κ.
        truth: True κ.
        area: Footprint, whose mean is removed.
        where: Pixels that count.
    """
    maps = (remove_mean(m.double(), area) * where for m in (mean, truth))
    estimate, true = (m.sum((-2, -1)) for m in maps)
    return estimate, true


def limit_of_r(
    mean: Float[Tensor, "*B H W"],
    var: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    n: float,
) -> Float[Tensor, "*B"]:
    r"""Pearson r of the mean of ∞ samples over that of the mean of `n`, for every map.

    .. math:: \sqrt{v / (v - \langle\mathrm{var}\rangle / N)},
              \qquad v = \mathrm{var}_\mathrm{pixels}(\hat x_N)

    The scatter of `n` samples adds to the mean's power and to no correlation with the truth: at
    N = 64 under the COSMOS noise it costs 1.8 % of r. A filter that gives its mean at once does
    not pay it.

    Args:
        mean, var, area, n: As in :func:`spread_and_error`.
    """
    count = area.sum((-2, -1))
    power = (remove_mean(mean.double(), area) ** 2 * area).sum((-2, -1)) / count
    scatter = (var.double() * area).sum((-2, -1)) / count / n
    return torch.sqrt(power / (power - scatter))


def smoothed(
    kappa: Float[Tensor, "*B H W"], grid: Grid, width: float, area: Bool[Tensor, "H W"]
) -> Float[Tensor, "*B H W"]:
    """κ smoothed inside the footprint, its mean there removed; 0 outside.

    Args:
        kappa: Maps.
        grid: Pixels.
        width: Std of the Gaussian [arcmin].
        area: Footprint.
    """
    mask = area.expand_as(kappa)
    return remove_mean(smooth(kappa, grid, width, mask=mask), area) * area
