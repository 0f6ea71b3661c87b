r"""Is there mass at this place, and how sure are we? The posterior of κ inside one circle.

Every sample gives the circle a mean κ, and so does every other circle of the same size thrown
at random onto the footprint. A place counts as **found in a sample** if fewer than 5 % of the
random circles have more mass in that same sample: whatever a sample does everywhere cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.peaks.aperture import aperture_mean
from massgan_core.sky import Grid, generator

HIGH = 0.95  #: share of random circles with less mass, for a place to count as found
LEAST = 0.5  #: of a circle in the footprint
BINS = 16
_PLACES = 61  # key of the random stream behind a seed


@dataclass(frozen=True, eq=False)
class Inspection:
    """What samples say of one circle.

    Args:
        kappa: Mean κ in the circle, of every sample.
        random: The same of the random circles.
        rank: Share of the random circles with less mass, in every sample.
        rank_of_mean: The same in the mean of the samples.
    """

    kappa: Float[Tensor, " N"]
    random: Float[Tensor, "N M"]
    rank: Float[Tensor, " N"]
    rank_of_mean: float

    @property
    def mean(self) -> float:
        """Posterior mean of κ in the circle."""
        return float(self.kappa.mean())

    @property
    def std(self) -> float:
        """Its posterior standard deviation; NaN for one sample."""
        return float(self.kappa.std()) if len(self.kappa) > 1 else nan

    @property
    def found(self) -> float:
        """Share of the samples in which the place is found."""
        return float((self.rank > HIGH).double().mean())

    @property
    def order(self) -> list[int]:
        """Numbers of the samples, those with most mass in the circle first."""
        return self.kappa.argsort(descending=True, stable=True).tolist()

    def histogram(
        self, bins: int = BINS
    ) -> tuple[Float[np.ndarray, " E"], Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
        """Edges in κ; share of the samples, and of random circles in all samples, in each bin."""
        kappa, random = self.kappa.numpy(), self.random.numpy().ravel()
        low, high = (f(np.concatenate([kappa, random])) for f in (np.min, np.max))
        edges = np.linspace(low, high if high > low else low + 1e-6, bins + 1)
        counts = (np.histogram(values, edges)[0] / len(values) for values in (kappa, random))
        return edges, *counts


def inspect_place(
    samples: Float[Tensor, "N H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    place: tuple[float, float],
    radius: float,
    *,
    circles: int = 200,
    seed: int = 0,
) -> Inspection:
    """The posterior of the mean κ within `radius` of `place`.

    Args:
        samples: Of the posterior.
        grid: Pixels.
        area: Footprint.
        place: Offset (x, y) from the centre of the grid [arcmin].
        radius: Of the circle [arcmin].
        circles: Random ones M to compare with.
        seed: Of their places.

    Raises:
        ValueError: No samples, or less than half of the circle lies in the footprint.
    """
    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    places = np.concatenate([[place], _random(grid, area, 2 * circles, seed)])
    kappa = aperture_mean(samples, grid, area, places, radius, least=LEAST)
    if bool(kappa[0, 0].isnan()):
        raise ValueError(
            f"`place` must have {LEAST:.0%} of the circle of {radius:g}′ about it in the "
            f"footprint, got ({place[0]:.1f}′, {place[1]:.1f}′): choose one further inside"
        )
    # Some random circles hang over the edge; twice as many as wanted are thrown.
    good = torch.nonzero(~kappa[0].isnan())[1 : circles + 1, 0]
    own, random = kappa[:, 0], kappa[:, good]
    rank = (random < own[:, None]).double().mean(1)
    of_mean = float((random.mean(0) < own.mean()).double().mean())
    return Inspection(own, random, rank, of_mean)


def _random(grid: Grid, area: Tensor, n: int, seed: int) -> Float[np.ndarray, "N 2"]:
    """Places in the footprint."""
    rows, columns = np.nonzero(area.cpu().numpy())
    chosen = torch.randint(len(rows), (n,), generator=generator(seed, _PLACES)).numpy()
    return np.stack(grid.pixel_to_plane(columns[chosen], rows[chosen]), 1)
