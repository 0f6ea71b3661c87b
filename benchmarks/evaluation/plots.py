"""Pictures of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch

import massgan_core as mg
from massgan_core.evaluate import pearson

from .scores import Stacks, Truth

matplotlib.use("agg")
import matplotlib.pyplot as plt

FAILURES = 3  #: worst fields shown


def main(
    out: Path,
    report: dict[str, Any],
    truth: Truth,
    gan: Stacks,
    wiener: Stacks,
    ks: torch.Tensor,
    sampler: mg.Sampler,
) -> None:
    """All pictures of the main part."""
    _maps(out / "maps.png", truth, gan, wiener, ks, sampler)
    _worst(out / "worst.png", truth, gan, wiener)
    _spectra(out / "spectra.png", report)
    _ranks(out / "ranks.png", report)
    _pdf(out / "pdf.png", report)
    _reliability(out / "reliability.png", report)
    _peaks(out / "peaks.png", report)


def _maps(
    path: Path, truth: Truth, gan: Stacks, wiener: Stacks, ks: torch.Tensor, sampler: mg.Sampler
) -> None:
    field = truth.fields[0]
    samples = sampler.sample(field, 2, 0)
    images = {
        "truth": truth.kappa[0],
        "KS 1′": ks[0],
        "Wiener mean": wiener.mean[0],
        "GAN mean": gan.mean[0],
        "GAN std": gan.var[0].sqrt(),
        "GAN sample 0": samples[0],
        "GAN sample 1": samples[1],
        "error of the GAN mean": gan.mean[0] - truth.kappa[0],
    }
    figure, axes = plt.subplots(2, 4, figsize=(18, 9), layout="constrained")
    for axis, (title, image) in zip(axes.flat, images.items(), strict=True):
        _show(axis, image, field.footprint, title)
    _save(figure, path)


def _worst(path: Path, truth: Truth, gan: Stacks, wiener: Stacks) -> None:
    """Fields where the GAN's r is lowest against Wiener's: the failure cases."""
    r, other = (pearson(m.mean, truth.kappa, truth.area) for m in (gan, wiener))
    order = torch.argsort(r / other)[:FAILURES].tolist()
    figure, axes = plt.subplots(
        len(order), 4, figsize=(18, 4.4 * len(order)), layout="constrained", squeeze=False
    )
    for row, i in zip(axes, order, strict=True):
        area, name = truth.fields[i].footprint, truth.fields[i].name
        _show(row[0], truth.kappa[i], area, f"{name}: truth")
        _show(row[1], wiener.mean[i], area, f"Wiener mean, r {other[i]:.3f}")
        _show(row[2], gan.mean[i], area, f"GAN mean, r {r[i]:.3f}")
        _show(row[3], gan.mean[i] - truth.kappa[i], area, "error of the GAN mean")
    _save(figure, path)


def _spectra(path: Path, report: dict[str, Any]) -> None:
    edges = np.array(report["band_edges"])
    centre = np.sqrt(edges[1:] * edges[:-1])
    figure, axis = plt.subplots(layout="constrained")
    axis.fill_between([300, 6000], 0.9, 1.1, color="0.9")
    axis.fill_between([6000, 12000], 0.8, 1.2, color="0.9")
    for name in ("gan", "wiener"):
        one = report[name]
        axis.errorbar(
            centre, one["power_over_truth"], one["power_over_truth_error"], label=name, capsize=2
        )
    axis.axhline(1, color="k", lw=0.5)
    axis.set(xscale="log", xlabel="ℓ", ylabel="power of single samples / truth")
    axis.legend()
    _save(figure, path)


def _ranks(path: Path, report: dict[str, Any]) -> None:
    figure, axis = plt.subplots(layout="constrained")
    for name in ("gan", "wiener"):
        if "ranks" in report[name]:
            heights = report[name]["ranks"]
            axis.stairs(heights, np.linspace(0, 1, len(heights) + 1), label=name)
    axis.axhspan(0.9, 1.1, color="0.9", zorder=0)
    axis.set(xlabel="rank of the truth among samples", ylabel="share / flat", ylim=(0.5, 1.5))
    axis.legend()
    _save(figure, path)


def _pdf(path: Path, report: dict[str, Any]) -> None:
    edges = np.array(report["pdf_edges"])
    curves = {"truth": report["pdf_of_truth"]}
    curves |= {name: report[name]["pdf"] for name in ("gan", "wiener")}
    figure, axis = plt.subplots(layout="constrained")
    for (name, counts), color in zip(curves.items(), ("k", "C0", "C1"), strict=True):
        density = np.array(counts) / np.sum(counts) / np.diff(edges)
        axis.stairs(density, edges, label=name, color=color)
    axis.set(yscale="log", xlabel="κ", ylabel="density of pixels", ylim=(1e-4, None))
    axis.legend()
    _save(figure, path)


def _reliability(path: Path, report: dict[str, Any]) -> None:
    figure, axis = plt.subplots(layout="constrained")
    for name in ("gan", "wiener"):
        for key, style in (("deciles", "o:"), ("deciles_unselected", "s-")):
            at = report[name][f"{key}_maps"]
            words = f"{name}{', picked by the other half' if style == 's-' else ''}"
            color = {"gan": "C0", "wiener": "C1"}[name]
            axis.plot(at["spread"], at["rmse"], style, color=color, label=words)
    ends = axis.get_xlim()
    axis.plot(ends, ends, "k", lw=0.5)
    axis.set(xlabel="predicted std, per decile", ylabel="RMSE of the mean there")
    axis.legend()
    _save(figure, path)


def _peaks(path: Path, report: dict[str, Any]) -> None:
    heights = report["peak_heights"]
    figure, axis = plt.subplots(layout="constrained")
    axis.axhspan(0.8, 1.2, color="0.9", zorder=0)
    for name in ("gan", "wiener"):
        values = [np.nan if v is None else v for v in report[name]["peaks_over_truth"]]
        axis.stairs(values, heights, label=name, baseline=None)
    axis.set(xlabel="height of the peak [std of κ at 1′]", ylabel="peaks / truth", ylim=(0, 2))
    axis.legend()
    _save(figure, path)


def _show(axis: Any, image: torch.Tensor, area: torch.Tensor, title: str) -> None:
    spread = "std" in title
    limit = 0.04 if spread else 0.08
    shown = np.where(area, image, np.nan)
    axis.imshow(
        shown,
        origin="lower",
        vmin=0 if spread else -limit,
        vmax=limit,
        cmap="viridis" if spread else "RdBu_r",
    )
    axis.set(title=title, xticks=[], yticks=[])


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=70)
    plt.close(figure)
