"""The sky as overlapping tangent planes: patches whose interiors share no point and leave none.

The interior of a patch is a box of :class:`massgan_core.sky.rings.Rings`; its grid is the tangent
plane about the middle of the box that holds the box and a margin all round.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import ceil

import numpy as np
from jaxtyping import Bool

from massgan_core.sky import Grid
from massgan_core.sky.rings import Rings
from massgan_core.sky.tangent import pixels_of

MULTIPLE = 32  #: the sides of a grid: what networks and transforms like
BORDER = 3  #: pixels that a window shows around an interior, to interpolate up to its edge


class Patches:
    """Patches of one size over all the sky, numbered as the boxes are.

    Args:
        interior: Largest height and width of an interior [arcmin].
        margin: Around it [arcmin].
        pixel_scale: [arcmin].

    Raises:
        ValueError: The interior is not positive or too large, or the margin is negative.
    """

    def __init__(self, interior: float, margin: float, pixel_scale: float) -> None:
        if not 0 < interior <= 60 * 20:
            raise ValueError(f"`interior` must lie between 0 and 1200 arcmin, got {interior}")
        if not margin >= 0:
            raise ValueError(f"`margin` must be ≥ 0 [arcmin], got {margin}")
        self.rings = Rings(interior / 60)
        self.margin, self.pixel_scale = margin, pixel_scale

    @cached_property
    def reach(self) -> float:
        """No grid reaches farther from its middle than this [deg]."""
        side = 1.5 * self.rings.height + 2 * self.margin / 60 + MULTIPLE * self.pixel_scale / 60
        return side / 2**0.5

    @lru_cache(maxsize=4096)  # noqa: B019 - one object a run
    def grid(self, patch: int) -> Grid:
        """The tangent plane of a patch, margin included."""
        (ra,), (dec,) = self.rings.center(np.array([patch]))
        plane = Grid.tan((1, 1), self.pixel_scale, center=(ra, dec))
        x, y = pixels_of(plane, *self.rings.outline(patch))
        shape = []
        for offset in (y, x):
            side = 2 * (float(np.abs(offset).max()) + self.margin / self.pixel_scale)
            shape.append(MULTIPLE * ceil(side / MULTIPLE))
        return Grid.tan(tuple(shape), self.pixel_scale, center=(ra, dec))

    @lru_cache(maxsize=4096)  # noqa: B019
    def near(self, patch: int) -> np.ndarray:
        """The patches whose interiors a patch's grid may touch, itself among them."""
        (ra,), (dec,) = self.rings.center(np.array([patch]))
        return self.rings.around((float(ra), float(dec)), self.reach + 1.1 * self.rings.height)

    def owned(self, patch: int) -> Bool[np.ndarray, "H W"]:
        """Which pixels of its grid have their middle in the interior of the patch."""
        grid = self.grid(patch)
        y, x = np.indices(grid.shape)
        return self.rings.find(*grid.pixel_to_sky(x, y)) == patch

    def window(self, patch: int) -> tuple[slice, slice]:
        """Rows and columns of its grid that hold the interior and, where they can, a border."""
        owned = self.owned(patch)
        rows, columns = (np.flatnonzero(owned.any(axis)) for axis in (1, 0))
        return tuple(
            slice(max(int(at[0]) - BORDER, 0), min(int(at[-1]) + BORDER + 1, side))
            for at, side in zip((rows, columns), owned.shape, strict=True)
        )
