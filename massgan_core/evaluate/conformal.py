r"""Conformal intervals of κ: a margin learned from maps whose truth is known.

A score says by how much a simulated truth leaves the samples' own interval, two ways:

.. math:: s = \frac{|\hat\kappa - \kappa|}{r}, \qquad
          s = \max(\mathrm{lo} - \kappa,\ \kappa - \mathrm{hi})

(normalised residual, r the std of the samples; conformalised quantile regression, lo and hi
their quantiles). With λ the ⌈(1−α)(n+1)⌉-th smallest of n scores, the intervals
:math:`\hat\kappa \pm \lambda r` and :math:`[\mathrm{lo} - \lambda,\ \mathrm{hi} + \lambda]` miss
the truth of one more exchangeable map with probability at most α, and at least α − 1/(n+1) where
scores do not tie. λ is one of the scores: an interpolated quantile has no such guarantee.

**Units.** Where several scores belong to one unit (pixels of a map, maps of a box), a unit k with
m_k scores gives each the mass 1/((K+1) m_k), the unit to come keeps 1/(K+1) at infinity, and λ is
the smallest score that gathers 1−α. For m_k = 1 this is the rank above. Weighted units share
K/(K+1) by their weights.

References:
    Romano, Patterson & Candès (2019), https://arxiv.org/abs/1905.03222
    Lee, Barber & Willett (2023), https://arxiv.org/abs/2306.06342
    Leterme, Tersenov, Fadili & Starck (2025), https://arxiv.org/abs/2408.07386
"""

from __future__ import annotations

from math import ceil

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

#: Masses are sums of many fractions in float64: 0.95 must be reached where it is meant to be.
_ROUNDING = 1e-9


def residual_score(
    mean: Float[Tensor, "*S"], std: Float[Tensor, "*S"], truth: Float[Tensor, "*S"]
) -> Float[Tensor, "*S"]:
    """|κ̂ − κ|/r: the margin, in units of the samples' std, that just holds the truth."""
    return (mean - truth).abs() / std


def quantile_score(
    low: Float[Tensor, "*S"], high: Float[Tensor, "*S"], truth: Float[Tensor, "*S"]
) -> Float[Tensor, "*S"]:
    """max(lo − κ, κ − hi): by how much κ leaves the interval; negative inside."""
    return torch.maximum(low - truth, truth - high)


def order_statistic(
    scores: Float[Tensor, "n *S"],
    alpha: float,
    units: Int[Tensor, " n"] | None = None,
    weights: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, "*S"]:
    """λ from n scores, for each of the trailing axes; ∞ where the units are too few.

    Args:
        scores: Of the calibration set.
        alpha: Probability to miss, between 0 and 1.
        units: Which unit each score belongs to; by default each is one of its own.
        weights: Of the scores' units; by default all alike. Only their ratios count.
    """
    check_alpha(alpha)
    if units is None:
        units = torch.arange(len(scores))
    _, index, count = torch.unique(units.cpu(), return_inverse=True, return_counts=True)
    mass = 1 / ((len(count) + 1) * count[index].double())
    if weights is not None:
        mass = mass * weights.cpu().double()
        mass *= len(count) / (len(count) + 1) / mass.sum()
    ordered, order = scores.sort(0)
    gathered = mass.to(scores.device)[order].cumsum(0)
    place = (gathered < 1 - alpha - _ROUNDING).sum(0, keepdim=True)
    never = torch.full_like(ordered[:1], torch.inf)
    return torch.cat([ordered, never]).gather(0, place)[0]


def fewest_units(alpha: float) -> int:
    """Units below which no finite λ exists: the smallest K with ⌈(1−α)(K+1)⌉ ≤ K."""
    check_alpha(alpha)
    return ceil(1 / alpha - _ROUNDING) - 1


def missed(
    low: Float[Tensor, "*B H W"],
    high: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
) -> Float[Tensor, "*B"]:
    """Fraction of each map's footprint whose truth lies outside [low, high]."""
    outside = ~((low <= truth) & (truth <= high)) & area
    return outside.sum((-2, -1)).double() / area.sum((-2, -1))


def passes(miss: float, error: float, alpha: float) -> bool:
    """Whether a measured miscoverage ± std error agrees with α, or falls below it by ≤ 0.01."""
    return alpha - 0.01 - 2 * error <= miss <= alpha + 2 * error


def check_alpha(alpha: float) -> None:
    """Raise a ValueError unless `alpha` is a probability to miss."""
    if not 0 < alpha < 1:
        raise ValueError(f"`alpha` must lie between 0 and 1, got {alpha}")
