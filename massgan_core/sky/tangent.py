"""Positions as unit vectors, and many of them on the pixels of a grid."""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex
from numpy.typing import ArrayLike

from massgan_core.sky.grid import Grid
from massgan_core.sky.tangent_plane import places


def directions(ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
    """Unit vectors [..., 3] of positions [deg]."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    flat = np.cos(d)
    return np.stack([flat * np.cos(a), flat * np.sin(a), np.sin(d)], axis=-1)


def pixels_of(grid: Grid, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates (x, y) of positions [deg], as :meth:`Grid.sky_to_pixel`, but faster.

    NaN for what a plane cannot show: positions on the far half of the sky.
    """
    return tuple(_gathered(grid, ra, dec, "x", "y"))


def on_grid(grid: Grid, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat index of the pixel of each (x, y), and whether it lies on the grid."""
    height, width = grid.shape
    with np.errstate(invalid="ignore"):
        inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    column, row = (np.floor(np.where(inside, v, 0.0) + 0.5).astype(np.int64) for v in (x, y))
    return row * width + column, inside


def north_of(grid: Grid) -> Complex[np.ndarray, "H W"]:
    """exp(iψ) of every pixel, ψ from the grid's y axis to North, counter-clockwise."""
    y, x = np.indices(grid.shape)
    east, up = _gathered(grid, *grid.pixel_to_sky(x, y), "north_x", "north_y")
    north = east + 1j * up
    return north / (1j * np.abs(north))


def _gathered(grid: Grid, ra: ArrayLike, dec: ArrayLike, *names: str) -> list[np.ndarray]:
    """Numbers of all positions' places, in their shape."""
    ra, dec = np.broadcast_arrays(ra, dec)
    found = [place for _, place in places(grid, ra.ravel(), dec.ravel())]
    empty = [np.zeros(0)]
    return [
        np.concatenate(empty + [getattr(place, name) for place in found]).reshape(ra.shape)
        for name in names
    ]
