"""Plots of one set that need samples: is their spread right, and do they look like κ?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from massgan_core.evaluating.report.chart import (
    Axis,
    Chart,
    Frame,
    Series,
    Values,
    curves,
    numbers,
)
from massgan_core.evaluating.report.charts_of_maps import (
    ELL,
    FIFTH,
    TENTH,
    Looks,
    Tables,
    in_bands,
)

KINDS = {
    "blocks": "means of large blocks",
    "patches": "small patches",
    "peaks": "numbers of peaks",
}
PLACES = {
    "spread_skill": "pixel",
    "spread_skill_2arcmin": "2′",
    "spread_skill_4arcmin": "4′",
    "spread_skill_top": "top 1\u202f%",
}
SHARES = tuple((v, f"{v}\u202f%") for v in (0, 25, 50, 75, 100))


def calibration(tables: Tables, looks: Looks, at: str) -> Sequence[Chart | None]:
    """Coverage, ranks, TARP, spread over skill.

    Args:
        tables: Of the methods.
        looks: Theirs.
        at: What anchors begin with.
    """
    every = "Near 0 is good: above it intervals are too wide, below too narrow"
    calibrated = ["; outlines are the calibrated intervals", ""][not _calibrated(tables)]
    return [
        curves(
            *(f"{at}-coverage", "Coverage of intervals"),
            f"{every}; the green band is 2 %{calibrated}.",
            *([*_coverage(tables, "coverage"), *_calibrated(tables)], looks),
            *(Axis("nominal level", ticks=SHARES, limits=(0, 100)), Axis("coverage − level [%]")),
            Frame(0.0, [(0, 100, -2, 2)]),
        ),
        curves(
            *(f"{at}-coverage-at-peaks", "Coverage of intervals at peaks"),
            f"{every} just where maps are used most; peaks were picked by other samples.",
            *(_coverage(tables, "coverage_at_peaks"), looks),
            *(Axis("nominal level", ticks=SHARES, limits=(0, 100)), Axis("coverage − level [%]")),
            Frame(0.0, [(0, 100, -2, 2)]),
        ),
        _ranks(tables, looks, at),
        *(_tarp(tables, looks, at, kind) for kind in KINDS),
        _by_level(
            *(tables, looks, f"{at}-deciles", "deciles_unselected", "by predicted std"),
            "decile of the samples' std",
        ),
        _by_level(
            *(tables, looks, f"{at}-depth", "depth_levels", "by depth of the data"),
            "level of depth, 1 is the least observed",
        ),
        _by_smoothing(tables, looks, at),
    ]


def likeness(tables: Tables, looks: Looks, at: str) -> Sequence[Chart | None]:
    """Power and values of single samples, and what averaging them gains."""
    low, (middle, tenth), (high, fifth) = 300.0, TENTH, FIFTH
    bands = [(low, middle, 1 - tenth, 1 + tenth), (middle, high, 1 - fifth, 1 + fifth)]
    return [
        curves(
            *(f"{at}-power", "Power of single samples"),
            "Near 1 is good: samples are as rough as the truth; the green bands are 10 % and, "
            "at small scales, 20 %.",
            *(in_bands(tables, "power_over_truth"), looks, Axis("multipole ℓ", True, ELL)),
            *(Axis("power of a sample, over the truth's"), Frame(1.0, bands)),
        ),
        _values(tables, looks, at),
        _gain(tables, looks, at),
    ]


def _coverage(tables: Tables, name: str) -> list[Series]:
    """Deviations in percent; beside fixed levels the widest that the samples reach."""
    found = []
    for method, table in tables.items():
        level = numbers(table, "coverage_levels")
        value, error = numbers(table, name, level), numbers(table, f"{name}_error", level)
        widest = numbers(table, f"{name}_widest", np.zeros(3))
        level, value, error = (
            np.append(part, last) for part, last in zip((level, value, error), widest, strict=True)
        )
        there = np.isfinite(value)
        order = np.argsort(level[there], kind="stable")
        level, value, error = (part[there][order] for part in (level, value, error))
        found.append(Series(method, 100 * level, 100 * (value - level), 100 * error))
    return found


def _calibrated(tables: Tables) -> list[Series]:
    found = []
    for method, table in tables.items():
        level = numbers(table, "calibrated_levels")
        value = numbers(table, "calibrated", level)
        error = numbers(table, "calibrated_error", level)
        found.append(
            Series(method, 100 * level, 100 * (value - level), 100 * error, "calibrated", True)
        )
    return [s for s in found if s.known]


def _ranks(tables: Tables, looks: Looks, at: str) -> Chart | None:
    found = []
    for method, table in tables.items():
        value = numbers(table, "ranks")
        place = np.arange(len(value)) + 1.0
        found.append(Series(method, place, value, numbers(table, "ranks_error", value)))
    last = max((len(s.x) for s in found), default=0) + 0.5
    bands = [(0.5, 1.5, 0.75, 1.25), (1.5, last - 1, 0.9, 1.1), (last - 1, last, 0.75, 1.25)]
    return curves(
        *(f"{at}-ranks", "Ranks of the truth among samples"),
        "Flat at 1 is good, inside the green band: a valley is too little spread, a hill too "
        "much, a slope a biased mean.",
        *(found, looks, Axis("rank, in 16 bins", ticks=[(v, f"{v}") for v in (1, 4, 8, 12, 16)])),
        *(Axis("pixels, over the mean of bins"), Frame(1.0, bands)),
    )


def _tarp(tables: Tables, looks: Looks, at: str, kind: str) -> Chart | None:
    found = []
    for method, table in tables.items():
        curve = (table.get("tarp_curves") or {}).get(kind) or {}
        level, p = numbers(curve, "levels"), (table.get("tarp") or {}).get(kind)
        value, error = numbers(curve, "ecp", level), numbers(curve, "error", level)
        note = "" if p is None else f"p = {p:.3f}"
        found.append(Series(method, 100 * level, 100 * (value - level), 100 * error, note))
    return curves(
        *(f"{at}-tarp-{kind}", f"TARP on {KINDS[kind]}"),
        "Near 0 is good, within the error bands: samples are right together, not only pixel by "
        "pixel; p below 0.005 is a fault.",
        *(found, looks, Axis("credibility level", ticks=SHARES, limits=(0, 100))),
        *(Axis("coverage − level [%]"), Frame(0.0)),
        marks=False,
    )


def _by_level(
    tables: Tables, looks: Looks, at: str, name: str, title: str, label: str
) -> Chart | None:
    found = []
    for method, table in tables.items():
        value = numbers(table, name)
        place = np.arange(len(value)) + 1.0
        found.append(Series(method, place, value, numbers(table, f"{name}_error", value)))
    last = max((len(s.x) for s in found), default=0)
    return curves(
        *(at, f"Spread over skill {title}"),
        "Near 1 is good, inside the green band: below it samples scatter too little for their "
        "error there.",
        *(found, looks, Axis(label, ticks=[(k, f"{k}") for k in range(1, last + 1)])),
        *(Axis("spread/skill"), Frame(1.0, [(0.5, last + 0.5, 0.9, 1.1)])),
        apart=True,
    )


def _by_smoothing(tables: Tables, looks: Looks, at: str) -> Chart | None:
    place = np.arange(len(PLACES)) + 1.0
    found = []
    for method, table in tables.items():
        pairs = ([table.get(k + end) for k in PLACES] for end in ("", "_error"))
        value, error = (numbers({"": pair}, "", place) for pair in pairs)
        found.append(Series(method, place, value, error))
    bands = [(0.5, 1.5, 0.96, 1.04), (1.5, len(place) + 0.5, 0.9, 1.1)]
    return curves(
        *(f"{at}-smoothing", "Spread over skill by scale and at peaks"),
        "Near 1 is good, inside the green band: pixels alone hide what is wrong on large scales "
        "and at peaks.",
        *(found, looks, Axis("smoothing", ticks=list(zip(place, PLACES.values(), strict=True)))),
        *(Axis("spread/skill"), Frame(1.0, bands)),
        apart=True,
    )


def _values(tables: Tables, looks: Looks, at: str) -> Chart | None:
    """Probability density of κ in single samples, and of the truth."""
    found, truth = [], None
    for method, table in tables.items():
        edges = numbers(table, "value_edges")
        density = _density(numbers(table, "values_of_samples"), edges)
        if density is not None:
            middle = (edges[1:] + edges[:-1]) / 2
            found.append(Series(method, middle, density, np.full(len(middle), np.nan)))
            true = _density(numbers(table, "values_of_true_map"), edges)
            truth = (middle, true) if truth is None and true is not None else truth
    if not found:
        return None
    known = [s.x[np.isfinite(s.y)] for s in found]
    known += [] if truth is None else [truth[0][np.isfinite(truth[1])]]
    ends = (min(k.min() for k in known if len(k)), max(k.max() for k in known if len(k)))
    highest = max(np.nanmax(s.y) for s in found)
    return curves(
        *(f"{at}-values", "Values of pixels in single samples"),
        "Samples should follow the truth, the strong line, above all in its long tail of peaks.",
        *(found, looks, Axis("κ", limits=ends)),
        Axis("probability density", True, limits=(highest * 1e-6, highest * 2)),
        Frame(truth, truth=True),
        marks=False,
    )


def _density(counts: Values, edges: Float[np.ndarray, " E"]) -> Values | None:
    if len(counts) + 1 != len(edges) or not np.nansum(counts) > 0 or not np.isfinite(edges).all():
        return None
    density = counts / np.nansum(counts) / np.diff(edges)
    return np.where(density > 0, density, np.nan)


def _gain(tables: Tables, looks: Looks, at: str) -> Chart | None:
    found, ideal = [], None
    for method, table in tables.items():
        growth = table.get("growth") or {}
        n = numbers(growth, "n")
        series = Series(method, n, numbers(growth, "gain", n), numbers(growth, "gain_error", n))
        found.append(replace(series, x=np.where(n > 0, n, np.nan)))
        law = numbers(growth, "ideal", n)
        if np.isfinite(law).any() and np.isfinite(n).all():
            ideal = (n, law)
    most = max((np.nanmax(s.x) for s in found if s.known), default=1)
    return curves(
        *(f"{at}-gain", "Gain by averaging samples"),
        "On the dashed line is good: less means that samples are too alike, more that they differ "
        "too much.",
        *(found, looks, Axis("samples in the mean", True, [(v, f"{v}") for v in _powers(most)])),
        *(Axis("gain in PSNR [dB]"), Frame(ideal)),
    )


def _powers(most: float) -> list[int]:
    return [1 << k for k in range(12) if 1 << k <= most * 1.1]
