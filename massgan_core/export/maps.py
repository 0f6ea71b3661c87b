r"""What an output file says of a summary, whatever its format.

Every map has lost its mean over the footprint. ``LOW`` and ``HIGH`` are a calibrated interval
where one is given; else they are quantiles of the samples kept, at :math:`(1 \mp level)/2`, and
not calibrated. ``PROB`` is the fraction of the samples whose κ, smoothed, exceeds a threshold;
NaN outside the footprint.

Kaiser–Squires is no posterior: there ``STD`` is the shape noise propagated through the
estimator and ``LOW``, ``HIGH`` the normal interval of that noise. The sparse map, not linear in
the shear, has no such std: all four are NaN.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import NormalDist
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core import __version__
from massgan_core.posterior import SmoothedSamples, Summary
from massgan_core.sky import Grid, ShearField, remove_mean

#: Name of a map → what it holds (plain ASCII, as FITS wants it).
MEANING = {
    "MEAN": "posterior mean of the convergence kappa",
    "STD": "posterior standard deviation of kappa (ddof = 1)",
    "SNR": "MEAN / STD; not a detection significance",
    "MEAN_SM": "posterior mean of kappa smoothed by BLUR; NaN outside FOOTPRT",
    "STD_SM": "posterior standard deviation of kappa smoothed by BLUR (NKEPT samples)",
    "SNR_SM": "MEAN_SM / STD_SM; not a detection significance",
    "KS": "smoothed Kaiser-Squires map, E mode",
    "KS_B": "smoothed Kaiser-Squires map, B mode",
    "LOW": "lower end of the interval of kappa",
    "HIGH": "upper end of the interval of kappa",
    "PROB": "P(smoothed kappa > PROBTHR); NaN outside FOOTPRT",
    "TRUTH": "true kappa of a simulated field",
    "MASK": "1 = observed",
    "FOOTPRT": "1 = footprint: where maps are evaluated and lose their mean",
    "NGAL": "galaxies per pixel",
}

#: The same where Kaiser–Squires itself is the method.
MEANING_KS = {
    "MEAN": "smoothed Kaiser-Squires map, E mode",
    "STD": "shape noise propagated through Kaiser-Squires; no posterior",
    "SNR": "MEAN / STD",
    "LOW": "MEAN less the normal quantile times STD: shape noise alone",
    "HIGH": "MEAN plus the normal quantile times STD: shape noise alone",
}

#: The same where the sparse map is.
MEANING_SPARSE = {
    "MEAN": "sparse map: significant peaks and a Wiener filter of the rest",
    "STD": "NaN: the sparse map has no uncertainty",
    "SNR": "NaN: the sparse map has no uncertainty",
    "LOW": "NaN: the sparse map has no uncertainty",
    "HIGH": "NaN: the sparse map has no uncertainty",
}

#: Methods that make one map, by the sampler's name → the name for people, and their meanings.
_ONE_MAP = {"ks": ("Kaiser–Squires", MEANING_KS), "sparse": ("the sparse map", MEANING_SPARSE)}

#: The sampler's own names of provenance → ours.
_ALIASES = {
    "sampler": "method",
    "smoothing": "ks_smoothing",
    "threshold": "sparse_threshold",  # of its wavelets, not of PROB
    "scales": "sparse_scales",
    "iterations": "sparse_iterations",
}


@runtime_checkable
class MapMaker(Protocol):
    """What this module asks of Kaiser–Squires, which lives in another wing."""

    name: str
    smoothing: float

    def map(self, field: ShearField) -> Tensor: ...

    def b_mode(self, field: ShearField) -> Tensor: ...

    def std(self, field: ShearField) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Interval:
    """A calibrated interval of κ, and what is known of it.

    Args:
        low: Lower ends.
        high: Upper ends.
        promise: What it guarantees, a sentence without its full stop.
        facts: ``interval_method``, ``calibration_maps``, ``calibration_boxes`` and
            ``calibration_samples``.
    """

    low: Float[Tensor, "H W"]
    high: Float[Tensor, "H W"]
    promise: str
    facts: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Maps:
    """Named maps, the samples asked for, and the facts about them.

    Args:
        grid: Pixels and WCS.
        images: By name (see :data:`MEANING`): float32, uint8 (masks) or int32 arrays [H, W].
        meaning: By the same names: what the map holds.
        samples: The samples kept [N, H, W] float32, or `None`.
        facts: Provenance: method, seed, number of samples … (JSON values).
        remarks: Sentences that fit no fact.
    """

    grid: Grid
    images: dict[str, np.ndarray]
    meaning: dict[str, str]
    samples: np.ndarray | None
    facts: dict[str, Any]
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        summary: Summary,
        *,
        ks: MapMaker | None = None,
        level: float = 0.95,
        threshold: float | None = None,
        prob_smoothing: float = 1.0,
        blur: float = 0.0,
        outside: Sequence[str] | None = None,
        interval: Interval | None = None,
        uncalibrated: Sequence[str] = (),
        save_samples: bool = False,
    ) -> Maps:
        """The maps of a summary.

        Args:
            summary: Of the samples drawn.
            ks: Kaiser–Squires, for ``KS`` and ``KS_B``; without it they are left out.
            level: Probability between ``LOW`` and ``HIGH``.
            threshold: κ of ``PROB``; without it ``PROB`` is left out.
            prob_smoothing: Std of the Gaussian that smooths κ before `threshold` [arcmin].
            blur: Std of the Gaussian that smooths κ for ``MEAN_SM``, ``STD_SM`` and ``SNR_SM``
                [arcmin]; 0 leaves them out.
            outside: Why the field lies outside the sampler's domain, empty where it lies
                inside; `None` where the method has no domain.
            interval: A calibrated one, at `level`.
            uncalibrated: Why there is none.
            save_samples: Hand on the samples themselves.

        Raises:
            ValueError: A choice that makes no sense for this summary.
        """
        method = summary.provenance.get("sampler")
        _check(summary, ks, level, threshold, prob_smoothing, blur, method, save_samples)
        if method == "ks":
            maps = _maps_of_ks(ks, summary, level)
        else:
            maps = _maps_of(summary, level, alone=method in _ONE_MAP)
        if ks is not None:
            maps["KS"] = remove_mean(ks.map(summary.field), summary.field.footprint)
            maps["KS_B"] = remove_mean(ks.b_mode(summary.field), summary.field.footprint)
        if threshold is not None:
            chance = summary.probability(threshold, prob_smoothing)
            maps["PROB"] = torch.where(summary.field.footprint.cpu(), chance, torch.nan)
        if blur:
            maps |= _maps_smoothed(summary, blur)
        maps |= _maps_of_field(summary.field)
        facts, remarks = _provenance(summary)
        facts |= {"level": level, "calibrated": interval is not None}
        meaning = MEANING | (_ONE_MAP[method][1] if method in _ONE_MAP else {})
        if interval is not None:
            maps |= {"LOW": interval.low, "HIGH": interval.high}
            facts |= {**interval.facts, "promise": interval.promise}
            for name in ("LOW", "HIGH"):
                meaning[name] += f"; {interval.promise}"
        if ks is not None:
            facts["ks_smoothing"] = ks.smoothing
        if threshold is not None:
            facts |= {"threshold": threshold, "prob_smoothing": prob_smoothing}
        if blur:
            facts["blur"] = blur
        if outside is not None:
            facts["in_domain"] = not outside
            remarks += [f"outside the domain: {reason}" for reason in outside]
        remarks += [f"not calibrated: {reason}" for reason in uncalibrated]
        return cls(
            summary.field.grid,
            {name: _array(maps[name]) for name in MEANING if name in maps},
            meaning,
            summary.samples.numpy() if save_samples else None,
            facts,
            tuple(remarks),
        )


def _check(
    summary: Summary,
    ks: MapMaker | None,
    level: float,
    threshold: float | None,
    prob_smoothing: float,
    blur: float,
    method: str | None,
    save_samples: bool,
) -> None:
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}")
    if threshold is not None and not isfinite(threshold):
        raise ValueError(f"`threshold` must be a finite convergence, got {threshold}")
    if not (isfinite(prob_smoothing) and prob_smoothing >= 0):
        raise ValueError(f"`prob_smoothing` must be ≥ 0 [arcmin], got {prob_smoothing}")
    if not (isfinite(blur) and blur >= 0):
        raise ValueError(f"`blur` must be ≥ 0 [arcmin], got {blur}")
    if method in _ONE_MAP and blur:
        raise ValueError(f"{_ONE_MAP[method][0]} draws no samples: there are none to smooth")
    if method == "ks" and ks is None:
        raise ValueError("a summary of Kaiser–Squires needs `ks`, the map maker it came from")
    if method in _ONE_MAP and (threshold is not None or save_samples):
        name = _ONE_MAP[method][0]
        raise ValueError(f"{name} draws no samples: it has no `SAMPLES` and no `PROB`")
    if not len(summary.samples) and (threshold is not None or save_samples):
        raise ValueError("`summary` kept no samples; stream with `keep` ≥ 1")


def _maps_of(summary: Summary, level: float, *, alone: bool) -> dict[str, Tensor]:
    """Maps of a summary of samples, or (`alone`) of one map that has no uncertainty."""
    std = low = high = torch.full(summary.field.grid.shape, torch.nan)
    if alone:  # however often it was asked for
        return {"MEAN": summary.mean, "STD": std, "SNR": std, "LOW": low, "HIGH": high}
    if len(summary.samples) > 1:
        low, high = summary.quantile(((1 - level) / 2, (1 + level) / 2))
    return {
        "MEAN": summary.mean,
        "STD": summary.std,
        "SNR": summary.snr,
        "LOW": low,
        "HIGH": high,
    }


def _maps_smoothed(summary: Summary, blur: float) -> dict[str, Tensor]:
    soft = SmoothedSamples(blur)
    maps = {"MEAN_SM": soft.mean(summary), "STD_SM": soft.std(summary)}
    return {**maps, "SNR_SM": soft.snr(summary)}


def _maps_of_ks(ks: MapMaker, summary: Summary, level: float) -> dict[str, Tensor]:
    mean, std = summary.mean, ks.std(summary.field).cpu()
    reach = NormalDist().inv_cdf((1 + level) / 2) * std
    return {
        "MEAN": mean,
        "STD": std,
        "SNR": mean / std,
        "LOW": mean - reach,
        "HIGH": mean + reach,
    }


def _maps_of_field(field: ShearField) -> dict[str, Tensor]:
    maps = {"MASK": field.mask, "FOOTPRT": field.footprint}
    if field.counts is not None:
        maps["NGAL"] = field.counts.round().int()
    if field.truth is not None:
        maps["TRUTH"] = field.truth
    return maps


def _array(image: Tensor) -> np.ndarray:
    image = image.detach().cpu()
    if image.dtype == torch.bool:
        return image.to(torch.uint8).numpy()
    return image.float().numpy() if image.is_floating_point() else image.int().numpy()


def _provenance(summary: Summary) -> tuple[dict[str, Any], list[str]]:
    """Facts with one value each, and a remark for every nested one and every note."""
    field = summary.field
    facts: dict[str, Any] = {
        "version": __version__,
        "method": "unknown",
        "field": field.name,
        "n": summary.n,
        "kept": len(summary.samples),
        "dtype": "float32",
        "device": str(field.device),
        "pixel_scale": field.grid.pixel_scale,
        "zero_point": "footprint mean",
    }
    remarks = []
    for key, value in summary.provenance.items():
        if isinstance(value, (bool, int, float, str)):
            facts[_ALIASES.get(key, key)] = value
        else:
            remarks.append(f"{key} = {_json(value)}")
    remarks += [f"field.{key} = {_json(value)}" for key, value in field.notes.items()]
    return facts, remarks


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
