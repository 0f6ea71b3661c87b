"""Records of all fields to figures with their errors over boxes."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, sqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluate import box_weights, paired_ratio, psnr
from massgan_core.evaluate.convergence import convergence
from massgan_core.evaluate.coverage import LEVELS, attainable, binned_ranks, coverage
from massgan_core.evaluate.faults import faults, unjudged
from massgan_core.evaluate.spectra import EDGES
from massgan_core.evaluate.tarp import tarp
from massgan_core.evaluating.measure import LEAST_SNR
from massgan_core.evaluating.scene import HEIGHTS, TARPS, VALUES

ROOTS = ("spread_skill", "zero_point", "deciles", "depth_levels")
SUMS = (
    "spread_skill",
    "spread_skill_2arcmin",
    "spread_skill_4arcmin",
    "spread_skill_top",
    "deciles",
    "deciles_unselected",
    "depth_levels",
    "peak_bias_unselected",
    "slope",
    "zero_point",
    "zero_point_outside",
    "chi_square",
)

Table = dict[str, Any]


def tabulate(
    records: Sequence[dict[str, Tensor]],
    boxes: Sequence[int],
    *,
    samples: int,
    leaks: dict[str, float] | None = None,
    gflop: float | None = None,
    known: Table | None = None,
) -> Table:
    """Figures of one method over all fields, as JSON values.

    Args:
        records: From :func:`massgan_core.evaluating.measure.measure`.
        boxes: Box of each field.
        samples: Number of samples of a field.
        leaks: From :func:`massgan_core.evaluate.probes.leak_probe`.
        gflop: Of one sample.
        known: Further figures, e.g. ``r_over_exact`` where the exact posterior is known.
    """
    all_ = {name: torch.stack([r[name] for r in records]) for name in records[0]}
    has_samples = "ranks" in all_
    table: Table = {"fields": len(records), "boxes": len(set(boxes)), "gflop": gflop}
    table |= (known or {}) | _point(all_, boxes) | {"leaks": leaks or {}}
    seconds = all_["seconds"].median(0).values.tolist()
    table["seconds_of_map"], table["seconds_of_sample"] = seconds
    if has_samples:
        table |= {"samples": samples} | _posterior(all_, boxes)
    for name in ("zero_point", "zero_point_outside"):
        table |= _figure(name, all_, boxes)
    if not has_samples:
        table |= _figure("slope", {"slope": all_["slope_of_map"]}, boxes)
    # A smoothed or shrunken map has no posterior to be judged by; leaks and copies it may have.
    judged = table if has_samples else {k: v for k, v in table.items() if k in _OF_MAPS}
    table["faults"] = [{"name": f.name, "words": f.words} for f in faults(judged)]
    table["unjudged"] = unjudged(judged)
    return finite(table)


_OF_MAPS = (
    *("leaks", "zero_point", "zero_point_error", "zero_point_outside", "zero_point_outside_error"),
    *("b_mode_r", "b_mode_r_error"),
)


def ratios(
    records: Sequence[dict[str, Tensor]],
    others: Sequence[dict[str, Tensor]],
    boxes: Sequence[int],
) -> Table:
    """r, RMSE and SSIM over those of another method on the same fields: [ratio, std error]."""
    pairs = {}
    for name in ("r", "ssim", "rmse"):
        values = [
            torch.stack([r["mean_square"].sqrt() if name == "rmse" else r[name] for r in part])
            for part in (records, others)
        ]
        pairs[name] = [x.item() for x in paired_ratio(*values, boxes)]
    return finite(pairs)


def _point(all_: dict[str, Tensor], boxes: Sequence[int]) -> Table:
    table: Table = {}
    for name in ("r", "ssim", "mean_square", "b_mode_r"):
        table |= _mean(name, all_[name], boxes)
    square, error = table.pop("mean_square"), table.pop("mean_square_error")
    table |= {"rmse": sqrt(square), "rmse_error": error / (2 * sqrt(square))}
    table["psnr"] = psnr(table["rmse"])
    table["psnr_error"] = 8.685889638 * table["rmse_error"] / table["rmse"]
    # Spectra
    own, true, cross = (all_[k] for k in ("power", "power_of_truth", "cross"))
    mean = [x.mean(0) for x in (own, true, cross)]
    table["band_edges"] = EDGES.tolist()
    table["correlation"] = (mean[2] / torch.sqrt(mean[0] * mean[1])).tolist()
    for name, part in (("residual_power", own + true - 2 * cross), ("map_power", own)):
        value, error = paired_ratio(part, true, boxes)
        table |= {name: value.tolist(), f"{name}_error": error.tolist()}
    # Peaks
    table["least_snr"] = LEAST_SNR.tolist()
    for name in ("completeness", "purity"):
        value, error = paired_ratio(*all_[name].unbind(-1), boxes)
        table |= {name: value.tolist(), f"{name}_error": error.tolist()}
        table[f"{name}_peaks"] = all_[name][..., 1].sum(0).tolist()
    return table | _mean("chi_square_of_map", all_["chi_square_of_map"], boxes)


def _posterior(all_: dict[str, Tensor], boxes: Sequence[int]) -> Table:
    table: Table = {}
    for name in SUMS:
        table |= _figure(name, all_, boxes)
    table |= _mean("std_error_r", all_["std_error_r"], boxes)
    table["std_variation"] = sqrt(max(all_["std_variation"].mean().item(), 0.0))
    table["latent_share"] = all_["latent_share"].mean().item()
    table["closest_pair"] = all_["closest_pair"].min().item()
    table["r_limit"] = (all_["r_limit"] * all_["r"]).mean().item()
    return table | _calibration(all_, boxes) | _likeness(all_, boxes) | _growth(all_, boxes, table)


def _calibration(all_: dict[str, Tensor], boxes: Sequence[int]) -> Table:
    """Ranks, coverage and TARP."""
    counts, table = all_["ranks"], {}
    if counts.shape[-1] % 16 == 0:
        binned = binned_ranks(counts)
        flat = binned.mean(-1, keepdim=True).expand_as(binned)
        value, error = paired_ratio(binned, flat, boxes)
        table |= {"ranks": value.tolist(), "ranks_error": error.tolist()}
    table["coverage_levels"] = LEVELS.tolist()
    for name in ("coverage", "coverage_at_peaks"):
        part = counts if name == "coverage" else all_["ranks_at_peaks"]
        value, error = coverage(part, boxes)
        # Beside levels that N samples reach, the widest one they do.
        widest = attainable(part.shape[-1] - 1)[-1:].tolist()
        value_, error_ = coverage(part, boxes, widest)
        table |= {name: value.tolist(), f"{name}_error": error.tolist()}
        table[f"{name}_widest"] = [*widest, *value_.tolist(), *error_.tolist()]
    if "calibrated" in all_:
        value, error = paired_ratio(*all_["calibrated"].unbind(-1), boxes)
        table |= {"calibrated": value.tolist(), "calibrated_error": error.tolist()}
    table["tarp"], table["tarp_curves"] = {}, {}
    for kind in TARPS:
        test = tarp(all_[f"tarp_{kind}"], boxes)
        if not isnan(test.p):
            table["tarp"][kind] = test.p
        table["tarp_curves"][kind] = {
            "levels": test.levels.tolist(),
            "ecp": test.ecp.tolist(),
            "error": test.error.tolist(),
        }
    return table


def _likeness(all_: dict[str, Tensor], boxes: Sequence[int]) -> Table:
    """What single samples look like, over what the truth does."""
    table: Table = {"peak_heights": HEIGHTS.tolist(), "value_edges": VALUES.tolist()}
    for name in ("power", "peaks"):
        pair = all_[f"{name}_of_samples"], all_[f"{name}_of_true_map"]
        value, error = paired_ratio(*pair, boxes)
        table[f"{name}_over_truth"] = value.tolist()
        table[f"{name}_over_truth_error"] = error.tolist()
    weights = box_weights(boxes)
    weights = torch.cat([torch.ones(1, len(boxes), dtype=weights.dtype), weights])
    looks = [_std_and_skewness(weights, all_[f"moments_of_{k}"]) for k in ("samples", "true_map")]
    drawn = (looks[0] / looks[1]).unbind(-1)
    for name, values in zip(("std", "skewness"), drawn, strict=True):
        table[f"{name}_over_truth"] = values[0].item()
        table[f"{name}_over_truth_error"] = (
            values[1:].std().item() if len(set(boxes)) > 1 else None
        )
    for kind in ("samples", "true_map"):
        table[f"values_of_{kind}"] = all_[f"values_of_{kind}"].sum(0).tolist()
        table[f"peaks_of_{kind}"] = all_[f"peaks_of_{kind}"].sum(0).tolist()
    return table


def _std_and_skewness(
    weights: Float[Tensor, "D F"], moments: Float[Tensor, "F 2"]
) -> Float[Tensor, "D 2"]:
    second, third = (weights @ moments / weights.sum(-1, keepdim=True)).unbind(-1)
    return torch.stack([second.sqrt(), third / second**1.5], -1)


def _growth(all_: dict[str, Tensor], boxes: Sequence[int], table: Table) -> Table:
    """Scores against the number of samples in the mean."""
    names = [k for k in all_ if k.startswith("convergence_")]
    n = [int(x) for x in _powers(all_["ranks"].shape[-1] - 1)]
    tables = [
        {k.removeprefix("convergence_"): all_[k][i] for k in names} for i in range(len(boxes))
    ]
    found = convergence(n, tables, boxes, table["spread_skill"])
    curves = {k: getattr(found, k) for k in ("n", "rmse", "psnr", "gain", "gain_error")}
    curves |= {"ideal": found.ideal, "law": found.law, **found.scores}
    return {"growth": curves, "gain": found.gain[-1], "gain_error": found.gain_error[-1]}


def _powers(n: int) -> list[int]:
    powers = [1 << k for k in range(n.bit_length())]
    return powers if powers[-1] == n else [*powers, n]


def _figure(name: str, all_: dict[str, Tensor], boxes: Sequence[int]) -> Table:
    """A paired ratio of sums (or of columns of them); its root where the sums are squares."""
    sums = all_[name]
    pair = sums.unbind(-1) if sums.ndim == 3 else (sums[:, 0], sums[:, 1])
    value, error = paired_ratio(*pair, boxes)
    if name.startswith(ROOTS):
        value = value.sqrt()
        error = error / (2 * value.clamp_min(1e-9))
    if name == "peak_bias_unselected":
        value = value - 1
    return {name: value.tolist(), f"{name}_error": error.tolist()}


def _mean(name: str, values: Float[Tensor, " F"], boxes: Sequence[int]) -> Table:
    value, error = paired_ratio(values, torch.ones_like(values), boxes)
    return {name: value.item(), f"{name}_error": error.item()}


def finite(value: Any) -> Any:
    """The same with floats of six digits; what is not finite becomes None."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) < float("inf") else None
    return value
