"""Scores of one method on a set of fields: samples of one field at a time, small numbers kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import massgan_core as mg
from massgan_core.evaluate import (
    box_weights,
    by_level,
    central_moments,
    estimate_and_truth,
    levels,
    limit_of_r,
    paired_ratio,
    peak_counts,
    pearson,
    rank_counts,
    relative_ranks,
    rmse,
    smoothed,
    spread_and_error,
    std_and_skewness,
    top,
    value_counts,
    windowed_power,
)
from massgan_core.sky import ShearField, remove_mean

WIDTHS = (2.0, 4.0)  #: smoothings for spread/skill [arcmin]
PEAK_WIDTH = 1.0  #: smoothing for peak counts [arcmin]
HEIGHTS = np.array([0.0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7])  #: of peaks, in std of smoothed κ
VALUES = np.linspace(-0.12, 0.3, 106)  #: of κ, for the histogram
EXACT = inf  #: number of samples behind an exact mean
LOOKED_AT = 16  #: samples whose statistics are taken

Draw = Callable[[int, ShearField], torch.Tensor]


@dataclass
class Stacks:
    """Mean and variance of samples for every field, whole and of two halves of the samples."""

    n: float
    mean: torch.Tensor
    var: torch.Tensor
    half: tuple[torch.Tensor, ...] = ()  #: means of the even and of the odd samples
    half_var: tuple[torch.Tensor, ...] = ()


@dataclass
class Likeness:
    """What single maps look like, for every field."""

    power: torch.Tensor
    moments: torch.Tensor
    peaks: torch.Tensor
    values: torch.Tensor


@dataclass
class Truth:
    """The fields, their true κ smoothed in several ways, and what it looks like."""

    fields: list[ShearField]
    boxes: list[int]
    kappa: torch.Tensor
    area: torch.Tensor
    wide: dict[float, torch.Tensor]
    unit: float
    look: Likeness

    @classmethod
    def of(cls, fields: list[ShearField], boxes: list[int]) -> Truth:
        kappa = torch.stack([f.truth for f in fields])
        area = torch.stack([f.footprint for f in fields])
        wide = {
            w: torch.stack([smoothed(f.truth, f.grid, w, f.footprint) for f in fields])
            for w in (*WIDTHS, PEAK_WIDTH)
        }
        unit = float(wide[PEAK_WIDTH][area].std())
        looks = [look(f.truth[None], f, unit) for f in fields]
        return cls(fields, boxes, kappa, area, wide, unit, _joined(looks))


def look(maps: torch.Tensor, field: ShearField, unit: float) -> Likeness:
    """Means over `maps` of one field of their power, moments, peak counts, values."""
    area = field.footprint
    peaks = peak_counts(
        smoothed(maps, field.grid, PEAK_WIDTH, area), area.expand_as(maps), HEIGHTS * unit
    )
    return Likeness(
        windowed_power(maps, field.grid, area).mean(0),
        central_moments(maps, area).mean(0),
        peaks.mean(0),
        value_counts(maps, area, VALUES) / len(maps),
    )


def gan_draw(sampler: mg.Sampler, n: int, batch: int = 8) -> Draw:
    """Samples of the network, less their footprint mean."""

    def draw(index: int, field: ShearField) -> torch.Tensor:
        *_, last = mg.stream(sampler, field, n, batch, seed=index, keep=n)
        return last.samples

    return draw


def measure(
    truth: Truth, draw: Draw, *, n: float, mean: torch.Tensor | None = None, words: str = ""
) -> tuple[dict[str, Any], Stacks]:
    """All scores of a method on the main fields.

    Args:
        truth: The fields.
        draw: Samples of a field.
        n: Their number; ``inf`` where `mean` is exact.
        mean: Exact posterior means; by default those of the samples.
        words: On the progress bar.
    """
    wide: dict[float, list] = {w: [] for w in WIDTHS}
    stacks, ranks, looks = [], [], []
    for i, field in enumerate(tqdm(truth.fields, words, disable=None)):
        samples = draw(i, field)
        centre = samples.mean(0) if mean is None else remove_mean(mean[i], field.footprint)
        stacks.append((centre, samples.var(0), *_halves(samples)))
        if len(samples) >= 15:
            ranks.append(_ranks(samples, field))
        looks.append(look(samples[:LOOKED_AT], field, truth.unit))
        for width, parts in wide.items():
            centre_at, *at = smoothed(
                torch.stack([centre, *samples]), field.grid, width, field.footprint
            )
            parts.append((centre_at, torch.stack(at).var(0)))
    whole, var, *halves = (torch.stack(x) for x in zip(*stacks, strict=True))
    made = Stacks(n, whole, var, tuple(halves[:2]), tuple(halves[2:]))
    table = brief(truth, made)
    for width, parts in wide.items():
        m, v = (torch.stack(x) for x in zip(*parts, strict=True))
        sums = spread_and_error(m, v, truth.wide[width], truth.area, truth.area, n)
        table |= _ratio(f"spread_skill_{width:.0f}arcmin", sums, truth.boxes)
    table |= deciles(truth, made) | at_peaks(truth, made)
    if ranks:
        table["ranks"] = relative_ranks(torch.stack(ranks)).tolist()
    return table | likeness(truth, _joined(looks)), made


def means(truth: Truth, draw: Draw, n: int, words: str = "") -> Stacks:
    """Mean and variance of the samples of every field, no more."""
    moments = []
    for i, field in enumerate(tqdm(truth.fields, words, disable=None)):
        samples = draw(i, field)
        moments.append((samples.mean(0), samples.var(0)))
    return Stacks(n, *(torch.stack(x) for x in zip(*moments, strict=True)))


def brief(truth: Truth, made: Stacks) -> dict[str, Any]:
    """r, RMSE and spread/skill, over all of the footprint."""
    sums = spread_and_error(made.mean, made.var, truth.kappa, truth.area, truth.area, made.n)
    table = point(truth, made.mean) | _ratio("spread_skill", sums, truth.boxes)
    limit = limit_of_r(made.mean, made.var, truth.area, made.n)
    r = limit * pearson(made.mean, truth.kappa, truth.area)
    return table | {"r_limit": r.mean().item()}


def point(truth: Truth, maps: torch.Tensor) -> dict[str, float]:
    """Mean r and mean RMSE of one map a field."""
    return {
        "r": pearson(maps, truth.kappa, truth.area).mean().item(),
        "rmse": rmse(maps, truth.kappa, truth.area).mean().item(),
    }


def each_r(truth: Truth, maps: torch.Tensor) -> list[float]:
    """Pearson r of every field."""
    return pearson(maps, truth.kappa, truth.area).tolist()


def against(truth: Truth, maps: torch.Tensor, others: torch.Tensor) -> dict[str, list[float]]:
    """r and RMSE over those of other maps of the same fields: [ratio, std error]."""
    scores = {"r": pearson, "rmse": rmse}
    pairs = {
        name: [f(m, truth.kappa, truth.area) for m in (maps, others)] for name, f in scores.items()
    }
    ratios = {name: paired_ratio(*pair, truth.boxes) for name, pair in pairs.items()}
    return {name: [value.item(), error.item()] for name, (value, error) in ratios.items()}


def deciles(truth: Truth, made: Stacks) -> dict[str, Any]:
    """Spread/skill in each decile of the predicted std: as it is, and picked by other samples."""
    pairs = {"deciles": [(made.var, made.var)]}
    pairs["deciles_unselected"] = [made.half_var, made.half_var[::-1]]
    table: dict[str, Any] = {}
    for name, halves in pairs.items():
        sums, pixels = [], torch.zeros(10, dtype=torch.int64)
        for picks, var in halves:
            level = levels(picks.sqrt(), truth.area)
            sums.append(by_level(made.mean, var, truth.kappa, truth.area, level, made.n))
            pixels += torch.bincount(level[truth.area], minlength=10)
        both = tuple(sum(parts) for parts in zip(*sums, strict=True))
        spread, error = (torch.sqrt(x.sum(0) / pixels).tolist() for x in both)
        table |= _ratio(name, both, truth.boxes)
        table[f"{name}_maps"] = {"spread": spread, "rmse": error}
    return table


def at_peaks(truth: Truth, made: Stacks) -> dict[str, Any]:
    """Spread/skill and relative bias of κ at the top 1 % of MEAN."""
    peaks = top(made.mean, truth.area)
    sums = spread_and_error(made.mean, made.var, truth.kappa, truth.area, peaks, made.n)
    table = _ratio("spread_skill_top", sums, truth.boxes)
    estimate, true = estimate_and_truth(made.mean, truth.kappa, truth.area, peaks)
    value, error = paired_ratio(estimate, true, truth.boxes)
    table |= {"peak_bias": value.item() - 1, "peak_bias_error": error.item()}
    if made.n < EXACT:
        picked = [top(half, truth.area) for half in made.half]
        pairs = [
            estimate_and_truth(half, truth.kappa, truth.area, at)
            for half, at in zip(made.half, reversed(picked), strict=True)
        ]
        estimate, true = (sum(parts) for parts in zip(*pairs, strict=True))
        table["peak_bias_unselected"] = (estimate.sum() / true.sum()).item() - 1
    return table


def likeness(truth: Truth, made: Likeness) -> dict[str, Any]:
    """What single samples look like, over what the truth does."""
    power, power_error = paired_ratio(made.power, truth.look.power, truth.boxes)
    peaks, peaks_error = paired_ratio(made.peaks, truth.look.peaks, truth.boxes)
    values = _pdf_ratios(made.moments, truth.look.moments)
    weights = box_weights(truth.boxes)[:, :, None]
    redrawn = torch.stack([_pdf_ratios(w * made.moments, w * truth.look.moments) for w in weights])
    std, skewness = values.tolist()
    std_error, skewness_error = redrawn.std(0).tolist()
    return {
        "power_over_truth": power.tolist(),
        "power_over_truth_error": power_error.tolist(),
        "std_over_truth": std,
        "std_over_truth_error": std_error,
        "skewness_over_truth": skewness,
        "skewness_over_truth_error": skewness_error,
        "peaks_over_truth": peaks.tolist(),
        "peaks_over_truth_error": peaks_error.tolist(),
        "pdf": made.values.sum(0).tolist(),
    }


def _pdf_ratios(moments: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Std and skewness over those of other maps."""
    first, second = (torch.stack(std_and_skewness(m)) for m in (moments, others))
    return first / second


def _ranks(samples: torch.Tensor, field: ShearField) -> torch.Tensor:
    n = (len(samples) + 1) // 16 * 16 - 1
    return rank_counts(samples[:n], field.truth, field.footprint)


def _halves(samples: torch.Tensor) -> tuple[torch.Tensor, ...]:
    parts = samples[0::2], samples[1::2]
    return *(p.mean(0) for p in parts), *(p.var(0) for p in parts)


def _ratio(name: str, sums: tuple[torch.Tensor, torch.Tensor], boxes: list[int]) -> dict[str, Any]:
    """√ of a ratio of sums (or of a column of them) and its std error."""
    square, error = paired_ratio(*sums, boxes)
    value = square.sqrt()
    return {name: value.tolist(), f"{name}_error": (error / (2 * value)).tolist()}


def _joined(looks: list[Likeness]) -> Likeness:
    return Likeness(
        *(torch.stack([getattr(x, k) for x in looks]) for k in Likeness.__dataclass_fields__)
    )
