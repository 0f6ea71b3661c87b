r"""Do intervals hold the truth as often as they say? Coverage of central intervals, per pixel.

Sort the N samples of a pixel. The interval from the k-th to the (N + 1 − k)-th holds the truth
if and only if the truth's rank, the number of samples below it, is one of k … N − k. Exact
samples make all N + 1 ranks equally likely, so the nominal level of this interval is

.. math:: \frac{N + 1 - 2k}{N + 1}, \qquad k = 1, …, \lfloor N/2 \rfloor

at any N, with no assumption on the posterior. These levels are *attainable*. One between two of
them is interpolated linearly in rank (as if a coin chose between the two intervals), which keeps
it exact. Beyond (N − 1)/(N + 1) there is no interval, and the coverage is NaN: 95 % needs
N ≥ 39, 99 % needs N ≥ 199.

All that coverage needs of the samples is the ranks, and of the ranks how often each occurs:
:class:`RunningRanks` follows a stream, and N + 1 numbers a field are kept.

**Selection.** Peaks of the mean of the very samples that are ranked stand a little too high for
their sampling noise. Find peaks in the mean of one half of the samples, rank with the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.evaluate.bootstrap import paired_ratio
from massgan_core.sky import Grid, local_maxima, remove_mean

#: Nominal levels of a coverage curve.
LEVELS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])


@dataclass(frozen=True, eq=False)
class RunningRanks:
    """How many of the samples seen so far lie below the truth, pixel by pixel.

    Immutable: `update` returns new ranks.

    Args:
        truth: True κ without its footprint mean.
        n: Number of samples seen.
        below: How many of them lie below the truth.
    """

    truth: Float[Tensor, "H W"]
    n: int = 0
    below: Int[Tensor, "H W"] | int = 0

    def update(self, samples: Float[Tensor, "N H W"]) -> RunningRanks:
        """Ranks after a batch of samples, which lost their footprint mean too."""
        below = self.below + (samples < self.truth).sum(0)
        return replace(self, n=self.n + len(samples), below=below)

    def counts(self, where: Bool[Tensor, "H W"]) -> Float[Tensor, " R"]:
        """Pixels of `where` (the footprint, peaks …) with each rank 0 … N."""
        below = self.below + torch.zeros_like(self.truth, dtype=torch.int64)
        return torch.bincount(below[where], minlength=self.n + 1).double()


def binned_ranks(counts: Float[Tensor, "*F R"], bins: int = 16) -> Float[Tensor, "*F K"]:
    """Ranks gathered in `bins`, as :func:`massgan_core.evaluate.rank_counts` does.

    Raises:
        ValueError: The number of ranks, N + 1, is no multiple of `bins`.
    """
    if counts.shape[-1] % bins:
        raise ValueError(
            f"`counts` must hold a multiple of {bins} ranks (one more than there are samples), "
            f"got {counts.shape[-1]}"
        )
    return counts.unflatten(-1, (bins, -1)).sum(-1)


def attainable(n: int) -> Float[Tensor, " K"]:
    """Levels (N + 1 − 2k)/(N + 1) of the central intervals between `n` samples, ascending."""
    if n < 2:
        raise ValueError(f"`n` must be at least 2 for an interval between samples, got {n}")
    k = torch.arange(n // 2, 0, -1, dtype=torch.float64)
    return (n + 1 - 2 * k) / (n + 1)


def covered(counts: Float[Tensor, "*F R"], levels: ArrayLike = LEVELS) -> Float[Tensor, "*F K"]:
    """Pixels of every field inside their central interval, for each nominal level.

    Args:
        counts: Pixels with each rank 0 … N, from :meth:`RunningRanks.counts`.
        levels: Between 0 and 1; NaN comes out where N samples do not reach a level.
    """
    n = counts.shape[-1] - 1
    nodes = torch.cat([torch.zeros(1, dtype=torch.float64), attainable(n)])
    cumulated = torch.nn.functional.pad(counts.double(), (1, 0)).cumsum(-1)
    k = torch.arange(n // 2, 0, -1, device=counts.device)
    inside = torch.nn.functional.pad(cumulated[..., n + 1 - k] - cumulated[..., k], (1, 0))
    levels = torch.as_tensor(np.asarray(levels, float))
    upper = torch.searchsorted(nodes, levels).clamp(1, len(nodes) - 1)
    share = (levels - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    share = torch.where((levels >= 0) & (levels <= nodes[-1]), share, torch.nan)
    upper, share = upper.to(counts.device), share.to(counts.device)
    return torch.lerp(inside[..., upper - 1], inside[..., upper], share)


def coverage(
    counts: Float[Tensor, "F R"],
    boxes: Sequence[int],
    levels: ArrayLike = LEVELS,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[Float[Tensor, " K"], Float[Tensor, " K"]]:
    """Share of pixels of all fields inside their central interval, and its error over boxes.

    Args:
        counts: Pixels with each rank, for every field.
        boxes: Box of each field.
        levels: Nominal levels.
        draws: Bootstrap sets.
        seed: Of the bootstrap.
    """
    inside = covered(counts, levels)
    pixels = counts.sum(-1, keepdim=True).expand_as(inside)
    return paired_ratio(inside, pixels, boxes, draws=draws, seed=seed)


def inside_interval(
    low: Float[Tensor, "*B H W"],
    high: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    where: Bool[Tensor, "*B H W"],
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """Pixels of `where` whose truth lies in [low, high], and all of them, for every map.

    Their :func:`massgan_core.evaluate.paired_ratio` is the coverage of a calibrated interval.

    Args:
        low: Lower end, relative to the footprint mean (as the samples it was made of).
        high: Upper end.
        truth: True κ.
        area: Footprint, whose mean the truth loses.
        where: Pixels that count.
    """
    truth = remove_mean(truth, area)
    inside = (truth >= low) & (truth <= high) & where
    return inside.sum((-2, -1)).double(), where.sum((-2, -1)).double()


def is_calibrated(
    share: Float[Tensor, "*K"], error: Float[Tensor, "*K"], level: float
) -> Bool[Tensor, "*K"]:
    """Whether intervals of a guaranteed `level` hold the truth as often, and not much oftener.

    α − 0.01 − 2 s.e. ≤ miscoverage ≤ α + 2 s.e. with α = 1 − level, and an s.e. ≤ 0.005.
    """
    excess = (1 - share) - (1 - level)
    return (excess >= -0.01 - 2 * error) & (excess <= 2 * error) & (error <= 0.005)


def near_peaks(
    mean: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "*A H W"],
    radius: float = 1.0,
    height: float = 2.0,
) -> Bool[Tensor, "*B H W"]:
    """Pixels of the footprint within `radius` [arcmin] of a peak of `mean`.

    Args:
        mean: Posterior mean, of other samples than those that are ranked.
        grid: Pixels.
        area: Footprint.
        radius: Distance between centres of pixels.
        height: Least height of a peak, in std of `mean` in the footprint.
    """
    centred = remove_mean(mean.double(), area) * area
    std = torch.sqrt((centred**2).sum((-2, -1)) / area.sum((-2, -1)))[..., None, None]
    peaks = local_maxima(mean, area) & (centred >= height * std)
    reach = int(radius / grid.pixel_scale + 1e-9)
    steps = torch.arange(-reach, reach + 1, device=mean.device) * grid.pixel_scale
    disk = (steps[:, None] ** 2 + steps**2 <= (radius * (1 + 1e-9)) ** 2).float()
    flat = peaks.reshape(-1, 1, *mean.shape[-2:]).float()
    near = torch.nn.functional.conv2d(flat, disk[None, None], padding=reach) > 0.5
    return near.reshape(mean.shape) & area
