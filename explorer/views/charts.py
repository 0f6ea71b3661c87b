"""The figures of the checks: what each draws, and where its arrays come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.elements.curves import Chart, Layer, limits

if TYPE_CHECKING:
    from explorer.diagnostics import Diagnosis, Settled

COUNTS = [4**k for k in range(7)]  #: marks of an axis that counts samples
_N = ("samples", "@x{0}")
_BAND = Layer("band", "samples", "samples, 16–84%")
_MEDIAN = Layer("line", "samples", "their median")
_MEAN = Layer("line", "mean", "mean of samples")
_TRUTH = Layer("line", "truth", "truth")
_EXACT = Layer("band", "law", "95% of exact posteriors")


def charts() -> dict[str, Chart]:
    """All figures, empty."""
    return {
        "growth": Chart(
            "growth",
            "samples N in the mean",
            "gain in PSNR [dB]",
            {
                "ideal": Layer("dashed", "law", "exact samples"),
                "law": Layer("dotted", "samples", "from their spread"),
                "gain": Layer("points", "mean", "mean of N samples"),
            },
            log="x",
            ticks=COUNTS,
            tooltip=[_N, ("gain", "@y{0.00} dB")],
        ),
        "settling": Chart(
            "settling",
            "samples N in the mean",
            "rms change of κ",
            {
                "law": Layer("dashed", "law", "independent samples, 1/√N"),
                "change": Layer("points", "mean", "mean of N less that of N/2"),
            },
            log="xy",
            ticks=COUNTS,
            tooltip=[_N, ("change", "@y{0.0000}")],
        ),
        "spectrum": Chart(
            "spectrum",
            "multipole ℓ",
            "ℓ² C(ℓ) / 2π",
            {
                "samples": _BAND,
                "theory": Layer("dashed", "law", "theory, same mask"),
                "median": _MEDIAN,
                "mean": _MEAN,
                "truth": _TRUTH,
            },
            log="xy",
            ticks=[300, 1000, 3000, 10000, 30000],
            tooltip=[("ℓ", "@x{0,0}"), ("ℓ²C/2π", "@y{0.0e+0}")],
        ),
        "values": Chart(
            "values",
            "κ, blurred by 1′",
            "share of pixels per κ",
            {"samples": _BAND, "median": _MEDIAN, "mean": _MEAN, "truth": _TRUTH},
            log="y",
            tooltip=[("κ", "@x{0.000}"), ("density", "@y{0.00}")],
        ),
        "ranks": Chart(
            "ranks",
            "samples below the truth",
            "pixels, 1 = even",
            {
                "share": Layer("bars", "samples", "truth among the samples"),
                "exact": _EXACT,
                "even": Layer("dashed", "law", "even"),
            },
            tooltip=[("pixels", "@y{0.00}")],
        ),
        "coverage": Chart(
            "coverage",
            "level of the interval",
            "truths inside",
            {
                "exact": _EXACT,
                "nominal": Layer("dashed", "law", "as it should be"),
                "covered": Layer("points", "mean", "these samples"),
            },
            percent=True,
            tooltip=[("level", "@x{0%}"), ("inside", "@y{0.0%}")],
        ),
        "shear": Chart(
            "shear",
            "χ² of the shear over that of noise",
            "share of samples",
            {
                "noise": Layer("band", "law", "noise alone, ± 2 std"),
                "one": Layer("dashed", "law", "1"),
                "share": Layer("bars", "samples", "samples"),
                "truth": Layer("line", "truth", "truth"),
            },
            tooltip=[("share", "@y{0.00}")],
        ),
    }


def pictures(found: Diagnosis) -> dict[str, tuple]:
    """Limits and arrays of each figure, see :meth:`explorer.elements.curves.Chart.show`."""
    made = {
        **convergence(found),
        "spectrum": _spectrum(found),
        "values": _values(found),
        "shear": _shear(found),
    }
    if found.ranks is not None:
        made |= {"ranks": _ranks(found), "coverage": _coverage(found)}
    return made


def convergence(found: Settled) -> dict[str, tuple]:
    """Those of :func:`pictures` that follow a growing number of samples."""
    made = {"settling": _settling(found)}
    if found.growth is not None:
        made["growth"] = _growth(found)
    return made


def _growth(found: Settled) -> tuple:
    growth = found.growth
    lines = {"ideal": growth.ideal, "law": growth.law, "gain": growth.gain}
    ends = limits(growth.n, log=True), limits(*lines.values())
    return ends, {key: _xy(growth.n, y) for key, y in lines.items()}


def _settling(found: Settled) -> tuple:
    settling = found.settling
    lines = {"law": settling.law, "change": settling.change}
    ends = limits(settling.n, log=True), limits(*lines.values(), log=True)
    return ends, {key: _xy(settling.n, y) for key, y in lines.items()}


def _spectrum(found: Diagnosis) -> tuple:
    spectrum, band = found.spectrum, found.spectrum.samples
    lines = {"theory": spectrum.theory, "median": band.middle, "mean": spectrum.mean}
    if spectrum.truth is not None:
        lines["truth"] = spectrum.truth
    ends = (
        limits(spectrum.ell, log=True),
        limits(*lines.values(), band.low, band.high, log=True),
    )
    return ends, _lines(spectrum.ell, lines, band)


def _values(found: Diagnosis) -> tuple:
    values, band = found.values, found.values.samples
    lines = {"median": band.middle, "mean": values.mean}
    if values.truth is not None:
        lines["truth"] = values.truth
    floor, top = limits(*lines.values(), band.low, band.high, log=True)
    # No pixel at all has no place on this axis: a line ends there, a band reaches its foot.
    lines = {key: np.where(y > 0, y, np.nan) for key, y in lines.items()}
    arrays = _lines(values.kappa, lines, band)
    for edge in ("low", "high"):
        arrays["samples"][edge] = np.maximum(arrays["samples"][edge], floor)
    return (limits(values.kappa), (floor, top)), arrays


def _ranks(found: Diagnosis) -> tuple:
    ranks = found.ranks
    edges = np.linspace(0, ranks.n + 1, len(ranks.share) + 1)
    bars = {"left": edges[:-1], "right": edges[1:], "y": ranks.share}
    # A step at each edge: the band has a value a bar, as the bars have.
    steps = {
        "x": np.repeat(edges, 2)[1:-1],
        "low": np.repeat(ranks.even.low, 2),
        "high": np.repeat(ranks.even.high, 2),
    }
    top = 1.08 * max(ranks.share.max(), ranks.even.high.max())
    ends = (0, ranks.n + 1), (0, top)
    return ends, {"share": bars, "exact": steps, "even": _xy(ends[0], (1, 1))}


def _coverage(found: Diagnosis) -> tuple:
    ranks = found.ranks
    band = {"x": ranks.level, "low": ranks.right.low, "high": ranks.right.high}
    arrays = {
        "exact": band,
        "nominal": _xy((0, 1), (0, 1)),
        "covered": _xy(ranks.level, ranks.covered),
    }
    return ((0, 1), (0, 1)), arrays


def _shear(found: Diagnosis) -> tuple:
    shear = found.shear
    if not np.isfinite(shear.mean):
        return ((0, 1), (0, 1)), {}
    low, high, top = 1 - 2 * shear.error, 1 + 2 * shear.error, 1.08 * shear.share.max()
    arrays = {
        "noise": {"x": (low, high), "low": (0, 0), "high": (top, top)},
        "one": _xy((1, 1), (0, top)),
        "share": {"left": shear.edges[:-1], "right": shear.edges[1:], "y": shear.share},
    }
    if shear.truth is not None:
        arrays["truth"] = _xy((shear.truth, shear.truth), (0, top))
    known = [] if shear.truth is None else [[shear.truth]]
    return (limits([low, high], shear.edges, *known, room=0.15), (0, top)), arrays


def _lines(x: Any, lines: dict[str, Any], band: Any) -> dict[str, dict[str, Any]]:
    arrays = {key: _xy(x, y) for key, y in lines.items()}
    return {**arrays, "samples": {"x": x, "low": band.low, "high": band.high}}


def _xy(x: Any, y: Any) -> dict[str, Any]:
    return {"x": x, "y": y}
