"""Peaks of a map: local maxima inside the footprint, after smoothing.

A peak is a pixel higher than its 8 neighbours, all nine inside the footprint: beside an edge
or a hole the map may rise further where nobody looked. Heights are κ above the footprint mean.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massgan_core.sky import Grid, local_maxima, remove_mean, smooth


@dataclass(frozen=True, eq=False)
class Peaks:
    """A list of peaks, of one map or of many; every attribute is an array of length P.

    Args:
        map: Which map of the batch, its leading axes flattened; 0 for a single map.
        row: Pixel along y.
        column: Pixel along x.
        height: Smoothed κ there, above the footprint mean [dimensionless].
        x: Offset from the centre of the grid [arcmin], to the right (West on the sky).
        y: Offset upwards (North) [arcmin].
        ra: Right ascension [deg]; `None` where the grid has no WCS.
        dec: Declination [deg].
    """

    map: Int[np.ndarray, " P"]
    row: Int[np.ndarray, " P"]
    column: Int[np.ndarray, " P"]
    height: Float[np.ndarray, " P"]
    x: Float[np.ndarray, " P"]
    y: Float[np.ndarray, " P"]
    ra: Float[np.ndarray, " P"] | None = None
    dec: Float[np.ndarray, " P"] | None = None

    def __len__(self) -> int:
        return len(self.height)

    def __getitem__(self, chosen: object) -> Peaks:
        """Those selected by a slice, a mask or indices, e.g. ``peaks[peaks.height > 0.02]``."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Peaks(
            **{k: v if v is None else np.atleast_1d(v[chosen]) for k, v in values.items()}
        )

    @property
    def places(self) -> Float[np.ndarray, "P 2"]:
        """Offsets (x, y) from the centre of the grid [arcmin]."""
        return np.stack([self.x, self.y], -1)


def find_peaks(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "*A H W"],
    *,
    smoothing: float = 0.0,
    threshold: float = -np.inf,
) -> Peaks:
    """Peaks of every map, highest first within each; troughs are the peaks of −κ.

    Args:
        kappa: Maps, as they are: smoothing and removing the mean happen here.
        grid: Pixels, and the WCS that gives sky positions.
        area: Footprint, one for all maps or one for each.
        smoothing: Std of the Gaussian window [arcmin]; only footprint pixels enter.
        threshold: Least height, in units of κ.
    """
    area = area.expand(kappa.shape)
    soft = remove_mean(smooth(kappa, grid, smoothing, mask=area), area)
    found = local_maxima(soft, area) & (soft >= threshold)
    flat, at = soft.reshape(-1, *grid.shape), found.reshape(-1, *grid.shape).nonzero()
    height = flat[tuple(at.T)].double().cpu().numpy()
    which, row, column = at.T.cpu().numpy()
    order = np.lexsort((column, row, -height, which))
    which, row, column, height = (v[order] for v in (which, row, column, height))
    pixel = column.astype(float), row.astype(float)
    sky = (None, None) if grid.wcs is None else grid.pixel_to_sky(*pixel)
    return Peaks(which, row, column, height, *grid.pixel_to_plane(*pixel), *sky)
