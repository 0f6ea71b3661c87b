r"""Risk-controlling intervals: one factor λ for all pixels, with a stated confidence.

The loss of a map is the fraction of its footprint that lies outside κ̂ ± λ r; the loss L_k of a
box is the mean over its maps. Boxes are independent, pixels and maps of a box are not: the upper
bound on the mean risk counts boxes. It is the betting bound of Waudby-Smith & Ramdas,

.. math:: \hat R^+ = \sup\{R : \max_{i} K_i(R) \le 1/\delta\}, \qquad
          K_i(R) = \prod_{j \le i} \bigl(1 - \nu_j (L_j - R)\bigr),

    \nu_j = \min\Bigl(1, \sqrt{2 \ln(1/\delta) / (K \hat\sigma^2_{j-1})}\Bigr), \qquad
    \hat\mu_j = \frac{1/2 + \sum_{i \le j} L_i}{1 + j}, \qquad
    \hat\sigma^2_j = \frac{1/4 + \sum_{i \le j} (L_i - \hat\mu_i)^2}{1 + j} .

If the mean risk were R, the capital K_i(R) of a gambler who bets that losses stay below R would
be a fair game, and exceeds 1/δ with probability ≤ δ. λ is the smallest factor beyond which the
bound never rises above α again: then P(mean risk > α) ≤ δ.

References:
    Bates et al. (2021), https://arxiv.org/abs/2101.02703
    Waudby-Smith & Ramdas (2024), https://arxiv.org/abs/2010.09686
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluate.conformal import check_alpha

_HALVINGS = 40  # of the last step of a search: below float32's resolution


def box_means(values: Float[Tensor, "n *G"], boxes: Sequence[int]) -> Float[Tensor, "K *G"]:
    """Mean over the maps of each box, boxes in the order of their first map."""
    numbers = {box: i for i, box in enumerate(dict.fromkeys(boxes))}
    index = torch.tensor([numbers[box] for box in boxes])
    total = torch.zeros((len(numbers), *values.shape[1:]), dtype=torch.float64)
    total.index_add_(0, index, values.double().cpu())
    count = torch.bincount(index).double()
    return total / count.reshape(-1, *[1] * (values.ndim - 1))


def is_below(losses: Float[Tensor, "K *G"], alpha: float | Tensor, delta: float) -> Tensor:
    """Whether the upper bound on the mean of independent losses in [0, 1] is at most `alpha`.

    Args:
        losses: Of K units, in an order that does not depend on them.
        alpha: Risk to stay below.
        delta: Probability of a wrong bound.
    """
    losses = losses.double()
    growth = torch.log1p(-_stakes(losses, delta) * (losses - alpha))
    return growth.cumsum(0).max(0).values >= log(1 / delta)


def upper_bound(losses: Float[Tensor, " K"], delta: float = 0.1) -> float:
    """Upper bound on the mean of independent losses in [0, 1], wrong with probability ≤ δ."""
    _check(losses, delta)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if bool(is_below(losses, middle, delta)) else (middle, high)
    return high


def smallest_factor(
    risk: Callable[[Float[Tensor, " G"]], Float[Tensor, "K G"]],
    alpha: float,
    *,
    delta: float = 0.1,
    factors: Float[Tensor, " G"] | None = None,
) -> float:
    """The smallest λ from which on the bound on the risk stays at or below `alpha`.

    Args:
        risk: Loss of each box at given factors λ; it must not rise with λ.
        alpha: Risk allowed.
        delta: Probability that the mean risk exceeds it all the same.
        factors: Increasing λ to search between; by default 0 and 0.01 to 1000.

    Raises:
        ValueError: The bound stays above `alpha` at the largest factor.
    """
    check_alpha(alpha)
    if factors is None:
        factors = torch.cat([torch.zeros(1), torch.logspace(-2, 3, 1000)]).double()
    losses = risk(factors)
    _check(losses[:, 0], delta)
    # Losses fall with λ, the bound need not: hold it from the top down.
    good = is_below(losses, alpha, delta).flip(0).cumprod(0).flip(0).bool()
    if not bool(good[-1]):
        raise ValueError(
            f"{len(losses)} boxes cannot show a risk of at most {alpha:g} with {1 - delta:.0%} "
            f"confidence: it takes at least {fewest_boxes(alpha, delta)}, and more where maps "
            "differ"
        )
    first = int((~good).sum())
    if first == 0:
        return float(factors[0])
    low, high = float(factors[first - 1]), float(factors[first])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        at = torch.tensor([middle], dtype=torch.float64)
        below = bool(is_below(risk(at), alpha, delta))
        low, high = (low, middle) if below else (middle, high)
    return high


def fewest_boxes(alpha: float, delta: float = 0.1) -> int:
    """Boxes below which even losses of 0 prove nothing; 48 for α = 0.05, δ = 0.1."""
    count = ceil(log(1 / delta) / log(1 + alpha))  # with every stake at its largest
    while not bool(is_below(torch.zeros(count), alpha, delta)):
        count += 1
    return count


def _stakes(losses: Float[Tensor, "K *G"], delta: float) -> Float[Tensor, "K *G"]:
    """ν of each unit, from those before it."""
    n = len(losses)
    count = torch.arange(2, n + 2, dtype=torch.float64, device=losses.device)
    count = count.reshape(-1, *[1] * (losses.ndim - 1))
    mean = (0.5 + losses.cumsum(0)) / count
    var = (0.25 + ((losses - mean) ** 2).cumsum(0)) / count
    before = torch.cat([torch.full_like(var[:1], 0.25), var[:-1]])
    return torch.sqrt(2 * log(1 / delta) / (n * before)).clamp_max(1.0)


def _check(losses: Tensor, delta: float) -> None:
    if not 0 < delta < 1:
        raise ValueError(f"`delta` must lie between 0 and 1, got {delta}")
    if not bool(((losses >= 0) & (losses <= 1)).all()):
        raise ValueError("losses must be fractions between 0 and 1")
