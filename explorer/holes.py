"""Holes that a person cuts into a simulated field: a bounded list of polygons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param

from explorer.links import is_finite
from massgan_core.simulate.polygons import CORNERS, MOST

REACH = 100.0  #: farthest corner from the centre [arcmin]


class Holes(param.Parameter):
    """At most 12 polygons of 3 to 40 corners [x, y], arcmin from the centre of the field."""

    def __init__(self, default: Any = (), **options: Any) -> None:
        super().__init__(default=default, **options)
        self._validate(default)

    def _validate(self, val: Any) -> None:
        if not _is_list(val, 0, MOST) or not all(_is_hole(hole) for hole in val):
            raise ValueError(
                f"holes must be at most {MOST} polygons of 3 to {CORNERS} corners [x, y], in "
                f"arcmin, none beyond {REACH:g}"
            )


def hole(x: Sequence[float], y: Sequence[float]) -> list[list[float]]:
    """The outline that a mouse drew [arcmin], with no more corners than are kept."""
    step = max(1, -(-len(x) // CORNERS))
    points = [[round(float(a), 2), round(float(b), 2)] for a, b in zip(x, y, strict=True)]
    return points[::step]


def frozen(holes: Sequence) -> tuple:
    """Holes as tuples, to be compared and remembered."""
    return tuple(tuple(tuple(corner) for corner in outline) for outline in holes)


def _is_list(value: Any, least: int, most: int) -> bool:
    return isinstance(value, list | tuple) and least <= len(value) <= most


def _is_hole(outline: Any) -> bool:
    return _is_list(outline, 3, CORNERS) and all(
        _is_list(corner, 2, 2) and all(is_finite(v, REACH) for v in corner) for corner in outline
    )
