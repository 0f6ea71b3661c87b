"""Parts of the COSMOS field: a box on its map, and a square round a cluster."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

import massgan_core as mg

if TYPE_CHECKING:
    from massgan_core.sky import Grid
    from massgan_core.survey import Clusters

NAMED, AROUND = 5, 20.0  #: clusters with a region of their own, and its side [arcmin]


@lru_cache(maxsize=1)
def regions() -> dict[str, tuple[float, ...]]:
    """A `State.region` round each of the most massive X-ray clusters, by its name."""
    table = mg.clusters()
    order = (-np.asarray(table.m500)).argsort()[:NAMED]
    return {f"Round {table.name[i]} (z {table.redshift[i]:.2f})": _round(table, i) for i in order}


def region_round(name: str, table: Clusters | None = None) -> tuple[float, ...] | None:
    """The `State.region` round a cluster of `table`, else of the X-ray list; None for neither."""
    for known in (table, mg.clusters()):
        at = np.flatnonzero(() if known is None else np.asarray(known.name) == name)
        if at.size:
            return _round(known, at[0])
    return None


def _round(table: Any, i: int) -> tuple[float, ...]:
    return round(float(table.ra[i]), 5), round(float(table.dec[i]), 5), AROUND, AROUND


def region_of(grid: Grid, box: tuple[float, float, float, float]) -> tuple[float, ...]:
    """The `State.region` of a box (left, bottom, right, top) [arcmin] on the plane of `grid`."""
    left, bottom, right, top = box
    center = grid.plane_to_pixel((left + right) / 2, (bottom + top) / 2)
    ra, dec = grid.pixel_to_sky(*center)
    return (
        round(float(ra), 5),
        round(float(dec), 5),
        round(right - left, 2),
        round(top - bottom, 2),
    )


def box_of(grid: Grid, region: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The outline of a `State.region` on the plane of `grid`; see :func:`region_of`."""
    ra, dec, width, height = region
    x, y = (float(offset) for offset in grid.sky_to_plane(ra, dec))
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
