r"""How sure is a peak? The share of posterior samples that have one there.

.. math:: P(\text{peak at } x) = \frac1N \sum_i \mathbf 1\big[\exists\, p \in \text{sample } i:
          |p - x| \le R,\ \kappa_i(p) \ge t\big]

A probability for the truth as far as the samples are an exact posterior;
:func:`massgan_core.evaluate.peak_posterior` counts the same, and says where the peaks lie.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massgan_core.peaks.detect import Peaks, find_peaks
from massgan_core.sky import Grid

_AT_ONCE = 8  # samples, to bound memory


def peak_probability(
    places: Float[np.ndarray, "M 2"],
    samples: Float[Tensor, "N H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    *,
    radius: float,
    threshold: float,
    smoothing: float = 0.0,
) -> Float[np.ndarray, " M"]:
    """Share of the samples with a peak of at least `threshold` within `radius` of each place.

    Args:
        places: Offsets (x, y) from the centre of the grid [arcmin], e.g. of the mean's peaks.
        samples: Of the posterior.
        grid: Pixels.
        area: Footprint.
        radius: How far from the place a peak may lie [arcmin].
        threshold: Least height of a peak, in units of κ, above the footprint mean.
        smoothing: Std of the Gaussian window [arcmin].

    Raises:
        ValueError: No samples, or a radius that is not positive.
    """
    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    count = np.zeros(len(places))
    for start in range(0, len(samples), _AT_ONCE):
        maps = samples[start : start + _AT_ONCE]
        peaks = find_peaks(maps, grid, area, smoothing=smoothing, threshold=threshold)
        count += _near(places, peaks, radius)
    return count / len(samples)


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


def _near(places: np.ndarray, peaks: Peaks, radius: float) -> np.ndarray:
    """In how many of the maps there is a peak near each place."""
    if not radius > 0:
        raise ValueError(f"`radius` must be positive [arcmin], got {radius}")
    if not len(places) or not len(peaks):
        return np.zeros(len(places))
    found = cKDTree(peaks.places).query_ball_point(places, radius)
    return np.array([len(np.unique(peaks.map[one])) for one in found], float)
