r"""Ranks of the truth among posterior samples: flat for a calibrated posterior.

.. math:: \text{rank} = \#\{i : \hat x_i < x\} \in \{0, …, N\}

counted per pixel, gathered into bins of (N + 1)/K consecutive ranks. A valley in the middle
means too little spread, a hill too much, a slope a bias.

References:
    Talts et al. (2018), https://arxiv.org/abs/1804.06788
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def rank_counts(
    samples: Float[Tensor, "N *B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    bins: int = 16,
) -> Float[Tensor, "*B K"]:
    """Pixels of the footprint in each bin of ranks, for every map.

    Args:
        samples: Posterior samples that lost their footprint mean; N + 1 a multiple of `bins`.
        truth: True κ without its footprint mean.
        area: Footprint.
        bins: Number of bins K.

    Raises:
        ValueError: N + 1 is no multiple of `bins`: the bins would hold unequal shares.
    """
    n = len(samples)
    if (n + 1) % bins:
        raise ValueError(f"`samples` must be a multiple of {bins} less one, got {n}")
    rank = torch.zeros(truth.shape, dtype=torch.int64, device=truth.device)
    for sample in samples:
        rank += sample < truth
    index = rank // ((n + 1) // bins)
    return torch.stack([(area & (index == k)).sum((-2, -1)) for k in range(bins)], -1).double()


def relative_ranks(counts: Float[Tensor, "*F K"]) -> Float[Tensor, " K"]:
    """Share of each bin over all maps, in units of 1/K: all 1 where ranks are flat."""
    total = counts.reshape(-1, counts.shape[-1]).sum(0)
    return total * len(total) / total.sum()


def ranks_of_each(
    maps: Float[Tensor, "M H W"], area: Bool[Tensor, "H W"], rows: int = 32
) -> Float[Tensor, "M M"]:
    """How often each map has each rank 0 … M − 1 among all the others, over the footprint.

    For exact samples the truth is one more sample: its ranks among M − 1 of them are as uneven
    as those of each sample among the others. Pixels of one map are not independent, so that is
    far more than √counts.

    Args:
        maps: Samples without their footprint mean.
        area: Footprint.
        rows: Rows of pixels sorted at a time, which bounds the memory.
    """
    m = len(maps)
    counts = torch.zeros(m * m, dtype=torch.int64)
    for part, where in zip(maps.split(rows, 1), area.split(rows, 0), strict=True):
        order = part[:, where].argsort(dim=0, stable=True)  # which map comes at each rank
        ranks = torch.arange(m)[:, None].expand_as(order)
        counts += torch.bincount((order * m + ranks).flatten(), minlength=m * m)
    return counts.reshape(m, m).double()
