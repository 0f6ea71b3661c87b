"""One list of peaks against another: who is whose.

:func:`massgan_core.evaluate.matched_fraction` makes completeness and purity of it.

Matching is one to one, nearest pairs first, and the same when the lists change places. Unrelated
lists match too: about 1 − exp(−nπR²) of the peaks have a neighbour within R by chance, with n
of the other list per unit area (:func:`chance`). A fraction says something only above that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from massgan_core.peaks.detect import Peaks


@dataclass(frozen=True, eq=False)
class Match:
    """Pairs of two lists; an entry of either list is in one pair at most.

    Args:
        first: Index of each pair in the first list.
        second: Index in the second list.
        distance: Between them [arcmin], increasing.
        sizes: Lengths of the two lists.
    """

    first: Int[np.ndarray, " K"]
    second: Int[np.ndarray, " K"]
    distance: Float[np.ndarray, " K"]
    sizes: tuple[int, int]

    def __len__(self) -> int:
        return len(self.distance)

    @property
    def matched(self) -> tuple[Bool[np.ndarray, " N"], Bool[np.ndarray, " M"]]:
        """Which entries of the first and of the second list are in a pair."""
        flags = tuple(np.zeros(n, bool) for n in self.sizes)
        flags[0][self.first], flags[1][self.second] = True, True
        return flags


def match(
    first: Float[np.ndarray, "N D"], second: Float[np.ndarray, "M D"], radius: float
) -> Match:
    """Pairs of places at most `radius` apart, nearest first.

    Args:
        first: Offsets on the plane [arcmin], e.g. ``peaks.places`` or
            ``np.stack(grid.sky_to_plane(ra, dec), -1)``.
        second: Others.
        radius: Largest distance [arcmin].

    Raises:
        ValueError: `radius` is not positive.
    """
    if not radius > 0:
        raise ValueError(f"`radius` must be positive [arcmin], got {radius}")
    i, j, distance = np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    if len(first) and len(second):
        near = cKDTree(first).sparse_distance_matrix(
            cKDTree(second), radius, output_type="ndarray"
        )
        order = np.lexsort((near["i"] + near["j"], near["v"]))
        i, j, distance = (near[key][order] for key in "ijv")
    free = np.ones(len(first), bool), np.ones(len(second), bool)
    kept = []
    for k, (a, b) in enumerate(zip(i, j, strict=True)):
        if free[0][a] and free[1][b]:
            free[0][a] = free[1][b] = False
            kept.append(k)
    return Match(i[kept], j[kept], distance[kept], (len(first), len(second)))


def match_peaks(first: Peaks, second: Peaks, radius: float) -> Match:
    """As :func:`match`, peaks of each map of `first` with those of the same map of `second`."""
    # Maps are apart in a third direction, by more than `radius`.
    places = [np.column_stack([p.places, 2.0 * radius * p.map]) for p in (first, second)]
    return match(*places, radius)


def chance(number: float, area: float, radius: float) -> float:
    """Fraction of random places with one of `number` peaks within `radius` by chance.

    Args:
        number: Of peaks in the list, spread at random.
        area: Footprint [arcmin²].
        radius: Of matching [arcmin].
    """
    return float(-np.expm1(-number / area * pi * radius**2))


def nearest(
    places: Float[np.ndarray, "M 2"],
    others: Float[np.ndarray, "K 2"],
    reach: float | Float[np.ndarray, " K"],
) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """The nearest of the others that has each place within its reach.

    Args:
        places: Offsets on the plane [arcmin].
        others: Others.
        reach: How far from each of the others [arcmin].

    Returns:
        Its index, −1 for none, and the distance [arcmin], ∞ for none.
    """
    if not len(others):
        return np.full(len(places), -1), np.full(len(places), np.inf)
    distance = np.linalg.norm(places[:, None] - others, axis=-1)
    distance[distance > np.broadcast_to(reach, len(others))] = np.inf
    index, least = distance.argmin(1), distance.min(1)
    return np.where(np.isfinite(least), index, -1), least
