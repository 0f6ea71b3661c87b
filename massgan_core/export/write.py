"""The format of an output file follows from its suffix."""

from __future__ import annotations

from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

from massgan_core.export.to_fits import to_fits
from massgan_core.export.to_xarray import to_xarray, write_dataset
from massgan_core.export.whole import check_place
from massgan_core.posterior import Summary

#: Suffix → the library it needs beyond the core, if any.
SUFFIXES = {".fits": None, ".zarr": "zarr", ".nc": "h5netcdf"}


def check_output(path: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """`path`, once it is sure that a summary can be written there; asked before any work.

    Raises:
        ValueError: The suffix is not one of :data:`SUFFIXES`, or its library is missing.
        OSError: Something stands there that may not be replaced (`overwrite`), or the folder
            is missing or cannot be written to.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"the output must end in {', '.join(SUFFIXES)}, got {str(path)!r}")
    library = SUFFIXES[path.suffix]
    if library is not None and find_spec(library) is None:
        raise ValueError(f"{path.suffix} files need {library}: pip install 'massgan[storage]'")
    if path.is_dir() != (path.suffix == ".zarr") and path.exists():
        kind = "folder" if path.is_dir() else "file"
        raise FileExistsError(f"{path} is a {kind} and cannot become a {path.suffix} output")
    check_place(path, overwrite=overwrite)
    return path


def write(
    summary: Summary,
    path: str | PathLike[str],
    *,
    overwrite: bool = False,
    save_samples: bool = False,
    **choices: Any,
) -> Path:
    """Write a summary as FITS, zarr or netCDF, by the suffix of `path`.

    Args:
        summary: Of the samples drawn.
        path: ``.fits``, ``.zarr`` or ``.nc``.
        overwrite: Replace what stands there.
        save_samples: Write the samples kept as well.
        choices: As in :meth:`massgan_core.export.Maps.of`.

    Raises:
        ValueError: As :func:`check_output`, or `choices` that do not go with `summary`.
        OSError: As :func:`check_output`, or the file cannot be written.
    """
    path = check_output(path, overwrite=overwrite)
    if path.suffix == ".fits":
        return to_fits(summary, path, overwrite=overwrite, save_samples=save_samples, **choices)
    dataset = to_xarray(summary, save_samples=save_samples, **choices)
    return write_dataset(dataset, path, overwrite=overwrite)
