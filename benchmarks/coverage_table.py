"""Write the tables of coverage in docs/evaluation.md.

    massgan calibrate --data CAL.zarr --checkpoint default
    massgan evaluate --data TEST.zarr --methods gan --also MORE.zarr --ktng FOLDER --out DIR
    python benchmarks/fresh_boxes.py FRESH.zarr --out FRESH
    python benchmarks/coverage_table.py [--other DIR/report.csv] [--fresh FRESH/fresh.csv]

The first table is what the calibrations of the bundled checkpoints say of the boxes they held
out; the next how they do on boxes simulated for this alone, and RCPS when such boxes are redrawn;
the last how their intervals do on skies of other kinds, from the CSV of an evaluation. The CSVs
are kept as docs/fresh.csv, where a part that was not measured anew keeps its rows, and
docs/coverage.csv. A test holds the page to all, and the rows of fresh.csv to the bundled λ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import shutil
from importlib import import_module
from pathlib import Path

from massgan_core.calibrating import calibration_of
from massgan_core.calibrating.kept import NAMES as FIELDS
from massgan_core.evaluate.calibration import Calibration
from massgan_core.evaluate.conformal import passes
from massgan_core.gan.checkpoint import checkpoints

ROOT = Path(__file__).resolve().parents[1]
CSV, PAGE = ROOT / "docs" / "coverage.csv", ROOT / "docs" / "evaluation.md"
FRESH = ROOT / "docs" / "fresh.csv"
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


def fresh(path: Path = FRESH) -> str:
    """Coverage on boxes simulated for this alone, and how often RCPS breaks its word on them."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = [
        "| checkpoint | fields | promised | calibrated | unweighted | maps | boxes | passes |",
        "| --- |" + " --- |" * 7,
    ]
    for row in rows:
        if row["table"] == "coverage":
            cells = [f"`{row['checkpoint']}`", row["part"], f"{float(row['promised']):.0%}"]
            for name, error in (("covered", "error"), ("unweighted", "unweighted_error")):
                cells += [f"{float(row[name]):.2%} ± {float(row[error]):.2%}"]
            cells += [row["fields"], row["boxes"], _verdict(row)]
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "| RCPS, promised | boxes a draw | of | draws | factor, median | too many outside, share "
        "of draws | allowed |",
        "| --- |" + " --- |" * 6,
    ]
    for row in rows:
        if row["table"] == "rcps":
            cells = [f"{float(row['promised']):.0%}", row["boxes"], row["population"]]
            cells += [row["redraws"], f"{float(row['median_factor']):.2f}"]
            cells += [f"{float(row['exceeded']):.1%}", f"{float(row['delta']):.0%}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def fingerprint(calibration: Calibration, part: str) -> str:
    """Twelve hex digits of the λ of a part, by which a measurement is known to be of it."""
    (name,) = (name for name, words in FIELDS.items() if words == part)
    factor = getattr(calibration, name).factor
    return hashlib.sha256(factor.numpy().tobytes()).hexdigest()[:12]


def joined(kept: Path, new: Path) -> str:
    """The text of one CSV: rows of parts that `new` has not, then its own."""
    tables = []
    for path in (kept, new):
        with path.open(encoding="utf-8", newline="") as file:
            tables.append(list(csv.DictReader(file)))
    anew = {_subject(row) for row in tables[1]}
    rows = [row for row in tables[0] if _subject(row) not in anew] + tables[1]
    rows.sort(key=lambda row: (row["table"], list(FIELDS.values()).index(row["part"])))
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(n for row in rows for n in row)), restval="")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _subject(row: dict[str, str]) -> tuple[str, ...]:
    return row["checkpoint"], row["table"], row["part"]


def _verdict(row: dict[str, str]) -> str:
    """Whether a line of coverage passes, or cannot be told."""
    if row["passes"] == "True":
        return "yes"
    covered, error = float(row["covered"]), float(row["error"])
    if passes(1 - covered, error, 1 - float(row["promised"])):
        return "not decided: the error is too large"
    return "no: wider than need be" if covered > float(row["promised"]) else "no"


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
    """The page with all tables."""
    block = (
        f"{held_out()}\n\nOn boxes simulated for this test alone, which neither trained, "
        "calibrated nor chose anything (a pass: at most 5% or 32% outside, within twice the "
        f"error, not over a percentage point less, and an error of at most 0.5%; boxes weighted "
        f"to the middle of the cosmologies they were drawn from):\n\n{fresh()}"
        "\n\nOn other skies, which no promise covers but these were measured on:\n\n"
        f"{elsewhere()}"
    )
    return import_module("readme_table").written(text, block, BEGIN, END)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", type=Path, help="report.csv of an evaluation on other skies")
    parser.add_argument("--fresh", type=Path, help="fresh.csv of fresh_boxes.py")
    given = parser.parse_args()
    if given.other is not None:
        shutil.copyfile(given.other, CSV)
    if given.fresh is not None:
        FRESH.write_text(joined(FRESH, given.fresh), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
