r"""What is wrong with a sampler, in words: figures of its evaluation in, sentences out.

:func:`faults` reads a table of figures by name (:data:`FIGURES`; others are ignored, missing ones
not judged). A figure is a fault where it lies outside its bounds by more than three of its std
errors, ``NAME_error``, if the table has them. Exact samples have no fault.

The figures come from the neighbours in this package, those that only serve to find faults from
:mod:`massgan_core.evaluate.probes`. No single one finds all: a spread as wrong as the mean keeps
spread/skill right, a leak that is owned up to in the spread keeps all but r right, and a sampler
that ignores the data and draws from the prior is calibrated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, pi, sqrt
from typing import Any

import numpy as np

from massgan_core.evaluate.convergence import gain_law
from massgan_core.evaluate.coverage import LEVELS

BEYOND = 3.0  #: std errors outside its bounds that make a figure a fault

#: Names that :func:`faults` knows, beside ``NAME_error`` of each.
FIGURES = {
    "samples": "number N of samples of a field",
    "spread_skill": "per pixel",
    "spread_skill_2arcmin": "after smoothing",
    "spread_skill_4arcmin": "after smoothing",
    "spread_skill_top": "at the top 1 % of MEAN",
    "deciles_unselected": "spread/skill per decile of STD, picked by other samples (a list)",
    "depth_levels": "spread/skill per level of `local_depth`, least observed first (a list)",
    "ranks": "relative ranks (a list)",
    "gain": "PSNR of the mean of N samples over that of one [dB]",
    "coverage": "share of pixels inside their central intervals (a list)",
    "coverage_levels": "nominal levels of `coverage`",
    "tarp": "p values by name of the coordinates",
    "slope": "ratio of `slope_sums`",
    "peak_bias_unselected": "relative bias of κ at the top 1 % of MEAN of other samples",
    "r_over_exact": "Pearson r over that of the exact posterior mean, where that is known",
    "b_mode_r": "Pearson r of the mean for the field turned by 45° with the truth",
    "std_variation": "root of the mean `std_variation`",
    "std_error_r": "Pearson r of STD with |error|",
    "latent_share": "mean `latent_share`",
    "closest_pair": "least `closest_pair`",
    "zero_point": "√ of the ratio of `zero_point` in the footprint",
    "zero_point_outside": "the same outside it",
    "leaks": "from `leak_probe`",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        name: Kind, one word or two.
        words: A sentence: the figure, what it should be, what it means.
    """

    name: str
    words: str

    def __str__(self) -> str:
        return self.words


def faults(table: Mapping[str, Any]) -> list[Fault]:
    """All faults that the figures show, gravest first; [] for exact samples."""
    rules = (
        *(_numbers, _leaks, _zero_points, _latents, _mean, _spread, _std_map, _levels),
        *(_ranks, _coverage, _tarp, _gain, _b_mode),
    )
    return [fault for rule in rules for fault in rule(table)]


def unjudged(table: Mapping[str, Any]) -> list[str]:
    """Names of :data:`FIGURES` that `table` lacks."""
    return [name for name in FIGURES if table.get(name) is None]


# Rules


