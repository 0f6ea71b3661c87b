"""What a checkpoint must reach, beside what it does; and the tables of its report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from massgan_core.evaluate.spectra import within

ENOUGH = 100  #: peaks of the truth, for a bin to be judged


@dataclass(frozen=True)
class Bar:
    """One requirement.

    Args:
        name: What is measured.
        required: In words.
        measured: The figure, in words.
        reached: Whether it is enough.
    """

    name: str
    required: str
    measured: str
    reached: bool


def judge(report: dict[str, Any]) -> list[Bar]:
    """All bars whose part of the report is there."""
    parts = {
        "gan": _main,
        "depth": _depth,
        "redshift": _redshift,
        "ktng": _ktng,
        "cosmos": _cosmos,
        "cost": _cost,
    }
    return [bar for name, judged in parts.items() if name in report for bar in judged(report)]


def _main(report: dict[str, Any]) -> list[Bar]:
    gan, wiener, ks = report["gan"], report["over_wiener"], report["over_ks"]
    bars = [
        _least("r over Wiener", wiener["r"], 1.04, goal=1.06),
        _least("r over KS 1′", ks["r"], 1.12, goal=1.14),
        _most("RMSE over Wiener", wiener["rmse"], 0.97),
    ]
    if "over_regression" in report:
        bars.append(_least("r over the regression mean", report["over_regression"]["r"], 0.99))
    bars.append(_within("spread/skill", *_with_error(gan, "spread_skill"), 0.96, 1.04))
    for key, words in (
        ("spread_skill_top", "at the top 1 % of MEAN"),
        ("spread_skill_2arcmin", "after 2′ smoothing"),
        ("spread_skill_4arcmin", "after 4′ smoothing"),
    ):
        bars.append(_within(f"spread/skill {words}", *_with_error(gan, key), 0.9, 1.1))
    bars.append(_all("spread/skill per decile of std", gan["deciles"], 0.9, 1.1))
    # The std of a few samples picks pixels for its own scatter: see evaluate/reliability.py.
    loose = "spread/skill per decile, picked by the other half of the samples"
    bars.append(_all(loose, gan["deciles_unselected"], 0.9, 1.1))
    if "ranks" in gan:
        bars.append(_all("ranks, inner 14 bins", gan["ranks"][1:-1], 0.9, 1.1))
        outer = [gan["ranks"][0], gan["ranks"][-1]]
        bars.append(_all("ranks, outer two bins", outer, 0.75, 1.25))
    edges, power = report["band_edges"], np.array(gan["power_over_truth"])
    bars += [
        _all("power, ℓ 300–6,000", power[within(edges, 300, 6000)], 0.9, 1.1),
        _all("power, ℓ 6,000–12,000", power[within(edges, 6000, 12000)], 0.8, 1.2),
        _within("PDF std over truth", *_with_error(gan, "std_over_truth"), 0.85, 1.15),
        _within("PDF skewness over truth", *_with_error(gan, "skewness_over_truth"), 0.85, 1.15),
    ]
    enough = np.array(report["peaks_of_truth"]) >= ENOUGH
    peaks = np.array(gan["peaks_over_truth"], float)[enough]
    return [*bars, _all(f"peak counts, {enough.sum()} heights", peaks, 0.8, 1.2)]


def _depth(report: dict[str, Any]) -> list[Bar]:
    bars = []
    for value, one in report["depth"].items():
        words = f"at {value}/arcmin²"
        bars.append(_least(f"r over Wiener {words}", one["over_wiener"]["r"], 1.0))
        spread = _with_error(one["gan"], "spread_skill")
        bars.append(_within(f"spread/skill {words}", *spread, 0.9, 1.1))
    return bars


def _redshift(report: dict[str, Any]) -> list[Bar]:
    bars = [
        _least(f"r over Wiener, mean redshift {value}", one["over_wiener"]["r"], 1.0)
        for value, one in report["redshift"].items()
    ]
    said = [bool(reasons) for reasons in report["outside"].values()]
    inside = not report["inside"]
    words = f"{sum(said)} of {len(said)} said; COSMOS {'inside' if inside else 'outside'}"
    return [*bars, Bar("outside the domain it says so", "all", words, all(said) and inside)]


def _ktng(report: dict[str, Any]) -> list[Bar]:
    one = report["ktng"]
    words = f"κTNG, {one['draws']} noises (embedding ± {one['embedding_residual']:.0%} of shear)"
    return [_least(f"{words}: r over Wiener", one["over_wiener"]["r"], 1.02)]


def _cosmos(report: dict[str, Any]) -> list[Bar]:
    one = report["cosmos"]
    difference = "S/N {:.1f} against {:.1f}, difference {:+.2f} ± {:.2f}".format(
        one["gan"]["snr"], one["wiener"]["snr"], *one["difference"]
    )
    height, left = one["gan 45°"]["snr"], one["b_mode_left"]
    b_mode = (
        f"{height:+.2f} (rms left: {left['gan']:.0%} of the mean, Wiener {left['wiener']:.0%})"
    )
    return [
        Bar(
            f"COSMOS: stack on {one['clusters']} clusters over Wiener",
            "≥ 0.95",
            f"{one['ratio']:.3f} ({difference})",
            one["ratio"] >= 0.95,
        ),
        Bar("COSMOS: stack in the B mode", "S/N within ±3", b_mode, abs(height) < 3),
    ]


def _cost(report: dict[str, Any]) -> list[Bar]:
    one = report["cost"]
    words = "{gflop:.2f} (encoder {encoder_gflop:.2f})".format(**one)
    return [Bar("GFLOP per 300² sample", "≤ 9", words, one["gflop"] <= 9)]


def _with_error(table: dict[str, Any], key: str) -> tuple[float, float]:
    return table[key], table[f"{key}_error"]


def _number(value: float, error: float | None) -> str:
    return f"{value:.3f}" + ("" if error is None else f" ± {error:.3f}")


def _least(name: str, pair: list[float], low: float, goal: float | None = None) -> Bar:
    words = f"≥ {low:g}" + (f" (goal {goal:g})" if goal else "")
    return Bar(name, words, _number(*pair), pair[0] >= low)


def _most(name: str, pair: list[float], high: float) -> Bar:
    return Bar(name, f"≤ {high:g}", _number(*pair), pair[0] <= high)


def _within(name: str, value: float, error: float | None, low: float, high: float) -> Bar:
    return Bar(name, f"{low:g}–{high:g}", _number(value, error), low <= value <= high)


def _all(name: str, values: Any, low: float, high: float) -> Bar:
    values = np.asarray(values, float)
    if not len(values):
        return Bar(name, f"each {low:g}–{high:g}", "none to judge", False)
    good = (values >= low) & (values <= high)
    words = f"{values.min():.3f}–{values.max():.3f}, {good.sum()} of {len(values)}"
    return Bar(name, f"each {low:g}–{high:g}", words, bool(good.all()))


def as_rows(bars: list[Bar]) -> list[dict[str, Any]]:
    """For the JSON report."""
    return [asdict(bar) for bar in bars]


def list_of_bars(bars: list[Bar]) -> str:
    """All bars as one Markdown table."""
    lines = ["| bar | required | measured | reached |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {b.name} | {b.required} | {b.measured} | {'yes' if b.reached else '**no**'} |"
        for b in bars
    ]
    return "\n".join(lines)


def tables(report: dict[str, Any]) -> str:
    """Scores of all methods, and of the deciles, depths and redshifts."""
    parts = []
    if "gan" in report:
        parts += [_methods(report), _deciles(report), _bands(report), _peaks(report)]
    for key, words in (("depth", "galaxies/arcmin²"), ("redshift", "mean redshift")):
        if report.get(key):
            parts.append(_beside(report[key], words))
    return "\n\n".join(parts)


def _methods(report: dict[str, Any]) -> str:
    ks, gan = report["ks"], report["gan"]
    rows = [
        ("Kaiser–Squires 1′", report["ks_1arcmin"]),
        (f"Kaiser–Squires {ks['smoothing']}′ (best r)", ks),
        ("Wiener filter, theory spectrum", report["wiener"]),
        *([("regression", report["regression"])] if "regression" in report else []),
        (f"GAN, mean of {report['samples']} samples", gan),
    ]
    keys = ("", "_2arcmin", "_4arcmin", "_top")
    head = ["map", "r", "RMSE", "spread/skill", "2′", "4′", "top 1 %", "κ bias at peaks"]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    for name, one in rows:
        spread = [one.get(f"spread_skill{key}") for key in keys]
        cells = ["–" if v is None else f"{v:.2f}" for v in spread]
        bias = f"{one['peak_bias']:+.1%}" if "peak_bias" in one else "–"
        lines.append(
            f"| {name} | {one['r']:.3f} | {one['rmse']:.4f} | {' | '.join(cells)} | {bias} |"
        )
    said = f"{report['fields']} fields from {report['boxes']} boxes ({report['skies']})"
    said += (
        f". The mean of ever more GAN samples tends to r {gan['r_limit']:.3f}. At peaks picked by "
        f"the other half of the samples κ of the GAN is off by {gan['peak_bias_unselected']:+.1%}."
    )
    return "\n".join([said, "", *lines])


def _deciles(report: dict[str, Any]) -> str:
    gan, wiener = report["gan"], report["wiener"]
    lines = [_line("decile of std", range(1, 11)), "| --- " * 11 + "|"]
    lines.append(_line("GAN", gan["deciles"]))
    lines.append(_line("picked by the other half", gan["deciles_unselected"]))
    lines.append(_line("Wiener, likewise", wiener["deciles_unselected"]))
    if "ranks" in gan:
        ranks = gan["ranks"]
        lines += ["", _line("ranks", range(1, len(ranks) + 1))]
        lines += ["| --- " * (len(ranks) + 1) + "|", _line("GAN", ranks)]
        lines += [_line("Wiener", wiener["ranks"])] if "ranks" in wiener else []
    return "\n".join(lines)


def _bands(report: dict[str, Any]) -> str:
    edges = np.round(report["band_edges"]).astype(int)
    names = [f"{a}–{b}" for a, b in zip(edges[:-1], edges[1:], strict=True)]
    lines = [_line("power over truth, ℓ", names), "| --- " * (len(names) + 1) + "|"]
    return "\n".join([*lines, *(_of(report, m, "power_over_truth") for m in ("gan", "wiener"))])


def _peaks(report: dict[str, Any]) -> str:
    edges = report["peak_heights"]
    names = [f"{a:g}–{b:g}σ" for a, b in zip(edges[:-1], edges[1:], strict=True)]
    lines = [_line("peaks over truth", names), "| --- " * (len(names) + 1) + "|"]
    lines += [_of(report, m, "peaks_over_truth") for m in ("gan", "wiener")]
    return "\n".join([*lines, _line("of the truth", map(round, report["peaks_of_truth"]))])


def _beside(table: dict[str, Any], words: str) -> str:
    lines = [
        f"| {words} | fields | r GAN | of ever more samples | r Wiener | ratio | spread/skill |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for value, one in table.items():
        lines.append(
            f"| {value} | {one['fields']} | {one['gan']['r']:.3f} | {one['gan']['r_limit']:.3f} | "
            f"{one['wiener']['r']:.3f} | "
            f"{_number(*one['over_wiener']['r'])} | "
            f"{_number(*_with_error(one['gan'], 'spread_skill'))} |"
        )
    return "\n".join(lines)


def _of(report: dict[str, Any], method: str, key: str) -> str:
    return _line({"gan": "GAN", "wiener": "Wiener"}[method], report[method][key])


def _line(name: str, values: Any) -> str:
    cells = ["–" if v is None else f"{v:.2f}" if isinstance(v, float) else str(v) for v in values]
    return f"| {name} | {' | '.join(cells)} |"
