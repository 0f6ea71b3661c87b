"""A first look at a file, in the child process: what is it, how large, what are its columns?

Counts come from headers and are checked before any pixel or row is read. Nothing here imports
torch, so that a wrong file is refused within a second.
"""

from __future__ import annotations

import gzip
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from astropy.io import fits

from explorer.places import is_number
from explorer.uploads.limits import MB, Limits

FIRST = 5  #: rows shown
LONGEST = 60  #: characters of a column's name
#: HDUs of a shear field, see :mod:`massgan_core.survey.shear_fits`.
SHEAR = ("GAMMA1", "GAMMA2", "SIGMA", "MASK")
IMAGES = (*SHEAR, "KAPPA", "NGAL", "FOOTPRT")
ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
}


def run(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """What the file holds.

    A file packed with gzip is unpacked where it lies.

    Returns:
        Either ``kind`` "field" with its ``shape`` (rows, columns), or ``kind`` "catalogue" with
        ``tables``: for each its ``rows``, ``columns`` (name, numeric, low, high, bad: how many
        numbers are not finite) and the ``first`` rows as texts.
    """
    warnings.simplefilter("ignore")
    unpack(path, name, limits)
    with open(path, "rb") as file:
        start = file.read(4096)
    if not start:
        raise ValueError(f"{name} is empty")
    for magic, what in ARCHIVES.items():
        if start.startswith(magic):
            raise ValueError(f"{name} is {what}; unpack it and drop the file that is in it")
    try:
        if start.startswith(b"SIMPLE"):
            return _fits(path, name, limits)
        if start.startswith(b"PAR1"):
            return _catalogue(name, _parquet(path, name, limits))
        if b"\0" in start:
            raise ValueError(f"{name} is neither FITS, Parquet nor a CSV table")
        return _catalogue(name, _csv(path, name, limits))
    except (ValueError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"{name} is damaged: {_line(error)}") from None


def unpack(path: Path, name: str, limits: Limits) -> None:
    """Put in the place of a file packed with gzip what is in it."""
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return
    inner, size = path.with_name(f"{path.name}-unpacked"), 0
    try:
        with gzip.open(path) as packed, open(inner, "wb") as out:
            while part := packed.read(MB):
                size += len(part)
                if size > limits.expanded:
                    raise ValueError(
                        f"{name} is too large: unpacked it has more than "
                        f"{limits.expanded / MB:g} MB"
                    )
                out.write(part)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ValueError(f"{name} is a damaged gzip file") from None
    inner.replace(path)


def _fits(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    with fits.open(path, memmap=True) as hdus:
        len(hdus)  # reads every header now, and no data
        for hdu in hdus:
            if hdu.name.upper() in IMAGES and getattr(hdu, "shape", None):
                _check_image(hdu.name, hdu.shape, name, limits)
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        tables = [hdu for hdu in tables if not isinstance(hdu, fits.CompImageHDU)]
        for hdu in tables:
            _check_table(hdu.header["NAXIS2"], hdu.header["TFIELDS"], name, limits)
        named = {hdu.name.upper(): hdu for hdu in hdus}
        if named.keys() & set(SHEAR) or not tables:
            shape = getattr(named.get("GAMMA1"), "shape", None) or ()
            return {"kind": "field", "shape": [int(side) for side in shape]}
        return _catalogue(name, *(_table(_fits_columns(hdu), name) for hdu in tables))


def _fits_columns(hdu: fits.BinTableHDU | fits.TableHDU) -> dict[str, np.ndarray | None]:
    """The columns, None for those that do not hold one number a row."""
    letters = "BIJKED" if isinstance(hdu, fits.BinTableHDU) else "IFED"
    single = [str(c.format).lstrip("1")[:1] in letters for c in hdu.columns]
    data = hdu.data
    return {
        column.name: data.field(i) if single[i] and data is not None else None
        for i, column in enumerate(hdu.columns)
    }


def _parquet(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    file = pa.parquet.ParquetFile(path)
    size = sum(
        file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)
    )
    _check_table(file.metadata.num_rows, file.metadata.num_columns, name, limits)
    if size > limits.expanded:
        raise ValueError(
            f"{name} is too large: unpacked it has more than {limits.expanded / MB:g} MB"
        )
    return _table(_arrow_columns(file.read()), name)


def _csv(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    with open(path, "rb") as file:
        header = file.readline(MB)
        rows = sum(part.count(b"\n") for part in iter(lambda: file.read(MB), b""))
    _check_table(rows, header.count(b",") + 1, name, limits)
    try:
        table = pa.csv.read_csv(path)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise ValueError(
            f"{name} is neither FITS, Parquet nor a CSV table with a header line: {_line(error)}"
        ) from None
    if all(is_number(column) for column in table.column_names):
        raise ValueError(f"the first line of {name} must name its columns, it holds numbers")
    return _table(_arrow_columns(table), name)


def _arrow_columns(table: pa.Table) -> dict[str, np.ndarray | None]:
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind, clean = column.type, name.strip().lstrip("#").strip()
        numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        if pa.types.is_null(kind):  # a CSV column of empty cells
            columns[clean] = np.full(len(column), np.nan)
        else:
            columns[clean] = column.to_numpy() if numeric else None
    return columns


def _table(columns: dict[str, np.ndarray | None], name: str) -> dict[str, Any]:
    long = [column for column in columns if len(column) > LONGEST]
    if long:
        raise ValueError(
            f"{name}: a column's name may have {LONGEST} characters, got {long[0][:20]}…"
        )
    numeric = {column: values for column, values in columns.items() if values is not None}
    rows = len(next(iter(numeric.values()), ()))
    return {
        "rows": rows,
        "columns": [_column(column, values) for column, values in columns.items()],
        "first": [
            [_text(None if values is None else values[i]) for values in columns.values()]
            for i in range(min(rows, FIRST))
        ],
    }


def _column(name: str, values: np.ndarray | None) -> dict[str, Any]:
    low = high = None
    bad = 0
    if values is not None and len(values):
        fine = values[np.isfinite(values)]
        bad = len(values) - len(fine)
        if len(fine):
            low, high = float(fine.min()), float(fine.max())
    return {"name": name, "numeric": values is not None, "low": low, "high": high, "bad": bad}


def _catalogue(name: str, *tables: dict[str, Any]) -> dict[str, Any]:
    if not any(column["numeric"] for table in tables for column in table["columns"]):
        raise ValueError(f"{name} has no column of numbers")
    return {"kind": "catalogue", "tables": list(tables)}


def _check_image(hdu: str, shape: tuple[int, ...], name: str, limits: Limits) -> None:
    if max(shape) > limits.side:
        size = " × ".join(f"{side:,}" for side in reversed(shape))
        raise ValueError(
            f"{name} is too large: {hdu} has {size} pixels, the limit is {limits.side:,} "
            "along a side"
        )


def _check_table(rows: int, columns: int, name: str, limits: Limits) -> None:
    for count, limit, what in (
        (rows, limits.rows, "rows"),
        (columns, limits.columns, "columns"),
        (rows * columns, limits.cells, "cells"),
    ):
        if count > limit:
            raise ValueError(
                f"{name} is too large: it has {count:,} {what}, the limit is {limit:,}"
            )


def _text(value: Any) -> str:
    if value is None:
        return "…"
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)[:20]


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".")
