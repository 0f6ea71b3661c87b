"""The parts of an evaluation: each gives a section of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import massgan_core as mg
from massgan_core.data import MapStore
from massgan_core.evaluate.spectra import EDGES
from massgan_core.evaluating import fields
from massgan_core.sky import ShearField, Sources, remove_mean
from massgan_core.survey import cosmos_sources
from massgan_core.training_data import draw

from . import clusters, plots, scores
from .classical import Classical

WINDOWS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)  #: smoothings of Kaiser–Squires [arcmin]
DEPTHS = (10.0, 30.0, 70.0)  #: [galaxies/arcmin²]
REDSHIFTS = (0.6, 1.0, 1.4)  #: mean redshifts of the sources
RESIDUALS = 16  #: Wiener samples that stand for its spread
FEW = 32  #: fields of the parts beside the main one, at most


@dataclass(frozen=True)
class Job:
    """What all parts are given.

    Args:
        sampler: The network judged.
        regression: A deterministic one beside it, or None.
        store: Test maps.
        redshift_store: Maps with sources at several mean redshifts.
        ktng: Folder of the κTNG map, or None.
        fields: Wanted number.
        samples: Of a field.
        seed: Of noise and counts.
        out: Folder for pictures.
        classical: Wiener maps on disk.
    """

    sampler: mg.Generator
    regression: mg.Generator | None
    store: MapStore
    redshift_store: MapStore
    ktng: Path | None
    fields: int
    samples: int
    seed: int
    out: Path
    classical: Classical

    @property
    def few(self) -> int:
        """Fields of the parts beside the main one."""
        return min(self.fields, FEW)


def main(job: Job) -> dict[str, Any]:
    """COSMOS mask and σ: every bar that does not ask for another field."""
    observed = fields.seen_by_cosmos(job.store, _home_rows(job, job.fields), job.seed)
    truth = scores.Truth.of(observed, fields.boxes_of(observed))
    power = mg.spectrum_of(observed[0])
    maps = job.classical.wiener(observed, power)
    rest = job.classical.residuals(observed[0], power, RESIDUALS)

    def exact(index: int, field: ShearField) -> torch.Tensor:
        return remove_mean(maps[index] + rest, field.footprint)

    wiener, filtered = scores.measure(
        truth, exact, n=scores.EXACT, mean=maps, words="Wiener, main"
    )
    gan, made = scores.measure(
        truth, scores.gan_draw(job.sampler, job.samples), n=job.samples, words="GAN, main"
    )
    windows = {w: _kaiser_squires(observed, w) for w in WINDOWS}
    points = {w: scores.point(truth, m) for w, m in windows.items()}
    best = max(points, key=lambda w: points[w]["r"])
    report: dict[str, Any] = {
        "fields": len(observed),
        "samples": job.samples,
        "boxes": len(set(truth.boxes)),
        "skies": f"{_kind(job.store)}, fiducial cosmology, COSMOS mask and noise, unseen boxes",
        "gan": gan,
        "wiener": wiener,
        "ks": {
            "smoothing": best,
            **points[best],
            "least_rmse": min(p["rmse"] for p in points.values()),
        },
        "ks_1arcmin": points[1.0],
        "over_wiener": scores.against(truth, made.mean, filtered.mean),
        "over_ks": scores.against(truth, made.mean, windows[1.0]),
        "each_field": {
            "row": [f.notes["row"] for f in observed],
            "box": truth.boxes,
            "r": scores.each_r(truth, made.mean),
            "r_wiener": scores.each_r(truth, filtered.mean),
        },
        "band_edges": EDGES.tolist(),
        "peak_heights": scores.HEIGHTS.tolist(),
        "peaks_of_truth": truth.look.peaks.sum(0).tolist(),
        "pdf_edges": scores.VALUES.tolist(),
        "pdf_of_truth": truth.look.values.sum(0).tolist(),
    }
    if job.regression is not None:
        straight = torch.stack([deterministic(job.regression, f) for f in observed])
        report["regression"] = scores.point(truth, straight)
        report["over_regression"] = scores.against(truth, made.mean, straight)
    plots.main(job.out, report, truth, made, filtered, windows[1.0], job.sampler)
    return report


def depth(job: Job) -> dict[str, Any]:
    """Other depths of galaxies on the COSMOS footprint."""
    rows, table = _home_rows(job, job.few), {}
    for value in DEPTHS:
        seen = fields.seen_at_depth(job.store, rows, value, job.seed)
        table[f"{value:.0f}"] = _beside_wiener(job, seen, f"{value:.0f}/arcmin²")
    return {"depth": table}


def redshift(job: Job) -> dict[str, Any]:
    """Other redshifts of the sources; and whether the network says when it is lost."""
    table: dict[str, Any] = {}
    for value in REDSHIFTS:
        rows = fields.even_rows(job.redshift_store, job.few, value)
        if rows:
            seen = fields.seen_by_cosmos(job.redshift_store, rows, job.seed)
            table[f"{value}"] = _beside_wiener(job, seen, f"mean redshift {value}")
            table[f"{value}"]["mean_redshift"] = seen[0].sources.mean
    one = mg.cosmos()
    strange = {
        "sources at 0.2": replace(one, sources=Sources.plane(0.2)),
        "sources at 3": replace(one, sources=Sources.plane(3.0)),
        "noise × 30": replace(one, sigma=30 * one.sigma),
        "pixels of 0.5′": mg.cosmos(pixel_scale=0.5),
    }
    outside = {name: job.sampler.in_domain(field) for name, field in strange.items()}
    return {"redshift": table, "outside": outside, "inside": job.sampler.in_domain(one)}


def ktng(job: Job) -> dict[str, Any]:
    """One κTNG map, many noises."""
    if job.ktng is None:
        return {}
    pairs = [fields.ktng_field(job.ktng / fields.KTNG, k, job.seed) for k in range(job.few)]
    seen, shears = (list(x) for x in zip(*pairs, strict=True))
    residual = fields.embedding_error(torch.stack(shears))
    table = _beside_wiener(job, seen, "κTNG")
    return {"ktng": {"draws": len(seen), "embedding_residual": residual, **table}}


def cosmos(job: Job) -> dict[str, Any]:
    """The real field."""
    report, maps = clusters.score(job.sampler, job.classical, job.samples)
    clusters.plot(job.out / "cosmos.png", maps)
    return {"cosmos": report}


def cost(job: Job) -> dict[str, Any]:
    """Floating-point operations of the two halves of the network, for the COSMOS field."""
    from torch.utils.flop_counter import FlopCounterMode

    sampler, field = job.sampler, mg.cosmos()
    network, normalizer = sampler.network, sampler.normalizer
    condition = normalizer.condition(field.to(sampler.device), network.multiple)
    latents = network.latents(tuple(condition.shape[-2:]), mg.Draws(0).take(1))
    counts = {}
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            shares = network.shares(network.features(condition))
        counts["encoder_gflop"] = counter.get_total_flops() / 1e9
        with FlopCounterMode(display=False) as counter:
            network.paint(shares, [part.to(sampler.device) for part in latents])
        counts["decoder_gflop"] = counter.get_total_flops() / 1e9
    return {"cost": {**counts, "gflop": sum(counts.values())}}


PARTS: dict[str, Callable[[Job], dict[str, Any]]] = {
    p.__name__: p for p in (main, depth, redshift, ktng, cosmos, cost)
}


@torch.inference_mode()
def deterministic(sampler: mg.Generator, field: ShearField) -> torch.Tensor:
    """The map of a network trained by regression."""
    return draw(sampler.network, sampler.normalizer, field, 1, sampler.device, 0, zero=True)[0]


def _home_rows(job: Job, n: int) -> list[int]:
    """Rows with the n(z) of COSMOS."""
    rows = fields.even_rows(job.store, n, cosmos_sources().mean)
    if not rows:
        raise ValueError(
            f"{job.store.path} must hold maps for the COSMOS n(z) at the fiducial cosmology"
        )
    return rows


def _beside_wiener(job: Job, seen: list[ShearField], words: str) -> dict[str, Any]:
    """r, RMSE, spread/skill of the network, and its ratios over Wiener."""
    truth = scores.Truth.of(seen, fields.boxes_of(seen))
    wiener = job.classical.wiener(seen, mg.spectrum_of(seen[0]))
    made = scores.means(truth, scores.gan_draw(job.sampler, job.samples), job.samples, words)
    return {
        "fields": len(seen),
        "samples": job.samples,
        "gan": scores.brief(truth, made),
        "wiener": scores.point(truth, wiener),
        "over_wiener": scores.against(truth, made.mean, wiener),
        "domain": job.sampler.in_domain(seen[0]),
    }


def _kind(store: MapStore) -> str:
    preset = store.settings.get("preset", {}).get("name", "")
    return " ".join([preset, store.kind]).strip()


def _kaiser_squires(observed: list[ShearField], width: float) -> torch.Tensor:
    estimator = mg.KaiserSquires(width)
    return torch.stack([remove_mean(estimator.map(f), f.footprint) for f in observed])
