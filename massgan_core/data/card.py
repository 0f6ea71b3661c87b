"""What all maps of a store share, checked, as plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from massgan_core.sky import Grid, Sources

FACTS = ("kind", "pixel_scale", "shape", "dtype", "sources", "settings")
KINDS = ("lognormal", "nbody", "ktng")
DTYPES = ("float16", "float32")


def make_card(
    shape: tuple[int, int],
    pixel_scale: float,
    kind: str,
    sources: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any] | None,
    dtype: str,
) -> dict[str, Any]:
    """The facts of a run by name; see :meth:`massgan_core.data.MapStore.create`."""
    for name, value, known in (("kind", kind, KINDS), ("dtype", dtype, DTYPES)):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {', '.join(known)}, got {value!r}")
    grid = Grid(tuple(shape), pixel_scale)
    if not sources:
        raise ValueError("`sources` must hold at least one n(z) table")
    try:
        plain = json.loads(json.dumps(dict(settings or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"`settings` must be plain JSON values: {error}") from None
    tables = [_table(table) for table in sources]
    values = (kind, grid.pixel_scale, list(grid.shape), dtype, tables, plain)
    return dict(zip(FACTS, values, strict=True))


def check_same(have: dict[str, Any], want: dict[str, Any], where: str) -> None:
    """Raise a ValueError naming the first setting in which two cards differ."""
    for name, old, new in _differences(have, want):
        if isinstance(old, list) and name != "shape":
            raise ValueError(f"{where} was begun with other {name}; choose another path")
        raise ValueError(
            f"{where} was begun with {name} {old!r}, not {new!r}; give the same or choose "
            "another path"
        )


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    nz, scale = Sources(table["redshift"], table["density"]), float(table["sigma_kappa"])
    if not 0 < scale < float("inf"):
        raise ValueError(f"`sigma_kappa` of an n(z) table must be positive, got {scale}")
    density = np.asarray(table["density"], float).ravel()
    return {
        "redshift": nz.redshift.tolist(),
        "density": density.tolist(),
        "sigma_kappa": scale,
    }


def _differences(have: Any, want: Any, name: str = "") -> Iterable[tuple[str, Any, Any]]:
    """Dotted names of what differs in nested plain values, with both values."""
    if isinstance(have, dict) and isinstance(want, dict):
        for key in dict.fromkeys([*have, *want]):
            dotted = f"{name}.{key}" if name else key
            yield from _differences(have.get(key), want.get(key), dotted)
    elif have != want:
        yield name, have, want
