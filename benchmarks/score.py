"""Score a checkpoint beside Kaiser–Squires and Wiener on fields from skies of its own.

    python benchmarks/score.py CHECKPOINT [--fields 32] [--samples 32] [--write] [--out DIR]

Prints one table, plots maps and spectra into DIR, and with --write stores the table in the
checkpoint's card. The fields are lognormal skies at the fiducial cosmology with the COSMOS
mask and noise, from a seed that neither training nor validation uses.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import massgan_core as mg
from massgan_core.evaluate import pearson, rmse, spread_skill, windowed_power
from massgan_core.gan import checkpoint
from massgan_core.gan.config import RunConfig, updated
from massgan_core.gan.sampler import normalizer_of
from massgan_core.sky import smooth
from massgan_core.sky.spectrum import band_edges
from massgan_core.training import make_fields

TEST_SEED = 10**6 + 1  # far from 2·seed + {0, 1}, the seeds of training and validation
WIENER_SAMPLES = 8  #: a field; its spread is known exactly, one solve each is slow
WINDOWS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
EDGES = band_edges(300, 12000, 8)


def score(sampler, fields, n, batch=8):
    """Mean scores and mean band power of one sampler's stream over fields."""
    means, variances, spectra, wide = [], [], [], {2.0: [], 4.0: []}
    for i, field in enumerate(fields):
        *_, last = mg.stream(sampler, field, n, batch, seed=i, keep=n)
        means.append(last.mean)
        variances.append(last.std**2)
        spectra.append(
            windowed_power(last.samples[:4], field.grid, field.footprint, EDGES).mean(0)
        )
        for width, parts in wide.items():
            at = smooth(
                last.samples, field.grid, width, mask=field.footprint.expand_as(last.samples)
            )
            parts.append(
                (
                    at.mean(0),
                    at.var(0),
                    smooth(field.truth, field.grid, width, mask=field.footprint),
                )
            )
    truth, area = (
        torch.stack(x) for x in zip(*((f.truth, f.footprint) for f in fields), strict=True)
    )
    mean, var = torch.stack(means), torch.stack(variances)
    table = {
        "r": pearson(mean, truth, area).mean().item(),
        "rmse": rmse(mean, truth, area).mean().item(),
        "spread_skill": spread_skill(mean, var, truth, area, n).item(),
    }
    for width, parts in wide.items():
        m, v, t = (torch.stack(x) for x in zip(*parts, strict=True))
        table[f"spread_skill_{width:.0f}arcmin"] = spread_skill(m, v, t, area, n).item()
    return table, torch.stack(spectra).mean(0), mean, torch.sqrt(var)


def mean_scores(maps, fields):
    """Mean r and mean RMSE of one map a field."""
    pairs = [(m, f.truth, f.footprint) for m, f in zip(maps, fields, strict=True)]
    scores = [(pearson(*pair), rmse(*pair)) for pair in pairs]
    return torch.tensor(scores).mean(0).tolist()


def best_ks(fields):
    """Kaiser–Squires at the smoothing with the highest mean r on these very fields."""
    tables = {}
    for width in WINDOWS:
        maps = [mg.KaiserSquires(width).map(f) for f in fields]
        r, error = mean_scores(maps, fields)
        tables[width] = {"smoothing": width, "r": r, "rmse": error}
    return max(tables.values(), key=lambda t: t["r"]), min(t["rmse"] for t in tables.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--fields", type=int, default=32)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("score"))
    options = parser.parse_args()
    path = checkpoint.find(options.checkpoint)
    card = checkpoint.load_card(path)
    config = updated(RunConfig(), card["training"]["config"])
    fields = make_fields(
        config, normalizer_of(card["normalization"]), options.fields, seed=TEST_SEED
    )
    ks, least = best_ks(fields)
    gan, power, mean, std = score(mg.load(path), fields, options.samples)
    wiener_sampler = mg.Wiener(mg.cosmos_spectrum())
    wiener, wiener_power, _, _ = score(wiener_sampler, fields, WIENER_SAMPLES)
    # The filter itself, not the mean of a few samples: the best a Gaussian prior can do.
    maps = [wiener_sampler.map(f) for f in fields]
    wiener["r"], wiener["rmse"] = mean_scores(maps, fields)
    truth_power = torch.stack(
        [windowed_power(f.truth, f.grid, f.footprint, EDGES) for f in fields]
    ).mean(0)
    gan["power_over_truth"] = (power / truth_power).tolist()
    wiener["power_over_truth"] = (wiener_power / truth_power).tolist()
    report = {
        "fields": options.fields,
        "samples": options.samples,
        "skies": "lognormal, fiducial cosmology, COSMOS mask and noise, unseen seeds",
        "gan": gan,
        "wiener": wiener,
        "ks": {**ks, "least_rmse": least},
        "band_edges": EDGES.tolist(),
    }
    report = json.loads(json.dumps(report), parse_float=lambda x: round(float(x), 4))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "score.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))
    print(table(report))
    plot(options.out, fields[0], mean[0], std[0], maps[0], mg.load(path), report)
    if options.write:
        checkpoint.annotate(path, evaluation=report)
        print(f"wrote the evaluation into {path}")


def table(report):
    """The scores as Markdown, as the README shows them."""
    ks, wiener, gan = (report[name] for name in ("ks", "wiener", "gan"))
    rows = [
        "| map | Pearson r | RMSE of κ | spread / skill |",
        "| --- | --- | --- | --- |",
        f"| Kaiser–Squires, {ks['smoothing']}′ (best r) | {ks['r']:.3f} | {ks['rmse']:.4f} | – |",
    ]
    for one, words in (
        (wiener, "Wiener filter, theory spectrum"),
        (gan, f"GAN, mean of {report['samples']} samples"),
    ):
        rows.append(
            f"| {words} | {one['r']:.3f} | {one['rmse']:.4f} | {one['spread_skill']:.2f} |"
        )
    return "\n".join(rows)


def plot(out, field, mean, std, wiener, sampler, report):
    """Maps of the first field, and the spectra."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    samples = sampler.sample(field, 2, 0)
    maps = {
        "truth": field.truth,
        "KS 1′": mg.KaiserSquires().map(field),
        "Wiener mean": wiener,
        "GAN mean": mean,
        "GAN std": std,
        "GAN sample 0": samples[0],
        "GAN sample 1": samples[1],
        "error of the mean": mean - field.truth,
    }
    figure, axes = plt.subplots(2, 4, figsize=(18, 9), layout="constrained")
    for axis, (title, image) in zip(axes.flat, maps.items(), strict=True):
        limit = 0.04 if "std" in title else 0.08
        low = 0 if "std" in title else -limit
        axis.imshow(np.where(field.footprint, image, np.nan), origin="lower", vmin=low, vmax=limit)
        axis.set_title(title)
    figure.savefig(out / "maps.png", dpi=60)
    plt.figure()
    centre = np.sqrt(EDGES[1:] * EDGES[:-1])
    for name in ("gan", "wiener"):
        plt.semilogx(centre, report[name]["power_over_truth"], label=name)
    plt.axhline(1, color="k", lw=0.5)
    plt.legend()
    plt.ylabel("power of single samples / truth")
    plt.savefig(out / "power.png", dpi=80)


if __name__ == "__main__":
    main()
