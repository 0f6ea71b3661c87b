r"""Ratios of mean scores with an error from boxes, the units that are independent.

.. math:: R = \frac{\sum_f a_f}{\sum_f b_f}

a and b are scores of two methods on the *same* fields: what makes a field hard for both drops
out. Redrawing whole boxes, not fields, keeps what fields of one box have in common.

References:
    Efron & Tibshirani (1993), An Introduction to the Bootstrap
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.sky import generator

_BOOTSTRAP = 91  # key of the random stream behind a seed


def box_weights(boxes: Sequence[int], draws: int = 1000, seed: int = 0) -> Float[Tensor, "D F"]:
    """How often each field counts when as many boxes as there are get drawn with replacement.

    Args:
        boxes: Box of each field.
        draws: Number of bootstrap sets D.
        seed: Of the draws.
    """
    index = torch.unique(torch.tensor(list(boxes)), return_inverse=True)[1]
    count = int(index.max()) + 1
    drawn = torch.randint(count, (draws, count), generator=generator(seed, _BOOTSTRAP))
    times = torch.zeros(draws, count, dtype=torch.float64)
    times.scatter_add_(1, drawn, torch.ones(draws, count, dtype=torch.float64))
    return times[:, index]


def paired_ratio(
    first: Float[Tensor, "F *K"],
    second: Float[Tensor, "F *K"],
    boxes: Sequence[int],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[Float[Tensor, "*K"], Float[Tensor, "*K"]]:
    """Ratio of the means of two scores over fields, and its std error over boxes.

    Args:
        first: Score of each field (or a column of them), e.g. Pearson r of one method.
        second: Of another method on the same fields.
        boxes: Box of each field.
        draws: Bootstrap sets.
        seed: Of the bootstrap.

    Returns:
        Ratio and standard error; the error is NaN where there is one box only.
    """
    first, second = first.double(), second.double()
    ratio = first.sum(0) / second.sum(0)
    if len(set(boxes)) < 2:
        return ratio, torch.full_like(ratio, torch.nan)
    weights = box_weights(boxes, draws, seed).to(first.device)
    redrawn = torch.tensordot(weights, first, 1) / torch.tensordot(weights, second, 1)
    return ratio, redrawn.std(0)
