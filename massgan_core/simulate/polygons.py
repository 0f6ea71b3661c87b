"""Which pixels lie inside polygons: holes cut by hand into the mask of a simulated field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from massgan_core.sky import Grid

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
    height, width = grid.shape
    left, bottom, _, _ = grid.bounds
    x = left + (np.arange(width) + 0.5) * grid.pixel_scale
    y = bottom + (np.arange(height)[:, None] + 0.5) * grid.pixel_scale
    inside = np.zeros(grid.shape, bool)
    for polygon in polygons:
        inside |= _inside(_corners(polygon), x, y)
    return torch.from_numpy(inside)


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


def _inside(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Count the sides to the right of each pixel: an odd number means inside."""
    inside = np.zeros((len(y), len(x)), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue  # level: no row crosses it
        crossed = (y0 > y) != (y1 > y)
        inside ^= crossed & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
