"""The plan of a run: one row a map, known before any map is made.

===================================  =====================================================
``box``                              simulation box: the unit of train, calibration and test
``seed``                             of the map itself
``sources``                          which of the run's n(z) tables (default 0)
``omega_m omega_b h sigma8 n_s w``   cosmology (default w = −1)
``tiled``                            lensing weight tiled within the crop, a fraction (0)
===================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

COSMOLOGY = ("omega_m", "omega_b", "h", "sigma8", "n_s", "w")
COLUMNS = {name: np.dtype(np.int64) for name in ("box", "seed", "sources")}
COLUMNS |= {name: np.dtype(np.float64) for name in (*COSMOLOGY, "tiled")}
DEFAULTS = {"sources": 0, "w": -1.0, "tiled": 0.0}
#: What a column holds where nothing was written; never a value of a plan.
FILL = {"i": np.iinfo(np.int64).min, "f": np.nan}

Columns = dict[str, np.ndarray]


def make_columns(rows: Mapping[str, ArrayLike], tables: int) -> Columns:
    """Complete columns of equal length; a single number serves all rows.

    Args:
        rows: Columns by name.
        tables: How many n(z) tables there are.

    Raises:
        ValueError: A column is unknown, missing or unusable, or two rows are the same map.
    """
    unknown, missing = rows.keys() - COLUMNS.keys(), COLUMNS.keys() - (rows | DEFAULTS).keys()
    if unknown:
        raise ValueError(f"unknown column {min(unknown)!r}; known: {', '.join(COLUMNS)}")
    if missing:
        raise ValueError(f"the plan needs a column `{min(missing)}`")
    filled = {name: _column(name, (DEFAULTS | rows)[name]) for name in COLUMNS}
    lengths = {name: len(c) for name, c in filled.items() if len(c) != 1}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns must be of equal length, got {lengths}")
    n = next(iter(lengths.values()), 1)
    columns = {name: np.broadcast_to(c, n).copy() for name, c in filled.items()}
    wrong = (columns["sources"] < 0) | (columns["sources"] >= tables)
    if wrong.any():
        bad = columns["sources"][wrong][0]
        raise ValueError(f"`sources` must number one of {tables} n(z) tables, got {bad}")
    check_distinct(columns)
    return columns


def check_distinct(columns: Columns) -> None:
    """Raise a ValueError if two rows would be the same map."""
    names = [name for name in COLUMNS if name != "tiled"]
    seen: dict[tuple, int] = {}
    for i, row in enumerate(zip(*(columns[n].tolist() for n in names), strict=True)):
        if seen.setdefault(row, i) != i:
            raise ValueError(
                f"row {i} of the plan repeats row {seen[row]} (box {row[0]}, seed {row[1]}): "
                "every map needs a seed, box, n(z) or cosmology of its own"
            )


def check_same_start(have: Columns, want: Columns) -> None:
    """Raise a ValueError where two plans differ within their common length."""
    n = min(len(have["box"]), len(want["box"]))
    for name in COLUMNS:
        differ = np.flatnonzero(have[name][:n] != want[name][:n])
        if differ.size:
            i = differ[0]
            raise ValueError(
                f"row {i} of the plan has {name} {want[name][i]}, the store has {have[name][i]}; "
                "go on with the settings it was begun with or choose another path"
            )


def _column(name: str, values: ArrayLike) -> np.ndarray:
    try:
        given = np.atleast_1d(np.asarray(values))
        column = given.astype(COLUMNS[name])
        good = column.ndim == 1 and np.isfinite(column).all() and bool((column == given).all())
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good or (column == FILL[column.dtype.kind]).any():
        kind = "whole" if COLUMNS[name].kind == "i" else "finite"
        raise ValueError(f"column `{name}` must be a list of {kind} numbers")
    return column
