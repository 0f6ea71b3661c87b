"""Which pixels lie inside polygons: holes cut by hand into the mask of a simulated field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from massgan_core.sky import Grid, inside_polygon

MOST, CORNERS = 12, 40  #: polygons, and corners of one, at most


def inside_polygons(
    grid: Grid, polygons: Sequence[Sequence[Sequence[float]]]
) -> Bool[Tensor, "H W"]:
    """True where the centre of a pixel lies inside a polygon, by the even-odd rule.

    Args:
        grid: Pixels.
        polygons: At most 12 lists of 3 to 40 corners (x, y) on the plane [arcmin from the centre];
            the last corner joins the first.

    Raises:
        ValueError: Too many polygons or corners, or a corner that is not two finite numbers.
    """
    if len(polygons) > MOST:
        raise ValueError(f"there must be at most {MOST} polygons, got {len(polygons)}")
    inside = torch.zeros(grid.shape, dtype=torch.bool)
    for polygon in polygons:
        inside |= inside_polygon(grid, _corners(polygon))
    return inside


def _corners(polygon: Sequence[Sequence[float]]) -> np.ndarray:
    try:
        corners = np.asarray(polygon, float)
    except (TypeError, ValueError):
        corners = np.empty(0)
    if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= CORNERS:
        raise ValueError(f"a polygon must be 3 to {CORNERS} corners (x, y) [arcmin]")
    if not np.isfinite(corners).all():
        raise ValueError("the corners of a polygon must be finite [arcmin]")
    return corners
