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
    def snr(self) -> float:
        """Posterior mean over posterior std; NaN for one sample."""
        return self.mean / self.std if self.std > 0 else nan

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
    (found,) = inspect_places(
        samples, grid, area, np.array([place], float), radius, circles=circles, seed=seed
    )
    if found is None:
        raise ValueError(
            f"`place` must have {LEAST:.0%} of the circle of {radius:g}′ about it in the "
            f"footprint, got ({place[0]:.1f}′, {place[1]:.1f}′): choose one further inside"
        )
    return found


def inspect_places(
    samples: Float[Tensor, "N H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    places: Float[np.ndarray, "M 2"],
    radius: float | Float[np.ndarray, " M"],
    *,
    circles: int = 200,
    seed: int = 0,
) -> list[Inspection | None]:
    """As :func:`inspect_place` for each of many places; circles of one size share the random ones.

    Args:
        samples: Of the posterior.
        grid: Pixels.
        area: Footprint.
        places: Offsets (x, y) from the centre of the grid [arcmin].
        radius: Of the circles [arcmin], one for all or one for each place.
        circles: Random ones of each size to compare with.
        seed: Of their places.

    Returns:
        None for a place with less than half of its circle in the footprint.

    Raises:
        ValueError: No samples.
    """
    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    radii = np.broadcast_to(np.asarray(radius, float), len(places))
    # Some random circles hang over the edge; twice as many as wanted are thrown.
    thrown = _random(grid, area, 2 * circles, seed)
    found: list[Inspection | None] = [None] * len(places)
    for size in np.unique(radii):
        at = np.flatnonzero(radii == size)
        together = np.concatenate([places[at], thrown])
        kappa = aperture_mean(samples, grid, area, together, float(size), least=LEAST)
        own, random = kappa[:, : len(at)], kappa[:, len(at) :]
        random = random[:, torch.nonzero(~random[0].isnan())[:circles, 0]]
        for i, values in zip(at, own.T, strict=True):
            found[i] = None if bool(values[0].isnan()) else _inspection(values, random)
    return found


def _inspection(own: Float[Tensor, " N"], random: Float[Tensor, "N M"]) -> Inspection:
    rank = (random < own[:, None]).double().mean(1)
    of_mean = float((random.mean(0) < own.mean()).double().mean())
    return Inspection(own, random, rank, of_mean)


def _random(grid: Grid, area: Tensor, n: int, seed: int) -> Float[np.ndarray, "N 2"]:
    """Places in the footprint."""
    rows, columns = np.nonzero(area.cpu().numpy())
    chosen = torch.randint(len(rows), (n,), generator=generator(seed, _PLACES)).numpy()
    return np.stack(grid.pixel_to_plane(columns[chosen], rows[chosen]), 1)
