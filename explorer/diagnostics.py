"""Is the posterior right? What the library says of the samples kept, one answer for each figure.

Nothing is computed here: every number comes from a call of ``massgan_core``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

import massgan_core as mg
from explorer.recipes import linear
from massgan_core.evaluate import chi_square, spread_skill, windowed_power
from massgan_core.evaluate.bands import Band, band, even_edges, histogram
from massgan_core.evaluate.convergence import Convergence, RunningConvergence, convergence
from massgan_core.evaluate.coverage import RunningRanks, attainable, binned_ranks, covered
from massgan_core.evaluate.predictive import chi_square_error
from massgan_core.evaluate.ranks import ranks_of_each
from massgan_core.evaluate.settling import Settling, settling
from massgan_core.evaluate.spectra import (
    central_moments,
    densities,
    power_per_log,
    std_and_skewness,
    windowed_theory,
)
from massgan_core.posterior.summary import smoother
from massgan_core.sky.spectrum import band_edges, nyquist

if TYPE_CHECKING:
    from massgan_core.posterior import Summary

LEAST = 2  #: samples for anything to be said
BINS = 16  #: of ranks
LEAST_RANKED = BINS  #: samples for one rank in each bin, of the truth and of each sample
SPECTRUM_BINS = 14
VALUE_BINS = 40
SHEAR_BINS = 8
WIDTH = 1.0  #: blur of κ before its values are counted [arcmin]
MARGIN = 2.0  #: from the footprint's edge, for the shear that κ predicts [arcmin]
LEVELS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])
FLAT = 0.95  #: of exact posteriors that lie inside the band of ranks and of coverage


@dataclass(frozen=True, eq=False)
class Spectrum:
    """ℓ² C(ℓ) / 2π, all through the same mask, which is not deconvolved."""

    ell: np.ndarray
    samples: Band
    mean: np.ndarray
    theory: np.ndarray
    truth: np.ndarray | None

    @property
    def model(self) -> np.ndarray:
        """What samples should look like: the truth where it is known, else the theory."""
        return self.theory if self.truth is None else self.truth


@dataclass(frozen=True, eq=False)
class Values:
    """One-point PDF of κ smoothed by `WIDTH`."""

    kappa: np.ndarray  #: middles of the bins
    samples: Band
    mean: np.ndarray
    truth: np.ndarray | None
    std: tuple[float, float, float | None]  #: of κ in samples, in their mean, in the truth


@dataclass(frozen=True, eq=False)
class Ranks:
    """Of the truth among `n` samples, and where those of exact samples lie."""

    n: int
    share: np.ndarray  #: of the pixels in each bin of ranks, in units of an even share
    even: Band
    level: np.ndarray  #: nominal levels that n samples reach
    covered: np.ndarray  #: share of the pixels whose truth lies in the interval of this level
    right: Band  #: the same of exact samples


@dataclass(frozen=True, eq=False)
class Shear:
    """χ²/dof of the shear that samples predict."""

    edges: np.ndarray
    share: np.ndarray  #: of the samples between two edges
    mean: float
    error: float  #: std of the truth's, over realisations of the noise
    truth: float | None


@dataclass(frozen=True, eq=False)
class Settled:
    """How the mean of ever more samples settles, up to `n`; None where no truth is known."""

    n: int
    growth: Convergence | None
    spread_skill: float | None
    settling: Settling


@dataclass(frozen=True, eq=False)
class Diagnosis(Settled):
    """Everything the page shows of `n` samples; what is not known of a field is None."""

    spectrum: Spectrum
    values: Values
    ranks: Ranks | None
    shear: Shear


def diagnose(summary: Summary, wanted: Callable[[], bool] = lambda: True) -> Diagnosis | None:
    """All answers for the samples kept by `summary`; None where they are too few.

    Args:
        summary: Samples, and the field they are of.
        wanted: Asked between the parts; once it says no, the work ends with None.
    """
    if summary.kept < LEAST:
        return None
    parts: list = []
    for ask in (_growth, _settling, _spectrum, _values, _ranks, _shear):
        if not wanted():
            return None
        parts.append(ask(summary))
    (growth, ratio), *rest = parts
    return Diagnosis(summary.kept, growth, ratio, *rest)


def settled(summary: Summary) -> Settled | None:
    """The part of :func:`diagnose` that follows a growing number of samples."""
    if summary.kept < LEAST:
        return None
    return Settled(summary.kept, *_growth(summary), _settling(summary))


def _growth(summary: Summary) -> tuple[Convergence, float] | tuple[None, None]:
    """Gain of the mean of ever more samples; the spread/skill of all that are kept."""
    truth, area = summary.field.truth, summary.field.footprint.cpu()
    if truth is None:
        return None, None
    truth = truth.cpu()
    running, moments = RunningConvergence(truth, area), mg.RunningMoments()
    for batch in summary.batches:
        running, moments = running.update(batch.float()), moments.update(batch)
    ratio = float(spread_skill(moments.mean, moments.var, truth, area, moments.n))
    n, table = running.table()
    return convergence(n, [table], [0], ratio), ratio


def _settling(summary: Summary) -> Settling:
    return settling(summary.batches, summary.field.footprint.cpu())


def _spectrum(summary: Summary) -> Spectrum:
    field = summary.field
    grid, area, truth = field.grid, field.footprint.cpu(), field.truth
    fundamental = 2 * nyquist(grid.pixel_scale) / max(grid.shape)
    edges = band_edges(fundamental, nyquist(grid.pixel_scale), SPECTRUM_BINS)

    def power(maps: torch.Tensor) -> torch.Tensor:
        return windowed_power(maps, grid, area, edges)

    theory = windowed_theory(mg.spectrum_of(field), grid, area, edges)
    rows = [
        torch.cat([power(batch.float()) for batch in summary.batches]),
        power(_mean(summary))[None],
        theory[None],
        *([] if truth is None else [power(truth.cpu().float())[None]]),
    ]
    ell, scaled = power_per_log(torch.cat(rows), grid, edges)
    n = summary.kept
    mean, theory, *rest = scaled[n:].numpy()
    return Spectrum(ell.numpy(), band(scaled[:n]), mean, theory, rest[0] if rest else None)


def _values(summary: Summary) -> Values:
    field = summary.field
    area, truth = field.footprint.cpu(), field.truth
    singles = [_mean(summary), *([] if truth is None else [truth.cpu().float()])]
    smooth = smoother(field, WIDTH)
    maps = torch.cat([smooth(m) for m in (*summary.batches, torch.stack(singles))])
    edges = even_edges(maps[:, area], VALUE_BINS)
    found, n = densities(maps, area, edges), summary.kept
    mean, *rest = found[n:].numpy()
    middles = (edges[1:] + edges[:-1]) / 2
    moments = central_moments(maps, area)
    stds = [float(std_and_skewness(m)[0]) for m in (moments[:n], *moments[n:])]
    std = (stds[0], stds[1], stds[2] if rest else None)
    return Values(middles, band(found[:n]), mean, rest[0] if rest else None, std)


def _ranks(summary: Summary) -> Ranks | None:
    """The truth among n samples, beside each of n + 1 samples among the n others."""
    field, n = summary.field, summary.kept // BINS * BINS - 1
    if field.truth is None or n + 1 < LEAST_RANKED:
        return None
    samples, area = summary.samples[: n + 1], field.footprint.cpu()
    own = RunningRanks(field.truth.cpu().float()).update(samples[:n]).counts(area)
    counts = torch.cat([own[None], ranks_of_each(samples, area)])
    pixels = counts.sum(-1, keepdim=True)
    share = binned_ranks(counts, BINS) * BINS / pixels
    level = LEVELS[LEVELS <= attainable(n)[-1].item()]
    inside = covered(counts, level) / pixels
    return Ranks(
        n,
        share[0].numpy(),
        band(share[1:], FLAT),
        level,
        inside[0].numpy(),
        band(inside[1:], FLAT),
    )


def _shear(summary: Summary) -> Shear:
    field = summary.field.to("cpu")
    plain = linear(summary.provenance["sampler"])
    found = torch.cat(
        [chi_square(b.float(), field, margin=MARGIN, linear=plain) for b in summary.batches]
    )
    truth = None
    if field.kappa is not None:
        truth = float(chi_square(field.kappa, field, margin=MARGIN))
    error = float(chi_square_error(field, MARGIN))
    return Shear(*histogram(found, SHEAR_BINS), float(found.mean()), error, truth)


def _mean(summary: Summary) -> torch.Tensor:
    """Of the samples kept, which the other figures are of too."""
    if summary.kept == summary.n:
        return summary.mean
    return summary.samples.mean(0)
