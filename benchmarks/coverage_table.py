"""Write the tables of coverage in docs/evaluation.md.

    massgan calibrate --data CAL.zarr --checkpoint default
    massgan evaluate --data TEST.zarr --methods gan --also MORE.zarr --ktng FOLDER --out DIR
    python benchmarks/coverage_table.py [DIR/report.csv]

The first table is what the calibrations of the bundled checkpoints say of the boxes they held
out; the second how their intervals do on skies of other kinds, from the CSV of an evaluation,
which is copied to docs/coverage.csv. A test holds the page to both.
"""

from __future__ import annotations

import csv
import shutil
import sys
from importlib import import_module
from pathlib import Path

from massgan_core.calibrating import calibration_of
from massgan_core.gan.checkpoint import checkpoints

ROOT = Path(__file__).resolve().parents[1]
CSV, PAGE = ROOT / "docs" / "coverage.csv", ROOT / "docs" / "evaluation.md"
NAMES = {"test": "lognormal, σ8 0.81", "ktng": "κTNG, one map under many noises"}
BEGIN, END = "<!-- benchmarks/coverage_table.py -->", "<!-- end of the tables -->"


def held_out() -> str:
    """Coverage on the boxes that the calibrations of bundled checkpoints never saw."""
    lines = [
        "| checkpoint | fields | skies | promised | samples' quantiles | calibrated | maps "
        "| boxes |",
        "| --- |" + " --- |" * 7,
    ]
    for name in checkpoints(None):
        calibration = calibration_of(name)
        for c in calibration.facts["coverage"] if calibration else []:
            lines.append(
                f"| `{name}` | {c['part']} | {c['skies']} | {c['level']:.0%} | {c['before']:.1%} "
                f"| {c['after']:.1%} ± {c['error']:.1%} | {c['maps']} | {c['boxes']} |"
            )
    return "\n".join(lines)


def elsewhere(path: Path = CSV) -> str:
    """Coverage of calibrated intervals on every set of an evaluation."""
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["calibrated_95"]]
    lines = ["| method | skies | 68 % | 95 % | fields | boxes |", "| --- |" + " --- |" * 5]
    for row in rows:
        cells = [
            f"{float(row[key]):.1%} ± {float(row[f'{key}_error']):.1%}"
            for key in ("calibrated_68", "calibrated_95")
        ]
        name = NAMES.get(row["set"], row["set"].replace("-", ", σ8 "))
        # The noises of κTNG are drawn on one sky: its error is that of the noise alone.
        boxes = "1" if row["set"] == "ktng" else row["boxes"]
        about = [row["method"], name, *cells, row["fields"], boxes]
        lines.append("| " + " | ".join(about) + " |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with both tables."""
    block = (
        f"{held_out()}\n\nOn other skies, which no promise covers but these were measured on:\n\n"
        f"{elsewhere()}"
    )
    return import_module("readme_table").written(text, block, BEGIN, END)


def main() -> None:
    if len(sys.argv) > 1:
        shutil.copyfile(sys.argv[1], CSV)
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
