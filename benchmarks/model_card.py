"""Write a checkpoint's model card from its metadata and evaluation: nothing is typed by hand.

    python benchmarks/model_card.py default --evaluation DIR [--run DIR] [--out docs/models]
    python benchmarks/model_card.py regression
    python benchmarks/model_card.py score

A checkpoint that holds an evaluation (`evaluate_checkpoint.py … --write`) has pictures of it in
DIR/<name>; for others the card shows their rows of docs/*.csv. --run is the folder
of the training run, for the curve of quality against time.
Writes OUT/<name>.md and its pictures.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

from massgan_core.gan import checkpoint
from massgan_core.score import checkpoint as score_checkpoint

ROOT = Path(__file__).resolve().parents[1]
#: Rows of docs/*.csv: columns shown, and their words.
COLUMNS = {
    "r": "Pearson r",
    "rmse": "RMSE of κ",
    "spread_skill": "spread / skill",
    "spread_skill_4arcmin": "… after 4′ smoothing",
    "calibrated_68": "in the calibrated 68 %",
    "calibrated_95": "in the calibrated 95 %",
}
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


def write(path: Path, evaluation: Path | None, run: Path | None, out: Path) -> Path:
    """The card and its pictures; returns its path."""
    card, name = _card(path), path.stem
    out.mkdir(parents=True, exist_ok=True)
    lines = [*head(name, path, card), *training(card)]
    if "bars" in card["evaluation"]:
        lines += measured(card["evaluation"])
    else:
        lines += [*judged(card["training"]["best"]), *tabled(checkpoint.digest(path)[:12])]
    if evaluation is None:
        (out / f"{name}.md").write_text("\n".join(lines))
        return out / f"{name}.md"
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


def _card(path: Path) -> dict[str, Any]:
    try:
        return checkpoint.load_card(path)
    except ValueError:
        return score_checkpoint.load_card(path)


def _find(name: str) -> Path:
    try:
        return checkpoint.find(name)
    except (ValueError, KeyError, OSError):
        return score_checkpoint.find(name)


def judged(best: dict[str, Any]) -> list[str]:
    """What the validation of its training said, as it was logged."""
    rows = [f"| `{key}` | {value:.4g} |" for key, value in best.items() if key != "step"]
    rows = [row for row in rows if "nan" not in row]
    return ["## On its validation boxes", "", "| | |", "| --- | --- |", *rows, ""]


def tabled(digest: str) -> list[str]:
    """Its rows of docs/*.csv, which `massgan evaluate` made."""
    rows = []
    for file in sorted((ROOT / "docs").glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            found = [row for row in csv.DictReader(lines) if row.get("digest") == digest]
        rows += [row | {"of": file.name} for row in found]
    if not rows:
        return []
    keys = [key for key in COLUMNS if any(row.get(key) for row in rows)]
    table = [" | ".join(["fields", *(COLUMNS[key] for key in keys)])]
    table.append(" | ".join(["---"] * (1 + len(keys))))
    for row in rows:
        cells = [f"{float(row[key]):.3g}" if row.get(key) else "–" for key in keys]
        kind = f"{row['set']} of {row['of']}: {row['fields']} from {row['boxes']} boxes"
        table.append(" | ".join([kind, *cells]))
    told = "Rows of [how right is a map](../evaluation.md), where the words are explained."
    return ["## Measured", "", told, "", *(f"| {line} |" for line in table), ""]


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
    what = {
        "gan": "Posterior samples of κ from a noisy shear field, one network call each.",
        "regression": "Mean and variance of κ in each pixel, from a noisy shear field.",
        "score": "The score of κ under white noise: a learned prior, the shear enters exactly.",
    }[card["kind"]]
    return [
        f"# Model card: `{name}`",
        "",
        f"{what} Trained on {card['trained_on']}.",
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
    settings = facts["config"]
    if "train" in settings:
        settings = settings["train"][facts["stage"]]
    settings = re.sub(
        r"\[\s+([^\[\]]*?)\s+\]",
        lambda found: f"[{' '.join(found[1].split())}]",
        json.dumps(settings, indent=1),
    )
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
    parser.add_argument("--evaluation", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/models"))
    given = parser.parse_args()
    path = _find(given.checkpoint)
    if given.evaluation is not None and "bars" not in _card(path).get("evaluation", {}):
        raise SystemExit(
            f"Error: {path} has no evaluation: run benchmarks/evaluate_checkpoint.py with --write"
        )
    print(write(path, given.evaluation, given.run, given.out))


if __name__ == "__main__":
    main()
