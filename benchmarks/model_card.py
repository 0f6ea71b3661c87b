"""Write a checkpoint's model card from its metadata and evaluation: nothing is typed by hand.

    python benchmarks/model_card.py CHECKPOINT --evaluation DIR [--run DIR] [--out docs/models]

CHECKPOINT holds an evaluation (`evaluate_checkpoint.py … --write`), whose pictures lie in
DIR/<name>. --run is the folder of the training run, for the curve of quality against time.
Writes OUT/<name>.md and its pictures.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

from massgan_core.gan import checkpoint

bars = import_module("evaluation.bars")

HEAVY = 200_000  #: bytes from which on a picture is made smaller
PICTURES = {
    "maps": "One unseen field: truth, Kaiser–Squires, Wiener; mean, std and samples of the GAN.",
    "spectra": "Power of single samples over the truth's; grey: within 10 and 20 %.",
    "reliability": "Error of the mean against predicted std.",
    "ranks": "Ranks of the truth among the samples; grey: within 10 %.",
    "pdf": "One-point distribution of κ.",
    "worst": "Failure cases: the fields where the GAN does least well beside Wiener.",
}


def write(path: Path, evaluation: Path, run: Path | None, out: Path) -> Path:
    """The card and its pictures; returns its path."""
    card, name = checkpoint.load_card(path), path.stem
    out.mkdir(parents=True, exist_ok=True)
    lines = [*head(name, path, card), *training(card), *measured(card["evaluation"])]
    if run is not None:
        curve(run, out / f"{name}-curve.png")
        lines += ["## Quality against time", "", f"![r and spread/skill]({name}-curve.png)", ""]
        lines += [
            "r, RMSE and spread/skill on validation boxes; minutes on the machine above.",
            "",
        ]
    for picture, words in PICTURES.items():
        source = evaluation / name / f"{picture}.png"
        if source.is_file():
            kept = _keep(source, out / f"{name}-{picture}.png")
            lines += [f"![{picture}]({kept.name})", "", words, ""]
    (out / f"{name}.md").write_text("\n".join(lines))
    return out / f"{name}.md"


def _keep(source: Path, target: Path) -> Path:
    """A copy small enough for a repository that keeps it for ever: maps become JPEG.

    A palette would be smaller, and show colours that the colour map does not have.
    """
    from PIL import Image

    if source.stat().st_size < HEAVY:
        shutil.copyfile(source, target)
        return target
    target = target.with_suffix(".jpg")
    with Image.open(source) as image:
        image.thumbnail((1200, 1200))
        image.convert("RGB").save(target, quality=85, optimize=True)
    return target


def head(name: str, path: Path, card: dict[str, Any]) -> list[str]:
    """What it is and where it holds."""
    domain = card["domain"]
    ranges = [
        f"| {words} | {domain[key][0]:.3g} to {domain[key][1]:.3g} |"
        for key, words in (
            ("pixel_scale", "pixel [arcmin]"),
            ("mean_redshift", "mean redshift of the sources"),
            ("sigma_over_kappa", "noise of a pixel over the std of κ"),
            ("sigma8", "σ8 of the training skies"),
            ("omega_m", "Ωm of the training skies"),
        )
        if key in domain
    ]
    return [
        f"# Model card: `{name}`",
        "",
        f"Posterior samples of κ from a noisy shear field. Trained on {card['trained_on']}.",
        "",
        "| domain | |",
        "| --- | --- |",
        *ranges,
        f"| masks | {', '.join(domain['masks'])} |",
        "",
        "Outside it the output says so and no calibration is claimed.",
        f"File: {path.stat().st_size / 1e6:.1f} MB, digest `{checkpoint.digest(path)[:12]}`.",
        "",
    ]


def training(card: dict[str, Any]) -> list[str]:
    """Stages, time, hardware."""
    facts = card["training"]
    lines = [
        "## Training",
        "",
        "| | |",
        "| --- | --- |",
        f"| last stage | {facts['stage']}, {facts['steps']:,} steps, {facts['minutes']:.0f} min |",
        f"| weights | averaged; best on validation boxes at step {facts['best']['step']:,} |",
        f"| machine | {facts['device']}, {facts['machine']}, torch {facts['torch']} |",
        f"| date, version | {facts['date']}, massgan {facts['version']} |",
        "",
    ]
    if "history" in facts:
        lines += [*(f"- {line}" for line in facts["history"]), ""]
    settings = json.dumps(facts["config"]["train"][facts["stage"]], indent=1)
    return [*lines, "```json", settings, "```", ""]


def measured(report: dict[str, Any]) -> list[str]:
    """The tables of the evaluation, and what was asked."""
    judged = [bars.Bar(**row) for row in report["bars"]]
    return [
        "## Measured",
        "",
        bars.tables(report),
        "",
        "What was asked, and what it reaches:",
        "",
        bars.list_of_bars(judged),
        "",
    ]


def curve(run: Path, path: Path) -> None:
    """Validation scores of both stages against minutes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    start = 0.0
    for stage in ("regression", "adversarial"):
        log = run / stage / "log.csv"
        if not log.is_file():
            continue
        with log.open(newline="") as file:
            rows = list(csv.DictReader(file))
        minutes = [start + float(r["minutes"]) for r in rows]
        for axis, key in zip(axes, ("r", "rmse", "ratio"), strict=True):
            if stage == "adversarial" or key != "ratio":
                axis.plot(minutes, [float(r[key]) for r in rows], label=stage)
        start = minutes[-1]
    for axis, words in zip(axes, ("r", "RMSE of κ", "spread/skill"), strict=True):
        axis.set(xlabel="minutes", ylabel=words)
    axes[0].legend()
    axes[2].axhline(1, color="k", lw=0.5)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--evaluation", type=Path, required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/models"))
    given = parser.parse_args()
    path = checkpoint.find(given.checkpoint)
    if "bars" not in checkpoint.load_card(path).get("evaluation", {}):
        raise SystemExit(
            f"Error: {path} has no evaluation: run benchmarks/evaluate_checkpoint.py with --write"
        )
    print(write(path, given.evaluation, given.run, given.out))


if __name__ == "__main__":
    main()
