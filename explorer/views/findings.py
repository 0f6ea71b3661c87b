"""What each check is called, what it shows, and what it found, in words."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from explorer.diagnostics import FLAT, LEAST_RANKED, WIDTH
from explorer.widgets.texts import number

if TYPE_CHECKING:
    from explorer.diagnostics import Diagnosis, Ranks, Shear, Spectrum, Values
    from massgan_core.evaluate.convergence import Convergence
    from massgan_core.evaluate.settling import Settling

SECTION = "How good are these samples?"
INTRODUCTION = "Is the posterior right, not only plausible? Checks of the samples that are kept."
WAITING = "Draw samples, then pause or let them finish."
#: Title, one plain sentence, and what the question mark explains.
CHECKS = {
    "growth": (
        "More samples, better mean",
        "How much closer to the truth the mean of N samples is than a single one.",
        "Gain in PSNR. The mean of N exact samples gains 10·log₁₀(2N/(N + 1)) dB, at most 3 dB. "
        "Less than that: the samples spread too little for their error. More: they spread too "
        "much.",
    ),
    "settling": (
        "How the mean settles",
        "How far the mean of N samples moved when their number last doubled.",
        "The truth is not known here, so this asks only whether samples are independent: then "
        "the change falls as 1/√N. Whether the mean settles at the right place it cannot tell.",
    ),
    "spectrum": (
        "Structure by scale",
        "How much structure the maps have, from large patches (left) to small ones (right).",
        "Power spectrum ℓ²C(ℓ)/2π; the scale along the top is 180°/ℓ. All curves, the theory for "
        "this field's n(z) too, went through the same mask, which is not deconvolved: compare "
        "them with one another only. A sample should have the truth's power; the mean has less, "
        "because it leaves out what is not known.",
    ),
    "values": (
        "Values of κ",
        f"How often each value of κ occurs in maps blurred by {WIDTH:g}′.",
        "One-point distribution. The long tail to the right are clusters of galaxies. Samples "
        "should have as much of it as the truth; the mean has less.",
    ),
    "ranks": (
        "Rank of the truth",
        "Where the true κ falls among the samples, pixel by pixel. Even, if they are right.",
        f"Grey: where {FLAT:.0%} of exact posteriors lie, found by ranking every sample among "
        "the others. High at both ends: too little spread. A hill: too much. A slope: a bias.",
    ),
    "coverage": (
        "Coverage",
        "How often intervals between samples hold the truth, against how often they should.",
        f"Central intervals, over all pixels. Grey: {FLAT:.0%} of exact posteriors. Below the "
        "line: too sure. Above: not sure enough. 95% shows from 48 samples, 99% from 208.",
    ),
    "shear": (
        "Predicted shear",
        "How badly the shear of each sample misses the measured one. 1: as noise alone would.",
        "Posterior predictive check: χ² per degree of freedom, 2′ and more from the edge. Grey: "
        "where noise alone lets it lie, two standard deviations to each side; all samples share "
        "that shift. Above: noise does not explain the misfit, or is larger than was stated. "
        "Below: the samples follow the noise.",
    ),
}


def standing(n: int | None, *, busy: bool, current: bool) -> tuple[str, str]:
    """A word for scripts, and a sentence on which samples the checks are of."""
    if n is None:
        return ("busy", "Checking …") if busy else ("empty", WAITING)
    of = f"From {n} samples"
    if busy:
        return "busy", f"{of}; checking those of now …"
    if current:
        return "current", f"{of}."
    return "old", f"{of} drawn before; checked anew once the run rests."


def findings(found: Diagnosis) -> dict[str, str]:
    """A sentence for each check that could be made."""
    words = {
        "settling": settled(found.settling),
        "spectrum": structure(found.spectrum),
        "values": values(found.values),
        "shear": shear(found.shear),
    }
    if found.growth is not None:
        words["growth"] = growth(found.growth, found.spread_skill)
        needs = f"Needs {LEAST_RANKED} samples, there are {found.n}."
        words["ranks"] = needs if found.ranks is None else ranks(found.ranks)
        words["coverage"] = needs if found.ranks is None else coverage(found.ranks)
    return words


def growth(found: Convergence, ratio: float) -> str:
    """What averaging gained."""
    return (
        f"RMSE {number(found.rmse[0])} of one sample, {number(found.rmse[-1])} of the mean of "
        f"{found.n[-1]}: {found.gain[-1]:.2f} dB gained, {found.ideal[-1]:.2f} dB if exact. "
        f"Spread over error: {ratio:.2f}{_judged(ratio)}."
    )


def _judged(ratio: float) -> str:
    if ratio < 0.9:
        return ", too little spread"
    return ", too much spread" if ratio > 1.1 else ""


def settled(found: Settling) -> str:
    """The last doubling."""
    return (
        f"From {found.n[-1] // 2} to {found.n[-1]} samples it moved by "
        f"{number(found.change[-1])} (rms); independent samples: {number(found.law[-1])}."
    )


def structure(found: Spectrum) -> str:
    """How much of the power there should be is there, at the scale of clusters."""
    at = int(np.argmin(abs(np.log(found.ell / 5000))))
    model = "the theory's" if found.truth is None else "the truth's"
    of_sample, of_mean = (y[at] / found.model[at] for y in (found.samples.middle, found.mean))
    return (
        f"At ℓ = {found.ell[at]:,.0f} ({10800 / found.ell[at]:.1f}′) a sample has "
        f"{_times(of_sample)} {model} power, the mean {_times(of_mean)} it. "
        "Mask not deconvolved."
    )


def _times(ratio: float) -> str:
    return f"{ratio:.0%} of" if ratio < 2 else f"{ratio:.3g} times"


def values(found: Values) -> str:
    """How wide the distributions are."""
    samples, mean, truth = found.std
    known = "" if truth is None else f", of the truth {number(truth)}"
    return f"Std of κ: of samples {number(samples)}, of their mean {number(mean)}{known}."


def ranks(found: Ranks) -> str:
    """How even the ranks are."""
    even = (found.share >= found.even.low) & (found.share <= found.even.high)
    return f"{even.sum()} of {even.size} bars end in the grey band. Truth among {found.n} samples."


def coverage(found: Ranks) -> str:
    """The widest interval that people quote and these samples reach."""
    level = found.level[-1]
    return (
        f"The {level:.0%} interval holds the truth in {found.covered[-1]:.1%} of the pixels; "
        f"exact: {found.right.low[-1]:.1%} to {found.right.high[-1]:.1%}."
    )


def shear(found: Shear) -> str:
    """Whether noise explains the misfit."""
    low, high = 1 - 2 * found.error, 1 + 2 * found.error
    if not isfinite(found.mean):
        return "The field is too narrow for it."
    verdict = "noise alone explains it"
    if found.mean > high:
        verdict = "more than noise explains, or the noise is larger than stated"
    elif found.mean < low:
        verdict = "less than noise: the samples follow it"
    known = "" if found.truth is None else f" The truth: {found.truth:.3f}."
    return f"On average {found.mean:.3f}, expected {low:.3f} to {high:.3f}: {verdict}.{known}"
