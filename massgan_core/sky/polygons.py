"""Which pixels lie inside a polygon."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky.grid import Grid


def inside_polygon(grid: Grid, corners: Float[np.ndarray, "V 2"]) -> Bool[Tensor, "H W"]:
    """True where the centre of a pixel lies inside, by the even-odd rule.

    Args:
        grid: Pixels.
        corners: In order, offsets (x, y) from the centre of the grid [arcmin]; the last joins the
            first.

    Raises:
        ValueError: Fewer than three corners.
    """
    if len(corners) < 3:
        raise ValueError(f"`corners` must be three or more, got {len(corners)}")
    height, width = grid.shape
    x, y = grid.pixel_to_plane(np.arange(width, dtype=float), np.arange(height, dtype=float))
    y = y[:, None]
    odd = np.zeros(grid.shape, bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, 0), strict=True):
        if y1 != y2:  # a level edge is crossed by no level line
            crossed = (y1 > y) != (y2 > y)
            odd ^= crossed & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return torch.from_numpy(odd)
