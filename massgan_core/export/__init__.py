"""Summaries as files: FITS with WCS, xarray datasets (zarr, netCDF); whole or not at all."""

from massgan_core.export.maps import Interval, Maps
from massgan_core.export.to_fits import to_fits
from massgan_core.export.to_xarray import to_xarray
from massgan_core.export.write import check_output, write

__all__ = ["Interval", "Maps", "check_output", "to_fits", "to_xarray", "write"]