def _numbers(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name in ("spread_skill", "slope"):
        if any(value != value for value, _ in _pairs(table, name)):
            yield Fault("not a number", f"`{name}` is not a number: samples hold NaN or infinity.")


def _leaks(table: Mapping[str, Any]) -> Iterator[Fault]:
    leaks = table.get("leaks") or {}
    restless = leaks.get("repeat", 0.0)
    for what, difference in leaks.items():
        if difference <= (1e-6 if what == "repeat" else max(1e-6, 2 * restless)):
            continue
        figure = f"Samples move by {difference:.2g} times their own rms when"
        if what == "repeat":
            yield Fault("repeat", f"{figure} drawn again: the same seed must give the same.")
        else:
            yield Fault("leak", f"{figure} {what} changes, which the sampler must not see.")


def _zero_points(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, where in (("zero_point", "in"), ("zero_point_outside", "outside")):
        for value, error in _pairs(table, name):
            if value < 0.3 - BEYOND * error:
                yield Fault(
                    "zero point",
                    f"The mean of κ {where} the footprint is right to {value:.0%} of its own rms: "
                    "it is copied from the truth, for shear does not hold it.",
                )


def _latents(table: Mapping[str, Any]) -> Iterator[Fault]:
    for value, _ in _pairs(table, "latent_share"):
        if value < 0.1:
            yield Fault(
                "latents",
                f"Samples differ by only {value:.1%} of their own std from latent to latent: "
                "latents are ignored, and this is one map, not a posterior.",
            )
            return
    for value, _ in _pairs(table, "closest_pair"):
        if value < 0.1:
            yield Fault(
                "latents",
                f"Two samples differ by only {value:.1%} of what independent ones do: the "
                "sampler repeats itself, and N samples are fewer.",
            )


def _mean(table: Mapping[str, Any]) -> Iterator[Fault]:
    for value, error in _outside(table, "slope", 0.95, 1.05):
        hidden = table.get("spread_skill")
        hides = hidden is not None and 0.9 < hidden < 1.1
        yield Fault(
            "biased mean",
            f"The truth rises by {_say(value, error)} per unit of MEAN (should be 0.95–1.05): "
            f"MEAN is {'too strong' if value < 1 else 'too weak'}, or carries errors of its own"
            + (f", and a spread as wrong hides it (spread/skill {hidden:.2f})." if hides else "."),
        )
    for value, error in _outside(table, "peak_bias_unselected", -0.1, 0.1):
        yield Fault(
            "biased peaks",
            f"κ at the top 1 % of MEAN is off by {100 * value:+.0f} ± {100 * error:.0f} % (should "
            "be within 10 %): peaks are mis-scaled.",
        )
    for value, error in _outside(table, "r_over_exact", -inf, 1.02):
        yield Fault(
            "r too high",
            f"Pearson r is {_say(value, error)} of the exact posterior mean's (at most 1.02): "
            "more than the data allow, so the sampler knows something else.",
        )
    for value, error in _outside(table, "r_over_exact", 0.9, inf):
        yield Fault(
            "r too low",
            f"Pearson r is {_say(value, error)} of the exact posterior mean's (at least 0.9): the "
            "sampler makes too little of the data, calibrated or not.",
        )


def _spread(table: Mapping[str, Any]) -> Iterator[Fault]:
    places = {
        "spread_skill": ("per pixel", 0.96, 1.04),
        "spread_skill_2arcmin": ("after 2′ smoothing", 0.9, 1.1),
        "spread_skill_4arcmin": ("after 4′ smoothing", 0.9, 1.1),
        "spread_skill_top": ("at the top 1 % of MEAN", 0.9, 1.1),
    }
    for name, (where, low, high) in places.items():
        for value, error in _outside(table, name, low, high):
            yield Fault(
                f"spread {where}",
                f"Spread/skill {where} is {_say(value, error)} (should be {low}–{high}): samples "
                f"scatter too {'little' if value < 1 else 'much'} for their error there.",
            )


def _std_map(table: Mapping[str, Any]) -> Iterator[Fault]:
    for variation, _ in _pairs(table, "std_variation"):
        levels = list(_pairs(table, "depth_levels"))
        change, scatter = _rise(levels) if levels else (inf, 0.0)
        if variation < 0.03 and abs(change) > max(0.05, BEYOND * scatter):
            seen = (
                f"while spread/skill changes by {_say(change, scatter)} with the depth of the data"
                if levels
                else "which only even noise without mask or edge allows"
            )
            yield Fault(
                "constant STD",
                f"STD varies by only {variation:.1%} over the footprint, {seen}: it does not "
                "know where the map is bad.",
            )
        noise = 1 / sqrt(2 * max(table.get("samples") or inf, 2) - 2)
        for value, error in _pairs(table, "std_error_r"):
            expected = _expected_std_error_r(variation, noise)
            if variation >= 0.05 and value < expected / 2 - BEYOND * error:
                yield Fault(
                    "misplaced STD",
                    f"STD and |error| correlate by {_say(value, error)}, where so varied an STD "
                    f"should give {expected:.2f}: it is large in the wrong places.",
                )


def _levels(table: Mapping[str, Any]) -> Iterator[Fault]:
    kinds = {
        "deciles_unselected": ("deciles", "decile {} of STD"),
        "depth_levels": ("depth", "level {} of depth (the first is the least observed)"),
    }
    for name, (kind, where) in kinds.items():
        pairs = list(_pairs(table, name))
        bad = [(k, *pair) for k, pair in enumerate(pairs, 1) if _is_outside(*pair, 0.9, 1.1)]
        if bad:
            k, value, error = max(bad, key=lambda b: abs(b[1] - 1))
            yield Fault(
                kind,
                f"Spread/skill is outside 0.9–1.1 in {len(bad)} of {len(pairs)}, furthest in "
                f"{where.format(k)} with {_say(value, error)}: STD is not the error to expect "
                "there.",
            )


def _ranks(table: Mapping[str, Any]) -> Iterator[Fault]:
    pairs = list(_pairs(table, "ranks"))
    bounds = [(0.75, 1.25) if k in (0, len(pairs) - 1) else (0.9, 1.1) for k in range(len(pairs))]
    bad = [p for p, b in zip(pairs, bounds, strict=True) if _is_outside(*p, *b)]
    if bad:
        first, last = pairs[0][0], pairs[-1][0]
        middle = sum(v for v, _ in pairs[1:-1]) / (len(pairs) - 2)
        shape = "a slope: MEAN is biased"
        if (first - middle) * (last - middle) > 0:
            valley = first > middle
            shape = f"a {'valley: too little' if valley else 'hill: too much'} spread"
        yield Fault(
            "ranks",
            f"Ranks of the truth are not flat in {len(bad)} of {len(pairs)} bins (outer two "
            f"{first:.2f} and {last:.2f}, should be 1): {shape}.",
        )


def _coverage(table: Mapping[str, Any]) -> Iterator[Fault]:
    pairs = list(_pairs(table, "coverage"))
    named = zip(table.get("coverage_levels", LEVELS.tolist()) if pairs else (), pairs, strict=True)
    bad = [(at, *p) for at, p in named if _is_outside(*p, at - 0.02, at + 0.02)]
    if bad:
        level, value, error = max(bad, key=lambda b: abs(b[1] - b[0]))
        yield Fault(
            "coverage",
            f"Intervals of {level:.0%} hold the truth in {value:.1%} ± {error:.1%} of the pixels "
            f"(should be within 2 %): they are too {'narrow' if value < level else 'wide'}.",
        )


def _tarp(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, p in (table.get("tarp") or {}).items():
        if p < 0.005:
            yield Fault(
                "joint samples",
                f"TARP on {name} has p = {p:.3f} (should exceed 0.005): what samples do together "
                "is wrong, even where single pixels are right.",
            )


def _gain(table: Mapping[str, Any]) -> Iterator[Fault]:
    if table.get("samples") is None:
        return
    ideal = gain_law(table["samples"])
    for value, error in _outside(table, "gain", ideal - 0.15, ideal + 0.15):
        yield Fault(
            "gain",
            f"Averaging {table['samples']} samples gains {_say(value, error)} dB (should be "
            f"{ideal:.2f} ± 0.15): samples are too {'alike' if value < ideal else 'different'}.",
        )


def _b_mode(table: Mapping[str, Any]) -> Iterator[Fault]:
    for value, error in _outside(table, "b_mode_r", -0.05, 0.05):
        yield Fault(
            "B mode",
            f"MEAN of the field turned by 45° has r = {_say(value, error)} with the truth (should "
            "be 0): E and B modes are mixed, or the map does not come from the shear.",
        )


def _rise(levels: list[tuple[float, float]]) -> tuple[float, float]:
    """Change from the first level to the last along a straight line, and its std error."""
    values, errors = (np.array(x) for x in zip(*levels, strict=True))
    step = np.linspace(-0.5, 0.5, len(values))
    weight = step / (step**2).sum()
    return float(weight @ values), float(np.sqrt(weight**2 @ errors**2))


def _expected_std_error_r(variation: float, noise: float) -> float:
    """Pearson r of STD with |error| if errors are Gaussian with that std.

    STD varies by `variation` and, for its sampling, by `noise` more.
    """
    half_normal = 2 / pi  # squared mean of |N(0, 1)|
    share = variation / sqrt(variation**2 + noise**2)
    return share * variation * sqrt(half_normal / (1 + variation**2 - half_normal))


def _pairs(table: Mapping[str, Any], name: str) -> Iterator[tuple[float, float]]:
    """Values of a figure, NaN where it was not measured, each with its std error (0: unknown)."""
    if table.get(name) is None:
        return
    values = np.atleast_1d(np.asarray(table[name], float))
    errors = np.atleast_1d(np.asarray(table.get(f"{name}_error", 0.0), float))
    errors = np.broadcast_to(np.nan_to_num(errors), values.shape)
    yield from zip(values.tolist(), errors.tolist(), strict=True)


def _outside(
    table: Mapping[str, Any], name: str, low: float, high: float
) -> Iterator[tuple[float, float]]:
    return (pair for pair in _pairs(table, name) if _is_outside(*pair, low, high))


def _is_outside(value: float, error: float, low: float, high: float) -> bool:
    """NaN is never outside."""
    return value < low - BEYOND * error or value > high + BEYOND * error


def _say(value: float, error: float) -> str:
    return f"{value:.2f}" + (f" ± {error:.2f}" if error else "")
