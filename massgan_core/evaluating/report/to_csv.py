"""The table to compute with: one row for each set and method, all digits, blanks for nothing."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from massgan_core.evaluating.report.columns import COLUMNS, rows

#: Names of all columns.
HEAD = (
    *("set", "method", "title", "digest"),  # of the checkpoint's file
    *(name for c in COLUMNS for name in ((c.key, f"{c.key}_error") if c.error else (c.key,))),
)


def to_csv(found: Mapping[str, Any]) -> str:
    """All rows, with a head of :data:`HEAD`."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEAD)
    for row in rows(found):
        cells: list[Any] = [row.set, row.method, row.table.get("title", "")]
        cells.append(row.table.get("digest"))
        for column in COLUMNS:
            cells += column.of(row.table)[: 1 + column.error]
        table.writerow(cells)
    return text.getvalue()
