"""Write the tables of docs/performance.md from pytest-benchmark's JSON.

    make bench [BENCH=sampling]
    python benchmarks/performance_page.py runs/performance.json [--accelerator ACCELERATOR.json]

What was measured again takes the place of what the same parts had in docs/performance.csv; the
page is made anew from that. ACCELERATOR.json is of benchmarks/accelerator.py. A test holds the
page to the CSV.
"""

from __future__ import annotations

import argparse
import csv
import json
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CSV, PAGE = ROOT / "docs" / "performance.csv", ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- benchmarks/performance_page.py -->", "<!-- end of the tables -->"
COLUMNS = ("part", "figure", "value", "unit", "least", "most", "measured")
#: In the page's order; a part is what `BENCH=` takes, but for `gpu`.
PARTS = {
    "sampling": "Sampling",
    "gpu": "Sampling and training on a GPU",
    "training": "Training",
    "simulate": "Simulating, and maps for training",
    "gridding": "Galaxies to pixels",
    "wiener": "The Wiener sampler",
    "explorer": "The explorer",
    "start": "Starting",
    "memory": "Memory",
}
GPU_BARS = {"sample": 1500.0, "roofline": 0.5, "step": 0.25}


def of_suite(found: dict) -> list[dict[str, str]]:
    """Rows of a run of the suite."""
    machine, rows = found["machine_info"], []
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    for bench in found["benchmarks"]:
        others = bench["extra_info"].get("cores of others", 0.0)
        measured = (
            f"{found['datetime'][:10]}, {machine['cpu']['brand_raw']}, {machine['threads']} "
            f"of {machine['cores']} cores, {1e-9 * machine['memory']:.0f} GB, "
            f"Python {machine['python']}, {versions}"
        )
        part = Path(bench["fullname"].split("::")[0]).stem.removeprefix("bench_")
        for figure in bench["extra_info"]["figures"]:
            row = figure | {"part": part, "measured": f"{measured}|{others:.1f}"}
            rows.append({key: _plain(row[key]) for key in COLUMNS})
    return rows


def of_accelerator(found: dict) -> list[dict[str, str]]:
    """Rows of a run of benchmarks/accelerator.py: the best batch of every way and side."""
    best: dict[tuple, dict] = {}
    for row in found["sampling"]:
        key = (row["way"], row.get("dtype", ""), row.get("side", 300))
        if key not in best or row["samples a second"] > best[key]["samples a second"]:
            best[key] = row
    measured = f"{found['device']}, torch {found['torch']}|"
    usual = [row for (*_, side), row in best.items() if side == 300]
    decoders = [row for row in usual if "of the roofline" in row]
    # A bar is one of the best way there is.
    fastest = max(
        (row for row in usual if row["way"] == "sample"), key=lambda row: row["samples a second"]
    )
    closest = max(decoders, key=lambda row: row["of the roofline"])
    lines = []
    for (way, dtype, side), row in best.items():
        name = f"{way} {dtype}".strip() + f", batch {row['batch']}, {side}²"
        least = GPU_BARS["sample"] if row is fastest else None
        lines.append((f"{name}: samples", row["samples a second"], "a second", least))
        if "of the roofline" in row:
            least = GPU_BARS["roofline"] if row is closest else None
            lines.append((f"{name}: of the roofline", row["of the roofline"], "", least))
    step = found["training"]
    words = f"adversarial step of {step['batch']} fields: of"
    lines.append((f"{words} the matrix product", step["of the product"], "", None))
    lines.append((f"{words} the roofline", step["of the roofline"], "", GPU_BARS["step"]))
    return [
        {
            "part": "gpu",
            "figure": figure,
            "value": _plain(value),
            "unit": unit,
            "least": _plain(least),
            "most": "",
            "measured": measured,
        }
        for figure, value, unit, least in lines
    ]


def _plain(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def merged(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows by part in the page's order; parts that are new replace what they were."""
    fresh = {row["part"] for row in new}
    rows = [row for row in old if row["part"] not in fresh] + new
    return sorted(rows, key=lambda row: list(PARTS).index(row["part"]))


def read(path: Path = CSV) -> list[dict[str, str]]:
    """Rows of the CSV; none where there is none yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reached(row: dict[str, str]) -> bool | None:
    """Whether a figure is where its bar wants it; None without a bar."""
    value = float(row["value"])
    if row["least"]:
        return value >= float(row["least"])
    return value <= float(row["most"]) if row["most"] else None


def bar(row: dict[str, str]) -> str:
    """A bar in signs."""
    if row["least"]:
        return f"≥ {float(row['least']):.10g}"
    return f"≤ {float(row['most']):.10g}" if row["most"] else ""


def tables(rows: list[dict[str, str]]) -> str:
    """How many bars are reached, then part by part."""
    barred = [row for row in rows if bar(row)]
    passed = sum(bool(reached(row)) for row in barred)
    blocks = [f"{passed} of {len(barred)} bars are reached."]
    for part, title in PARTS.items():
        some = [row for row in rows if row["part"] == part]
        if some:
            blocks += [f"### {title}", _table(some), _measured(some)]
    return "\n\n".join(blocks)


def _table(rows: list[dict[str, str]]) -> str:
    lines = ["| figure | measured | bar | reached |", "| --- | --- | --- | --- |"]
    for row in rows:
        value = f"{_rounded(float(row['value']))} {row['unit']}".strip()
        verdict = {None: "", True: "yes", False: "**no**"}[reached(row)]
        lines.append(f"| {row['figure']} | {value} | {bar(row)} | {verdict} |")
    return "\n".join(lines)


def _rounded(value: float) -> str:
    """Three digits; thousands as they are."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _measured(rows: list[dict[str, str]]) -> str:
    """Machine and versions, and how busy others kept it."""
    machines = dict.fromkeys(row["measured"].split("|")[0] for row in rows)
    busy = [float(b) for row in rows if (b := row["measured"].split("|")[1])]
    others = f"; others used {max(busy):.1f} cores of it at most" if busy else ""
    return f"*{'; '.join(machines)}{others}.*"


def page(text: str, rows: list[dict[str, str]]) -> str:
    """The page with other tables."""
    return import_module("readme_table").written(text, tables(rows), BEGIN, END)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", type=Path, nargs="?", help="pytest-benchmark's JSON")
    parser.add_argument("--accelerator", type=Path, help="accelerator.json")
    given = parser.parse_args()
    new = []
    if given.suite is not None:
        new += of_suite(json.loads(given.suite.read_text()))
    if given.accelerator is not None:
        new += of_accelerator(json.loads(given.accelerator.read_text()))
    rows = merged(read(), new)
    with CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    PAGE.write_text(page(PAGE.read_text(), rows))


if __name__ == "__main__":
    main()
