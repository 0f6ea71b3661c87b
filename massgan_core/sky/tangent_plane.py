r"""Positions on the pixels of a TAN grid, and which way North points there.

.. math:: \xi = \frac{\cos\delta\,\sin\Delta}{D}, \quad
          \eta = \frac{\cos\delta_0 \sin\delta - \sin\delta_0 \cos\delta \cos\Delta}{D}, \quad
          D = \sin\delta_0 \sin\delta + \cos\delta_0 \cos\delta \cos\Delta

with Δ = α − α₀; pixels are an affine function of (ξ, η). Meridians are straight lines there:
North is the derivative by δ, (−sin δ₀ sin Δ, cos Δ)/D², whose direction knows Δ alone.

References:
    Calabretta & Greisen (2002), https://ui.adsabs.harvard.edu/abs/2002A%26A...395.1077C
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massgan_core.sky.grid import Grid

BLOCK = 1 << 14  #: positions at once: their arrays stay in a processor's cache
_SAME = 1e-7  # pixels by which the WCS may disagree: its own rounding


@dataclass(frozen=True)
class Plane:
    """The affine map of a grid whose WCS is a plain TAN projection.

    Args:
        ra: α₀ [deg].
        dec: δ₀ [deg].
        matrix: (ξ, η) [rad] to pixels [2, 2].
        origin: Pixel (x, y) of (α₀, δ₀).
    """

    ra: float
    dec: float
    matrix: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(cls, grid: Grid) -> Plane | None:
        """The plane of a grid; `None` where its WCS is no plain TAN projection.

        The WCS itself is asked at some positions whether it agrees.
        """
        wcs = grid.wcs
        if [str(kind) for kind in wcs.wcs.ctype] != ["RA---TAN", "DEC--TAN"]:
            return None
        turn = np.deg2rad(wcs.wcs.lonpole - 180.0)
        turned = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        scale = np.deg2rad(np.asarray(wcs.pixel_scale_matrix))
        ra, dec = (float(v) for v in wcs.wcs.crval)
        plane = cls(ra, dec, np.linalg.solve(scale, turned), wcs.wcs.crpix - 1.0)
        x, y = (np.array([0.0, 0.0, 1.0, 1.0, 0.3]) * (n - 1) for n in grid.shape[::-1])
        at = grid.pixel_to_sky(x, y[[0, 2, 1, 3, 4]])
        found = plane.place(*(np.asarray(v, float) for v in at))
        off = np.hypot(found.x - x, found.y - y[[0, 2, 1, 3, 4]])
        return plane if (off < _SAME).all() else None

    def place(self, ra: Float[np.ndarray, " N"], dec: Float[np.ndarray, " N"]) -> Place:
        """Where positions [deg] lie on the grid; NaN on the far half of the sky."""
        delta, d = np.deg2rad(ra - self.ra), np.deg2rad(dec)
        sin0, cos0 = np.sin(np.deg2rad(self.dec)), np.cos(np.deg2rad(self.dec))
        east, toward, up, flat = np.sin(delta), np.cos(delta), np.sin(d), np.cos(d)
        along = flat * toward
        depth = sin0 * up + cos0 * along
        if depth.size and not depth.min() > 0:
            depth = np.where(depth > 0, depth, np.nan)
        xi = flat * east / depth
        eta = (cos0 * up - sin0 * along) / depth
        (a, b), (c, d_) = self.matrix
        x, y = a * xi + b * eta + self.origin[0], c * xi + d_ * eta + self.origin[1]
        lean = -sin0 * east
        return Place(x, y, a * lean + b * toward, c * lean + d_ * toward)


@dataclass(frozen=True)
class Place:
    """Pixel coordinates of positions, and the direction of North in x and y, of any length."""

    x: np.ndarray
    y: np.ndarray
    north_x: np.ndarray
    north_y: np.ndarray

    @property
    def turn(self) -> tuple[np.ndarray, np.ndarray]:
        """Real and imaginary part of exp(2iψ), ψ from the y axis to North, counter-clockwise."""
        square_x, square_y = self.north_x**2, self.north_y**2
        length = square_x + square_y
        return (square_y - square_x) / length, -2 * self.north_x * self.north_y / length


def places(
    grid: Grid, ra: Float[np.ndarray, " N"], dec: Float[np.ndarray, " N"]
) -> Iterator[tuple[slice, Place]]:
    """Where positions [deg] lie on a grid, block by block."""
    plane = Plane.of(grid)
    for start in range(0, len(ra), BLOCK):
        part = slice(start, start + BLOCK)
        a, d = ra[part].astype(float), dec[part].astype(float)
        yield part, _by_wcs(grid, a, d) if plane is None else plane.place(a, d)


def _by_wcs(grid: Grid, ra: np.ndarray, dec: np.ndarray) -> Place:
    """The same by any WCS, with differences for derivatives."""
    step = np.where(dec > 0, -1e-4, 1e-4)  # towards the equator: never past a pole
    x, y = grid.sky_to_pixel(ra, dec)
    x_step, y_step = grid.sky_to_pixel(ra, dec + step)
    return Place(x, y, (x_step - x) * np.sign(step), (y_step - y) * np.sign(step))
