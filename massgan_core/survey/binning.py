"""Sums over the galaxies of every pixel, and over all, added up a part of a catalogue at a time.

Positions, turns and products are made in blocks that stay in a processor's cache; the sums are
`numpy.bincount` of longer parts, for each call walks through the whole map.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float, Int, Shaped

from massgan_core.sky import Grid
from massgan_core.sky.tangent_plane import places
from massgan_core.survey.catalog import Catalog

ROWS = 1 << 19  #: galaxies between two walks through the map


class PixelSums:
    """What a field is made of.

    Args:
        grid: Pixels on the sky (with a WCS).

    Attributes:
        response: Whether any galaxy came with a shear response R.
        span: Least and largest (RA, Dec) of all galaxies [deg].
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._size = grid.shape[0] * grid.shape[1]
        # One bin more, for what lies off the grid.
        self._n = np.zeros(self._size + 1, np.int64)
        self._w, self._w2, self._biased, self._e1, self._e2 = np.zeros((5, self._size + 1))
        self.response = False
        self.span = np.full(2, np.inf), np.full(2, -np.inf)
        self._shapes = np.zeros(6)  # Σw²|e|², Σw², N, Σe1, Σe2, Σ|e|² of all galaxies
        self._responses = np.zeros(2)  # ΣwR, Σw of those on the grid
        self._mirror = -1.0 if east_right(grid) else 1.0

    def add(self, catalog: Catalog) -> PixelSums:
        """Take galaxies in."""
        rows = max(ROWS, self._size)
        for start in range(0, len(catalog), rows):
            self._add(catalog, slice(start, min(start + rows, len(catalog))))
        return self

    def _add(self, catalog: Catalog, rows: slice) -> None:
        ra, dec = catalog.ra[rows], catalog.dec[rows]
        self.span = (
            np.minimum(self.span[0], (ra.min(), dec.min())),
            np.maximum(self.span[1], (ra.max(), dec.max())),
        )
        index = np.empty(len(ra), np.int64)
        w, e1, e2 = np.empty((3, len(index)))
        for part, place in places(self.grid, ra, dec):
            here = slice(rows.start + part.start, rows.start + part.start + len(place.x))
            index[part] = self._pixel(place.x, place.y)
            weight, shape = catalog.weight[here].astype(float), _corrected(catalog, here)
            self._learn(weight, *shape)
            cos, sin = place.turn
            one, two = weight * shape[0], self._mirror * weight * shape[1]
            w[part], e1[part], e2[part] = weight, one * cos - two * sin, one * sin + two * cos
        sum_w = self._bin(index, w, e1, e2)
        biased = catalog.m is not None
        self._biased += self._total(index, w * (1.0 + catalog.m[rows])) if biased else sum_w
        if catalog.R is not None:
            self.response, inside = True, index < self._size
            self._responses += (w * catalog.R[rows])[inside].sum(), w[inside].sum()

    def _bin(
        self,
        index: Int[np.ndarray, " N"],
        w: Float[np.ndarray, " N"],
        e1: Float[np.ndarray, " N"],
        e2: Float[np.ndarray, " N"],
    ) -> Float[np.ndarray, " P"]:
        """Add galaxies whose pixels and turned, weighted shapes are known; their Σw."""
        self._n += np.bincount(index, minlength=self._size + 1)
        for sums, values in ((self._w2, w**2), (self._e1, e1), (self._e2, e2)):
            sums += self._total(index, values)
        sum_w = self._total(index, w)
        self._w += sum_w
        return sum_w

    def _total(self, index: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.bincount(index, values, self._size + 1)

    def _pixel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Flat index, the last one for positions off the grid."""
        column, row, (height, width) = np.floor(x + 0.5), np.floor(y + 0.5), self.grid.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return np.where(inside, row * width + column, self._size).astype(np.int64)

    def _learn(self, w: np.ndarray, e1: np.ndarray, e2: np.ndarray) -> None:
        w2, square = w**2, e1**2 + e2**2
        self._shapes += (w2 @ square, w2.sum(), len(w), e1.sum(), e2.sum(), square.sum())

    def maps(self) -> dict[str, Shaped[np.ndarray, "H W"]]:
        """The sums as maps, see :func:`massgan_core.survey.gridding.pixel_sums`."""
        names = ("n", "w", "w2", "response", "e1", "e2")
        sums = (self._n, self._w, self._w2, self._biased, self._e1, self._e2)
        found = {k: v[:-1].reshape(self.grid.shape) for k, v in zip(names, sums, strict=True)}
        if self.response and self._responses[1] > 0:
            found["response"] = found["response"] * (self._responses[0] / self._responses[1])
        found["e"] = found.pop("e1") + 1j * found.pop("e2")
        return found

    @property
    def scatter(self) -> float:
        """σ_e of all galaxies, as :attr:`Catalog.scatter`."""
        return float(np.sqrt(self._shapes[0] / (2 * self._shapes[1])))

    @property
    def plain_scatter(self) -> float:
        """Unweighted scatter of all galaxies, as :attr:`Catalog.plain_scatter`."""
        _, _, n, e1, e2, square = self._shapes
        return float(np.sqrt(max(square / n - (e1 / n) ** 2 - (e2 / n) ** 2, 0.0) / 2))


def turn_to_grid(
    e: Complex[np.ndarray, " N"],
    ra: Float[np.ndarray, " N"],
    dec: Float[np.ndarray, " N"],
    grid: Grid,
) -> Complex[np.ndarray, " N"]:
    """Ellipticities with respect to local West and North, in the grid's x and y axes."""
    e = np.conj(e) if east_right(grid) else e
    turned = np.empty(len(e), complex)
    for part, place in places(grid, ra, dec):
        cos, sin = place.turn
        turned[part] = e[part] * (cos + 1j * sin)
    return turned


def east_right(grid: Grid) -> bool:
    """Whether RA increases along x: the mirror image of the sky."""
    return bool(np.linalg.det(grid.wcs.pixel_scale_matrix) > 0)


def _corrected(catalog: Catalog, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """e − c of some rows, float64."""
    pairs = (catalog.e1, catalog.c1), (catalog.e2, catalog.c2)
    return tuple(e[rows].astype(float) - (0.0 if c is None else c[rows]) for e, c in pairs)
