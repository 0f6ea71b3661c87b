"""A summary as an xarray dataset: dims (`sample`,) `y`, `x`; zarr and netCDF files of it.

`x` and `y` are offsets from the centre of the field [arcmin], x to the right (West on the
sky); where the grid has a WCS, `ra` and `dec` [deg] are coordinates of every pixel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray

from massgan_core.export.maps import Maps
from massgan_core.export.whole import whole
from massgan_core.posterior import Summary
from massgan_core.sky import Grid

#: Long-hand names of the maps whose FITS name is cut to eight letters.
_NAMES = {"FOOTPRT": "footprint"}


def to_xarray(summary: Summary, *, save_samples: bool = True, **choices: Any) -> xarray.Dataset:
    """The maps of a summary, and its samples, with coordinates.

    Args:
        summary: Of the samples drawn.
        save_samples: Include the samples kept.
        choices: ``ks``, ``level``, ``threshold``, ``prob_smoothing``, ``blur``, ``outside``,
            ``interval`` and ``uncalibrated`` of :meth:`massgan_core.export.Maps.of`.

    Returns:
        ``mean``, ``std``, ``snr``, ``low``, ``high``, ``mask``, ``footprint`` … with dims
        ``y``, ``x``; ``samples`` with dims ``sample``, ``y``, ``x``; provenance in ``attrs``.
    """
    wanted = save_samples and len(summary.samples) > 0
    return dataset_of(Maps.of(summary, save_samples=wanted, **choices))


def write_dataset(dataset: xarray.Dataset, path: Path, *, overwrite: bool = False) -> Path:
    """Write a dataset to a ``.zarr`` folder or a netCDF file, whole or not at all."""
    with whole(path, overwrite=overwrite) as part:
        if path.suffix == ".zarr":
            # Format 2 has consolidated metadata, which xarray looks for; format 3 has none.
            dataset.to_zarr(part, mode="w", zarr_format=2, consolidated=True)
        else:
            dataset.to_netcdf(part, mode="w", engine="h5netcdf")
    return path


def dataset_of(maps: Maps) -> xarray.Dataset:
    """Named maps as variables, with coordinates and provenance."""
    images = {
        _NAMES.get(name, name.lower()): (("y", "x"), image, {"long_name": maps.meaning[name]})
        for name, image in maps.images.items()
    }
    coordinates = _coordinates(maps.grid)
    if maps.samples is not None:
        about = {"long_name": "posterior samples of kappa"}
        images["samples"] = (("sample", "y", "x"), maps.samples, about)
        coordinates["sample"] = ("sample", np.arange(len(maps.samples)))
    return xarray.Dataset(images, coordinates, _attributes(maps))


def _coordinates(grid: Grid) -> dict[str, tuple]:
    height, width = grid.shape
    x, y = grid.pixel_to_plane(np.arange(width), np.arange(height))
    name = "offset from the centre of the field, {}"
    coordinates = {
        "x": ("x", x, {"units": "arcmin", "long_name": name.format("to the right")}),
        "y": ("y", y, {"units": "arcmin", "long_name": name.format("upwards")}),
    }
    if grid.wcs is not None:
        rows, columns = np.indices(grid.shape)
        ra, dec = grid.pixel_to_sky(columns, rows)
        coordinates["ra"] = (("y", "x"), ra, {"units": "deg", "long_name": "right ascension"})
        coordinates["dec"] = (("y", "x"), dec, {"units": "deg", "long_name": "declination"})
    return coordinates


def _attributes(maps: Maps) -> dict[str, Any]:
    """Facts as netCDF can hold them: it knows numbers and text, no booleans."""
    attributes = {k: int(v) if isinstance(v, bool) else v for k, v in maps.facts.items()}
    if maps.remarks:
        attributes["remarks"] = "\n".join(maps.remarks)
    if maps.grid.wcs is not None:
        attributes["wcs"] = maps.grid.wcs.to_header_string(relax=True)
    return attributes
