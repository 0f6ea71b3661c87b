r"""How far a peak can be trusted: S/N, completeness and purity, posterior probability.

Lists of peaks come as arrays (of many fields or samples at once, with the number of the field
or sample beside each peak), places as offsets (x, y) on the plane [arcmin].

.. math:: \mathrm{completeness}(t) = \frac{\#\{\text{true} \ge t,\ \text{matched}\}}
          {\#\{\text{true} \ge t\}}, \qquad
          \mathrm{purity}(t) = \frac{\#\{\text{found} \ge t,\ \text{matched}\}}
          {\#\{\text{found} \ge t\}}

**S/N** is the height of the smoothed map over the std that noise alone gives it. Say which
noise: that of maps made in the same way from noise or from randomly turned galaxies
(:func:`noise_std`), or a stated std, e.g. that of Kaiser–Squires. Posterior mean over
posterior std is no such S/N.

**Posterior probability** of a peak at a place: the fraction of samples with a peak above a
threshold within a radius. For an exact posterior the truth has one there just as often: on
simulated fields Σ(truth has one)/Σ(probability) over places is 1 (:func:`paired_ratio` of the
two sums of every field gives it an error).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from torch import Tensor

from massgan_core.evaluate.bootstrap import paired_ratio
from massgan_core.sky import Grid, remove_mean, smooth


def noise_std(
    noise: Float[Tensor, "K H W"], grid: Grid, area: Bool[Tensor, "H W"], width: float = inf
) -> Float[Tensor, "H W"]:
    """Std over `K` maps of noise alone, each less its footprint mean; 0 outside.

    Args:
        noise: Made and smoothed exactly like the map whose peaks are rated, from pure noise or
            from the survey's galaxies, each turned by a random angle.
        grid: Pixels.
        area: Footprint.
        width: The variance is smoothed by this std [arcmin], since K maps alone scatter by
            1/√(2K): ∞ gives one std for the whole footprint, 0 leaves each pixel its own.
    """
    variance = (remove_mean(torch.where(area, noise.double(), 0.0), area) ** 2).mean(0)
    if width == inf:
        variance = (variance * area).sum() / area.sum() * area
    else:
        variance = smooth(variance, grid, width, mask=area)
    return torch.sqrt(torch.where(area, variance, 0.0))


def signal_to_noise(
    height: Float[np.ndarray, " P"],
    row: Int[np.ndarray, " P"],
    column: Int[np.ndarray, " P"],
    noise: float | Float[Tensor, "H W"],
) -> Float[np.ndarray, " P"]:
    """Height of each peak over the std of the noise.

    Args:
        height: Of each peak, in units of κ.
        row: Its row.
        column: Its column.
        noise: A stated std, or a map of it to look up there, in units of κ.
    """
    return height / (noise.cpu().numpy()[row, column] if isinstance(noise, Tensor) else noise)


@dataclass(frozen=True, eq=False)
class Curve:
    """Fraction of peaks that are matched, against the least value they have.

    Args:
        threshold: Least S/N (or height).
        fraction: Of all fields' peaks together; NaN where there is none.
        error: Std over boxes; NaN for a single box, or where a redrawn set holds no peak.
        matched: Matched peaks of all fields.
        total: Peaks of all fields.
    """

    threshold: Float[Tensor, " K"]
    fraction: Float[Tensor, " K"]
    error: Float[Tensor, " K"]
    matched: Float[Tensor, " K"]
    total: Float[Tensor, " K"]


def matched_fraction(
    value: Float[np.ndarray, " P"],
    matched: Bool[np.ndarray, " P"],
    field: Int[np.ndarray, " P"],
    thresholds: ArrayLike,
    boxes: Sequence[int],
    *,
    seed: int = 0,
) -> Curve:
    """Completeness, if the peaks are the truth's; purity, if they are those found.

    Args:
        value: S/N or height of each peak.
        matched: Whether it has a counterpart in the other list, within the same field.
        field: Number of its field, 0 … F − 1.
        thresholds: Least values, in units of `value` [K].
        boxes: Box of each of the F fields.
        seed: Of the bootstrap over boxes.
    """
    at = np.asarray(thresholds, float)
    above = value[:, None] >= at
    total, hits = (np.zeros((len(boxes), at.size)) for _ in range(2))
    np.add.at(total, field, above)
    np.add.at(hits, field, above & matched[:, None])
    hits, total = torch.from_numpy(hits), torch.from_numpy(total)
    fraction, error = paired_ratio(hits, total, boxes, seed=seed)
    return Curve(torch.from_numpy(at), fraction, error, hits.sum(0), total.sum(0))


@dataclass(frozen=True, eq=False)
class PlacedPeaks:
    """What the samples hold near each of M places.

    Args:
        probability: Fraction of samples with a peak there.
        offset: Mean offset (x, y) of their peaks from the place [arcmin]; NaN without any.
        scatter: Std of their positions along one axis (ddof = 1) [arcmin]; NaN for fewer
            than two. Peaks spread at random over the circle have half its radius.
        height: Mean height of their peaks, in units of κ; NaN without any.
    """

    probability: Float[np.ndarray, " M"]
    offset: Float[np.ndarray, "M 2"]
    scatter: Float[np.ndarray, " M"]
    height: Float[np.ndarray, " M"]


def peak_posterior(
    places: Float[np.ndarray, "M 2"],
    peaks: Float[np.ndarray, "P 2"],
    height: Float[np.ndarray, " P"],
    sample: Int[np.ndarray, " P"],
    n: int,
    *,
    radius: float,
    threshold: float = -inf,
) -> PlacedPeaks:
    """Probability of a peak at each place, and where it lies: the highest one of each sample.

    Args:
        places: Of the peaks of the mean map, of clusters, … [arcmin].
        peaks: Places of the peaks of all samples [arcmin].
        height: Their heights, in units of κ, in samples smoothed and less their footprint mean.
        sample: Number of each one's sample, 0 … n − 1.
        n: Number of samples, those without peaks too.
        radius: How far from the place a peak may lie [arcmin].
        threshold: Least height, in units of `height`.

    Raises:
        ValueError: `radius` is not positive.
    """
    if not radius > 0:
        raise ValueError(f"`radius` must be positive [arcmin], got {radius}")
    high = height >= threshold
    peaks, height, sample = peaks[high], height[high], sample[high]
    at, one = _near(places, peaks, radius)
    # Of each place and sample the highest: the last of its run in this order.
    order = np.lexsort((height[one], sample[one], at))
    at, one = at[order], one[order]
    run = at * n + sample[one]
    last = np.append(run[1:] != run[:-1], True)[: len(run)]
    at, one = at[last], one[last]

    count = np.bincount(at, minlength=len(places)).astype(float)
    away = peaks[one] - places[at]
    offset = _means(at, away, count)
    square = _means(at, ((away - offset[at]) ** 2).sum(1, keepdims=True), count)[:, 0]
    scatter = np.full(len(places), np.nan)
    np.sqrt(square / 2 * count / np.maximum(count - 1, 1), out=scatter, where=count > 1)
    return PlacedPeaks(count / n, offset, scatter, _means(at, height[one][:, None], count)[:, 0])


def _near(
    places: Float[np.ndarray, "M 2"], peaks: Float[np.ndarray, "P 2"], radius: float
) -> tuple[Int[np.ndarray, " Q"], Int[np.ndarray, " Q"]]:
    """All pairs of a place and a peak at most `radius` apart."""
    if not len(places) or not len(peaks):
        return np.zeros(0, int), np.zeros(0, int)
    found = cKDTree(peaks).query_ball_point(places, radius)
    at = np.repeat(np.arange(len(places)), [len(f) for f in found])
    return at, np.array([p for f in found for p in f], int)


def _means(
    at: Int[np.ndarray, " Q"], values: Float[np.ndarray, "Q D"], count: Float[np.ndarray, " M"]
) -> Float[np.ndarray, "M D"]:
    """Mean of the values at each place; NaN where there is none."""
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, at, values)
    empty = np.full_like(total, np.nan)
    return np.divide(total, count[:, None], out=empty, where=count[:, None] > 0)
