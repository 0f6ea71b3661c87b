r"""Positions as unit vectors, and their places on a tangent plane.

.. math:: (x, y) = (v \cdot e_{East},\ v \cdot e_{North}) / (v \cdot v_0)

The same as the WCS of a TAN grid, for many positions at once and without its overhead.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex
from numpy.typing import ArrayLike

from massgan_core.sky.grid import Grid


def directions(ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
    """Unit vectors [..., 3] of positions [deg]."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    flat = np.cos(d)
    return np.stack([flat * np.cos(a), flat * np.sin(a), np.sin(d)], axis=-1)


def pixels_of(grid: Grid, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates (x, y) of unit vectors on a TAN `grid`, as :meth:`Grid.sky_to_pixel`.

    NaN for what a plane cannot show: positions on the far half of the sky or nearly so.
    """
    wcs = grid.wcs.wcs
    a, d = np.deg2rad(wcs.crval)
    middle = directions(*wcs.crval)
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    north = np.array([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    depth = vectors @ middle
    depth = np.where(depth > 1e-3, depth, np.nan)
    step, corner = np.deg2rad(wcs.cdelt), wcs.crpix - 1
    x, y = (vectors @ axis / depth for axis in (east, north))
    return x / step[0] + corner[0], y / step[1] + corner[1]


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
    ra, dec = grid.pixel_to_sky(x, y)
    step = np.where(dec > 0, -1e-4, 1e-4)  # towards the equator: never past a pole
    x_step, y_step = pixels_of(grid, directions(ra, dec + step))
    north = ((x_step - x) + 1j * (y_step - y)) * np.sign(step)
    return north / (1j * np.abs(north))
