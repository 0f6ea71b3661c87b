r"""A whole survey at a few arcminutes: sums over small cells of the sky, gridded on any plane.

The sums of :mod:`massgan_core.survey.gridding` are additive, so one pass over a catalogue of any
length fills them: Σw, Σw², Σw(1 + m), Σw(e − c) and the count of every cell, the shear with
respect to North. On a plane a cell counts as one galaxy at its middle.
"""

from __future__ import annotations

import numpy as np
import torch

from massgan_core.sky import Grid, ShearField, Sources
from massgan_core.sky.rings import Rings
from massgan_core.sky.sky_noise import BLOCK
from massgan_core.sky.tangent import on_grid, pixels_of
from massgan_core.survey.area import survey_area
from massgan_core.survey.binning import turn_to_grid
from massgan_core.survey.catalog import Catalog

_BINS = np.arange(0, 20.05, 0.05)  #: of redshift
_PARTS = 4_000_000  #: cells in parts not yet merged


class SurveySums:
    """Additive sums over the galaxies of a survey; :meth:`add` fills them a part at a time."""

    def __init__(self) -> None:
        self.rings = Rings(BLOCK)
        self.cell, self.sums = np.zeros(0, np.int64), np.zeros((6, 0))
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        # Σw² e², Σw², Σw, ΣwR and rows that count: of all galaxies.
        self.total, self.redshift = np.zeros(5), np.zeros(len(_BINS) - 1)

    def add(self, catalog: Catalog) -> None:
        """Count in the galaxies of `catalog`."""
        w = catalog.weight.astype(float)
        e1, e2 = catalog.corrected()
        response = w if catalog.m is None else w * (1 + catalog.m)
        cell, at = np.unique(self.rings.find(catalog.ra, catalog.dec), return_inverse=True)
        columns = (np.ones_like(w), w, w**2, response, w * e1, w * e2)
        self._parts.append((cell, np.stack([np.bincount(at, c, len(cell)) for c in columns])))
        r = w.sum() if catalog.R is None else (w * catalog.R).sum()
        self.total += [(w**2 * (e1**2 + e2**2)).sum(), (w**2).sum(), w.sum(), r, len(w)]
        if catalog.z is not None:
            known = np.isfinite(catalog.z) & (catalog.z > 0)
            self.redshift += np.histogram(catalog.z[known], _BINS, weights=w[known])[0]
        if sum(len(c) for c, _ in self._parts) > max(_PARTS, len(self.cell)):
            self.merge()

    def merge(self) -> None:
        """Bring the parts together; ask for `cell` and `sums` after this."""
        parts = [(self.cell, self.sums), *self._parts]
        cell, at = np.unique(np.concatenate([c for c, _ in parts]), return_inverse=True)
        sums = np.concatenate([s for _, s in parts], axis=1)
        self.sums = np.stack([np.bincount(at, row, len(cell)) for row in sums])
        self.cell, self._parts = cell, []

    @property
    def scatter(self) -> float:
        """σ_e of the whole survey, see :attr:`Catalog.scatter`."""
        return float(np.sqrt(self.total[0] / (2 * self.total[1])))

    @property
    def sources(self) -> Sources | None:
        """n(z) of the galaxies with a redshift; `None` where there is none."""
        if not self.redshift.any():
            return None
        last = int(np.flatnonzero(self.redshift)[-1]) + 2
        count = np.append(self.redshift, 0.0)[:last]
        return Sources((np.arange(last) + 0.5) * 0.05, count)

    def field(
        self, grid: Grid, sources: Sources | None = None, name: str = "survey"
    ) -> ShearField:
        """The survey on a coarse plane.

        Args:
            grid: Its pixels are larger than the cells.
            sources: n(z) of the galaxies.
            name: Short name for people.
        """
        some = self._about(grid)
        ra, dec = self.rings.center(self.cell[some])
        pixel, inside = on_grid(grid, *pixels_of(grid, ra, dec))
        n, w, w2, response, e1, e2 = np.asarray(self.sums[:, some])[:, inside]
        e = turn_to_grid(e1 + 1j * e2, ra[inside], dec[inside], grid)
        columns = (n, w2, response * (self.total[3] / self.total[2]), e.real, e.imag)
        n, w2, response, real, imag = (
            np.bincount(pixel[inside], c, grid.shape[0] * grid.shape[1]).reshape(grid.shape)
            for c in columns
        )
        mask = (n > 0) & (response > 0)
        safe = np.where(mask, response, 1.0)
        sigma = np.where(mask, self.scatter * np.sqrt(w2) / safe, np.inf)
        return ShearField(
            grid,
            torch.from_numpy((np.where(mask, real + 1j * imag, 0) / safe).astype(np.complex64)),
            torch.from_numpy(sigma.astype(np.float32)),
            torch.from_numpy(mask),
            counts=torch.from_numpy(n.astype(np.int32)),
            area=torch.from_numpy(survey_area(mask, n)),
            sources=sources,
            name=name,
        )

    def _about(self, grid: Grid) -> slice:
        """Cells, which lie ring by ring, of the declinations that a grid reaches."""
        reach = np.hypot(*grid.extent) / 2 / 60 / self.rings.height + 1
        ring = (float(grid.wcs.wcs.crval[1]) + 90) / self.rings.height
        low, high = (int(np.clip(ring + r, 0, self.rings.count)) for r in (-reach, reach + 1))
        return slice(*np.searchsorted(self.cell, self.rings.first[[low, high]]))
