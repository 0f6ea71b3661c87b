"""Put a new calibration's coverage into the CSV of an evaluation whose maps it leaves alone.

    massgan evaluate --data ANY.zarr --methods gan,regression --ktng FOLDER --draws 16 --fields 1 \
            --samples 63 --no-clusters --out DIR
    python benchmarks/calibrated_columns.py docs/evaluation.csv DIR/report.csv --sets ktng

A calibration moves the ends of intervals and nothing else, so that only the columns calibrated_*
are taken, of the sets named. All other figures of a row, but those of speed, must be the ones
there were: otherwise other fields or other samples were evaluated, and nothing is written.
"""

from __future__ import annotations

import argparse
import csv
import io
from math import isclose
from pathlib import Path

TAKEN = "calibrated_"
RATIO = "_over_wiener"
TIMED = ("seconds_of_map", "seconds_of_sample")
# Figures are printed with six digits, and sums differ between machines in the last of them.
TOLERANCE = 1e-4


def renewed(kept: Path, new: Path, sets: list[str]) -> str:
    """The text of `kept` with the coverage of `new` in the rows of `sets`.

    Raises:
        ValueError: `kept` has no such set, `new` lacks a row, or has it of other maps.
    """
    rows, others = (_read(path) for path in (kept, new))
    fresh = {(row["set"], row["method"]): row for row in others}
    if missing := set(sets) - {row["set"] for row in rows}:
        raise ValueError(f"{kept} has no set {', '.join(sorted(missing))}")
    for row in rows:
        if row["set"] in sets and row["calibrated_95"]:
            key = row["set"], row["method"]
            if key not in fresh:
                raise ValueError(f"{new} lacks {key[1]} on {key[0]}")
            _same_maps(row, fresh[key])
            row |= {name: fresh[key][name] for name in row if name.startswith(TAKEN)}
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator=_newline(kept))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _newline(path: Path) -> str:
    return "\r\n" if b"\r\n" in path.read_bytes() else "\n"


def _same_maps(row: dict[str, str], other: dict[str, str]) -> None:
    for name, value in row.items():
        if name.startswith(TAKEN) or name in TIMED or name not in other:
            continue
        # Ratios to the Wiener filter are there only if it was evaluated too.
        if RATIO in name and not other[name]:
            continue
        if not _alike(value, other[name]):
            raise ValueError(
                f"{row['method']} on {row['set']}: {name} is {other[name]}, it was {value}: the "
                "fields, samples or weights are not the same"
            )


def _alike(one: str, other: str) -> bool:
    try:
        return isclose(float(one), float(other), rel_tol=TOLERANCE, abs_tol=1e-6)
    except ValueError:
        return one == other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kept", type=Path, help="docs/evaluation.csv or docs/coverage.csv")
    parser.add_argument("new", type=Path, help="report.csv")
    parser.add_argument("--sets", nargs="+", required=True)
    given = parser.parse_args()
    try:
        text = renewed(given.kept, given.new, given.sets)
    except ValueError as error:
        parser.error(str(error))
    given.kept.write_bytes(text.encode())


if __name__ == "__main__":
    main()
