"""The COSMOS field: 417,117 HST galaxies, bundled, offline.

References:
    Schrabback et al. (2010), https://ui.adsabs.harvard.edu/abs/2010A%26A...516A..63S
    Scoville et al. (2007), https://ui.adsabs.harvard.edu/abs/2007ApJS..172....1S
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import as_file, files

import numpy as np

from massgan_core.sky import Grid, PowerSpectrum, ShearField, Sources
from massgan_core.survey.catalog import Catalog
from massgan_core.survey.gridding import grid_around, grid_catalog

CENTER = (150.1161025, 2.2474903)  #: medians of the catalogue's RA and Dec [deg]
SIZE = 87.0  #: side of the whole field [arcmin]


def cosmos(
    *,
    center: tuple[float, float] | None = None,
    size: float | tuple[float, float] | None = None,
    pixel_scale: float = 0.29,
    noise: str = "weighted",
) -> ShearField:
    """The COSMOS shear field: by default all of it, 300 × 300 pixels of 0.29′.

    A second call with the same arguments returns the same object.

    Args:
        center: (RA, Dec) [deg]; by default the medians of the catalogue.
        size: Side, or (width, height) [arcmin]; by default 87′, the whole field.
        pixel_scale: Side of a pixel [arcmin].
        noise: See :func:`massgan_core.survey.grid_catalog`.

    Returns:
        Shear with galaxy counts; its ``sources`` is `None`, which means the COSMOS n(z).
    """
    grid = grid_around(
        CENTER if center is None else center, SIZE if size is None else size, pixel_scale
    )
    wcs = grid.wcs.wcs.crval
    return _cosmos(grid.shape, grid.pixel_scale, (float(wcs[0]), float(wcs[1])), noise)


@lru_cache(maxsize=8)
def _cosmos(
    shape: tuple[int, int], pixel_scale: float, center: tuple[float, float], noise: str
) -> ShearField:
    grid = Grid.tan(shape, pixel_scale, center=center)
    return grid_catalog(cosmos_catalog(), grid, noise=noise)


@cache
def cosmos_catalog() -> Catalog:
    """The 417,117 galaxies with their weighted shear estimates."""
    with as_file(_bundled("cosmos_shapes.parquet")) as path:
        return Catalog.read(path, name="COSMOS")


@cache
def cosmos_sources() -> Sources:
    """n(z) of the galaxies: 550 bins of 0.01, mean redshift 1.41."""
    with as_file(_bundled("cosmos_nz.csv")) as path:
        return Sources.read(str(path))


@cache
def cosmos_spectrum() -> PowerSpectrum:
    """Theory C_ℓ of κ for :func:`cosmos_sources` (HALOFIT, σ8 = 0.81), from a bundled table."""
    text = _bundled("cosmos_power.csv").read_text(encoding="utf-8").splitlines()[1:]
    ell, power = np.array([line.split(",") for line in text], float).T
    return PowerSpectrum(ell, power)


def _bundled(name: str) -> object:
    return files(__package__) / "bundled" / name
