r"""TARP: are the *joint* samples right? Tests of accuracy with random points.

Per-pixel coverage sees marginals only. Let θ be a few numbers of a map, θ_r those of a reference
that knows nothing of the truth, and d a distance. Among N exact samples and the truth, all
equally near θ_r by chance, the truth's place is uniform:

.. math:: r = \#\{i : d(\theta_i, \theta_r) < d(\theta, \theta_r)\} \in \{0, …, N\}, \qquad
          \mathrm{ECP}\left(\tfrac{k}{N + 1}\right) = P(r < k) = \tfrac{k}{N + 1}

for *any* θ, d and reference; equal distances (counts of peaks are integers) are ranked at random.
The test is the largest deviation of the expected coverage probability from the diagonal, against
what redrawing boxes makes of it.

Conventions: θ is one of :func:`block_means`, :func:`patches` and :func:`peaks` of a map that lost
its footprint mean; the references are prior maps of other boxes; d is Euclidean after each
coordinate is divided by its prior std. Several references, and several patches of a map, give
several ranks a field: their average is what is redrawn.

**Blind spot.** A sampler that ignores the data and draws from the prior passes, for its samples
*are* calibrated: only a score such as Pearson r sees that.

References:
    Lemos, Coogan, Hezaveh & Perreault-Levasseur (2023), https://arxiv.org/abs/2302.03026
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.evaluate.bootstrap import box_weights
from massgan_core.evaluate.reliability import smoothed
from massgan_core.evaluate.spectra import peak_counts
from massgan_core.sky import Grid

#: From maps [B, H, W] to T sets of D coordinates of each, [B, T, D].
Coordinates = Callable[[Float[Tensor, "B H W"]], Float[Tensor, "B T D"]]


def block_means(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    width: float = 3.0,
    blocks: int = 16,
) -> Float[Tensor, "*B 1 D"]:
    """Means of smoothed κ over `blocks`² equal parts of the field: one set of coordinates.

    Args:
        kappa: Maps.
        grid: Pixels.
        area: Footprint; a block less than half inside is left out.
        width: Std of the Gaussian window [arcmin].
        blocks: Number of blocks along a side.
    """
    inside = _block_average(area.double(), blocks)
    means = _block_average(smoothed(kappa, grid, width, area).double(), blocks)
    used = inside >= 0.5
    return (means[..., used] / inside[used]).unsqueeze(-2)


def patches(
    kappa: Float[Tensor, "*B H W"], corners: Int[Tensor, "T 2"], side: int = 8
) -> Float[Tensor, "*B T D"]:
    """The `side`² pixels above and right of each corner: one set of coordinates a patch."""
    step = torch.arange(side, device=corners.device)
    rows, columns = (corners[:, k, None] + step for k in (0, 1))
    return kappa[..., rows[:, :, None], columns[:, None, :]].flatten(-2)


def random_corners(
    area: Bool[Tensor, "H W"], generator: torch.Generator, count: int = 100, side: int = 8
) -> Int[Tensor, "T 2"]:
    """Row and column of `count` random patches that lie wholly in the footprint.

    Raises:
        ValueError: None does.
    """
    hole = torch.nn.functional.max_pool2d((~area).float()[None], side, 1)[0]
    places = (hole == 0).nonzero()
    if not len(places):
        raise ValueError(f"`area` must hold patches of {side}² pixels, got none; use smaller ones")
    chosen = torch.randint(len(places), (count,), generator=generator)
    return places[chosen.to(places.device)]


def peaks(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    edges: ArrayLike,
    width: float = 1.0,
) -> Float[Tensor, "*B 1 D"]:
    """Numbers of peaks of smoothed κ between consecutive heights: one set of coordinates.

    Args:
        kappa: Maps.
        grid: Pixels.
        area: Footprint.
        edges: Heights in units of κ.
        width: Std of the Gaussian window [arcmin].
    """
    return peak_counts(smoothed(kappa, grid, width, area), area, edges).unsqueeze(-2)


@dataclass(frozen=True, eq=False)
class References:
    """Places from which distances are taken. Make them with :meth:`of`.

    Fields with the same footprint (and patches) may share them.

    Args:
        coordinates: From maps to sets of coordinates.
        points: Those of M prior maps, scaled.
        scale: Prior std of each coordinate.
    """

    coordinates: Coordinates
    points: Float[Tensor, "M T D"]
    scale: Float[Tensor, " D"]

    @classmethod
    def of(cls, coordinates: Coordinates, prior: Float[Tensor, "M H W"]) -> References:
        """References at prior maps.

        Args:
            coordinates: E.g. :func:`block_means` of a grid and a footprint.
            prior: At least two maps of other boxes than the fields, without their mean over
                the footprint. All are references; their std scales the coordinates.
        """
        if len(prior) < 2:
            raise ValueError(f"`prior` must hold at least 2 maps, got {len(prior)}")
        points = coordinates(prior).double()
        scale = points.flatten(0, 1).std(0)
        # A coordinate that never varies (a height no peak reaches) says nothing.
        scale = torch.where(scale > 0, scale, torch.inf)
        return cls(coordinates, points / scale, scale)

    def distances(self, kappa: Float[Tensor, "N H W"]) -> Float[Tensor, "N M T"]:
        """Of maps from each reference; equal coordinates have exactly equal distances."""
        points = self.coordinates(kappa).double() / self.scale
        return (points[:, None] - self.points).square().sum(-1).sqrt()


@dataclass(frozen=True, eq=False)
class RunningTarp:
    """How many of the samples seen so far lie nearer to each reference than the truth does.

    Immutable: `update` returns new counts. Make one with :meth:`of`.

    Args:
        references: M places, for T sets of coordinates of a map.
        distance: Of the truth from each.
        n: Number of samples seen.
        nearer: How many of them are nearer.
        level: How many are exactly as near.
    """

    references: References
    distance: Float[Tensor, "M T"]
    n: int = 0
    nearer: Int[Tensor, "M T"] | int = 0
    level: Int[Tensor, "M T"] | int = 0

    @classmethod
    def of(cls, references: References, truth: Float[Tensor, "H W"]) -> RunningTarp:
        """Ready for the samples of a field with this true κ, without its footprint mean."""
        return cls(references, references.distances(truth[None])[0])

    def update(self, samples: Float[Tensor, "N H W"]) -> RunningTarp:
        """Counts after a batch of samples, which lost their footprint mean too."""
        far = self.references.distances(samples)
        return replace(
            self,
            n=self.n + len(samples),
            nearer=self.nearer + (far < self.distance).sum(0),
            level=self.level + (far == self.distance).sum(0),
        )

    def counts(self, generator: torch.Generator) -> Float[Tensor, " R"]:
        """Share of the field's ranks that are 0 … N; they add up to 1.

        Args:
            generator: Ranks equal distances at random.
        """
        coin = torch.rand(self.distance.shape, generator=generator).to(self.distance.device)
        ranks = self.nearer + (coin * (self.level + 1)).long()
        counts = torch.bincount(ranks.flatten(), minlength=self.n + 1)
        return counts.double() / counts.sum()


@dataclass(frozen=True, eq=False)
class Tarp:
    """Expected coverage probability and how far it is from the diagonal.

    Args:
        levels: Credibility k/(N + 1).
        ecp: Share of ranks below k.
        error: Its std error over boxes.
        deviation: Largest |ECP − level|.
        p: Probability of as large a deviation from redrawing boxes alone; NaN for one box. For
            16 and more boxes an exact sampler's is uniform; for 8 it is below 0.05 twice as often.
    """

    levels: Float[Tensor, " K"]
    ecp: Float[Tensor, " K"]
    error: Float[Tensor, " K"]
    deviation: float
    p: float


def tarp(
    counts: Float[Tensor, "F R"], boxes: Sequence[int], *, draws: int = 1000, seed: int = 0
) -> Tarp:
    """The test over all fields.

    Args:
        counts: Share of each rank 0 … N, for every field, from :meth:`RunningTarp.counts`.
        boxes: Box of each field.
        draws: Bootstrap sets.
        seed: Of the bootstrap.
    """
    each = counts.double().cumsum(-1)[:, :-1]
    ecp, ranks = each.mean(0), counts.shape[-1]
    levels = torch.arange(1, ranks, dtype=torch.float64, device=counts.device) / ranks
    deviation = (ecp - levels).abs().max()
    number = len(set(boxes))
    if number < 2:
        unknown = torch.full_like(ecp, torch.nan)
        return Tarp(levels, ecp, unknown, float(deviation), float("nan"))
    weights = box_weights(boxes, draws, seed).to(counts.device)
    redrawn = weights @ each / weights.sum(-1, keepdim=True)
    # Boxes redrawn from themselves scatter a little too little: their own mean is known.
    scatter = (redrawn - ecp) * sqrt(number / (number - 1))
    as_far = (scatter.abs().amax(-1) >= deviation).sum()
    p = (1 + int(as_far)) / (1 + draws)
    return Tarp(levels, ecp, scatter.square().mean(0).sqrt(), float(deviation), p)


def _block_average(image: Float[Tensor, "*B H W"], blocks: int) -> Float[Tensor, "*B Y X"]:
    flat = image.reshape(-1, 1, *image.shape[-2:])
    small = torch.nn.functional.adaptive_avg_pool2d(flat, blocks)
    return small.reshape(*image.shape[:-2], blocks, blocks)
