"""Write the README's table of methods from the CSV of an evaluation.

    massgan evaluate --data TEST.zarr --methods ks,wiener,sparse,gan,regression --ktng FOLDER \
            --fields 64 --samples 63 --out REPORT_DIR
    python benchmarks/readme_table.py [REPORT_DIR/report.csv]

A CSV that is given is copied to docs/evaluation.csv first; without one the table is made anew
from that. A test holds the README to it.
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CSV, README = ROOT / "docs" / "evaluation.csv", ROOT / "README.md"
BEGIN, END = "<!-- benchmarks/readme_table.py -->", "<!-- end of the table -->"
NAMES = {
    "ks": "Kaiser–Squires, 1′",
    "wiener": "Wiener filter, theory spectrum",
    "sparse": "sparse peaks + Wiener filter",
    "gan": "GAN, mean of {samples} samples",
    "regression": "regression network",
    "score": "learned score, mean of {samples} samples",
}
COLUMNS = {
    "Pearson r": ("r", 3),
    "RMSE of κ": ("rmse", 4),
    "spread / skill": ("spread_skill", 2),
    "… after 4′ smoothing": ("spread_skill_4arcmin", 2),
    "peaks found / real, S/N ≥ 3": ("completeness_snr3", 2),
    "seconds a sample": ("seconds_of_sample", 2),
}


def rows(path: Path = CSV) -> list[dict[str, str]]:
    """Rows of the test fields."""
    with path.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["set"] == "test"]


def table(found: list[dict[str, str]]) -> str:
    """Sentence and Markdown table."""
    first = found[0]
    lines = [
        f"Means over {first['fields']} simulated fields of {first['boxes']} N-body boxes that no "
        "training saw",
        "(COSMOS mask and noise, nothing leaking from outside the mask), all methods on the same "
        "fields:",
        "",
        "| map | " + " | ".join(COLUMNS) + " |",
        "| --- |" + " --- |" * len(COLUMNS),
    ]
    for row in found:
        name = NAMES.get(row["method"], row["title"]).format(**row)
        cells = [_cell(row, key, digits) for key, digits in COLUMNS.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, str], key: str, digits: int) -> str:
    if key == "completeness_snr3":
        return f"{float(row[key]):.2f} / {float(row['purity_snr3']):.2f}"
    if not row[key]:
        return "–"
    least = 10.0**-digits
    # 0.00 seconds would be none at all.
    if key == "seconds_of_sample" and float(row[key]) < least / 2:
        return f"< {least:.{digits}f}"
    return f"{float(row[key]):.{digits}f}"


def written(text: str, block: str, begin: str = BEGIN, end: str = END) -> str:
    """A page with another table between its marks."""
    head, rest = text.split(begin)
    return f"{head}{begin}\n{block}\n{end}{rest.split(end)[1]}"


def main() -> None:
    if len(sys.argv) > 1:
        shutil.copyfile(sys.argv[1], CSV)
    README.write_text(written(README.read_text(), table(rows())))


if __name__ == "__main__":
    main()
