"""The report in a terminal: a compact table, and every fault in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from massgan_core.evaluating.report.columns import COLUMNS, Table
from massgan_core.evaluating.report.rounding import rounded

WIDTH = 100  #: of lines that are broken
#: Columns of the compact table, and how they are headed.
MAIN = {
    "r": "r",
    "r_over_wiener": "r/Wiener",
    "rmse_over_wiener": "RMSE/Wiener",
    "spread_skill": "spread/skill",
    "spread_skill_4arcmin": "after 4′",
    "coverage_95": "95 % holds",
    "faults": "faults",
}
#: Said of methods without samples, which have few faults because little is asked of them.
NO_SAMPLES = "without samples, judged on leaks and mixed modes only"


def lines(found: Mapping[str, Any]) -> list[str]:
    """What a terminal shows of a report."""
    said: list[str] = []
    for part in found["sets"].values():
        fields = f"{part['fields']} fields, errors over {part['boxes']} boxes"
        said += [f"{part['title']} ({fields})", "", *_table(part["methods"]), ""]
        for name, table in part["methods"].items():
            said += _faults(name, table)
        said.append("")
    for note in found.get("notes") or []:
        said += textwrap.wrap(f"Note: {note}", WIDTH, subsequent_indent="  ")
    return said


def has_samples(table: Table) -> bool:
    """Whether a method gave samples."""
    return table.get("samples") is not None


def missing(table: Table) -> list[str]:
    """What samples could have been judged by, and were not; nothing where there are none."""
    names = table.get("unjudged") or [] if has_samples(table) else []
    # The exact posterior of a simulated sky is not known.
    return [name.replace("_", " ") for name in names if name != "r_over_exact"]


def _table(tables: Mapping[str, Table]) -> list[str]:
    by_key = {column.key: column for column in COLUMNS}
    head = ["", *MAIN.values()]
    body = [
        [name, *(rounded(*by_key[key].of(table)) or "–" for key in MAIN)]
        for name, table in tables.items()
    ]
    widths = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]
    return ["  ".join(_padded(row, widths)).rstrip() for row in [head, *body]]


def _padded(row: list[str], widths: list[int]) -> Iterator[str]:
    yield row[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))


def _faults(name: str, table: Table) -> list[str]:
    found = table.get("faults") or []
    judged = "" if has_samples(table) else f" ({NO_SAMPLES})"
    number = {0: "no fault", 1: "1 fault"}.get(len(found), f"{len(found)} faults")
    said = [f"{name}: {number}{judged}"]
    for fault in [f["words"] for f in found] + list(table.get("outside_domain") or []):
        said += textwrap.wrap(
            fault, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False
        )
    if missing(table):
        words = f"not measured: {', '.join(missing(table))}"
        said += textwrap.wrap(words, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return said
