"""Read an upload of positions in the child process: CSV, FITS or VOTable, or plain lines."""

from __future__ import annotations

import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from explorer import positions
from explorer.uploads.limits import MB, Limits
from explorer.uploads.look import ARCHIVES, unpack

if TYPE_CHECKING:
    from astropy.table import Table

    from massgan_core.survey import Clusters

LIMITS = Limits(
    file=MB, session=20 * MB, expanded=10 * MB, rows=positions.MOST, memory=1 << 30, reading=60
)
#: Columns by their usual names, lower case.
USUAL = {
    "ra": ("ra", "ra_deg", "radeg", "raj2000", "_raj2000", "ra_icrs", "alpha_j2000", "ra_x"),
    "dec": ("dec", "dec_deg", "decdeg", "dej2000", "_dej2000", "de_icrs", "delta_j2000", "decl"),
    "radius": ("r500", "r500_arcmin", "radius", "radius_arcmin", "theta500", "r"),
    "name": ("name", "id", "object", "cluster", "group_id"),
    "redshift": ("z", "redshift", "zspec", "zphot", "z_spec", "z_phot"),
}


def run(path: Path, name: str, limits: Limits) -> dict[str, Any]:
    """Positions as lists: ``ra``, ``dec`` [deg], ``radius`` [arcmin], ``names``, ``redshift``."""
    warnings.simplefilter("ignore")
    unpack(path, name, limits)
    data = path.read_bytes()
    start = data[:4096].lstrip()
    if not start:
        raise ValueError(f"{name} is empty")
    for magic, what in ARCHIVES.items():
        if start.startswith(magic):
            raise ValueError(f"{name} is {what}; unpack it and drop the file that is in it")
    with _alone():
        table = _table(path, name, data, start)
    found = positions.pasted(data.decode()) if table is None else _columns(table, name, limits)
    return {
        "ra": found.ra.tolist(),
        "dec": found.dec.tolist(),
        "radius": found.r500.tolist(),
        "names": found.name.tolist(),
        "redshift": found.redshift.tolist(),
    }


def _table(path: Path, name: str, data: bytes, start: bytes) -> Table | None:
    """The table in the file; None for lines without a header."""
    from astropy.table import Table

    try:
        if start.startswith(b"SIMPLE"):
            return Table.read(path, format="fits")
        if start.startswith(b"<"):
            return Table.read(path, format="votable")
    except MemoryError:
        raise
    except Exception:
        raise ValueError(f"{name} is damaged, or holds no table") from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(f"{name} is neither FITS, VOTable nor CSV")
    lines = [line for line in text.splitlines() if line.strip()]
    header = lines[0].lstrip("# ").lower().replace(",", " ").split()
    if not set(header) & {*USUAL["ra"], *USUAL["dec"]}:
        return None
    try:
        return Table.read([lines[0].lstrip("# "), *lines[1:]], format="ascii", guess=True)
    except Exception:
        raise ValueError(f"{name} is no table of one position a line") from None


def _columns(table: Table, name: str, limits: Limits) -> Clusters:
    if len(table) > limits.rows:
        raise ValueError(
            f"{name} is too large: it has {len(table):,} rows, the limit is {limits.rows:,}"
        )
    lower = {column.lower(): column for column in reversed(table.colnames)}
    found = {
        key: next((lower[n] for n in names if n in lower), None) for key, names in USUAL.items()
    }
    missing = [word for key, word in (("ra", "RA"), ("dec", "Dec")) if found[key] is None]
    if missing:
        raise ValueError(f"{name} has no column called {' or '.join(missing)}")
    names = [""] * len(table) if found["name"] is None else map(_text, table[found["name"]])
    ra, dec = table[found["ra"]], table[found["dec"]]
    if ra.dtype.kind in "SUO" or dec.dtype.kind in "SUO":
        lines = "\n".join(f"{_text(a)} {_text(d)}" for a, d in zip(ra, dec, strict=True))
        place = positions.pasted(lines)
        ra, dec = place.ra, place.dec
    numbers = {
        key: None if found[key] is None else _numbers(table[found[key]])
        for key in ("radius", "redshift")
    }
    return positions.made(_numbers(ra), _numbers(dec), names=names, **numbers)


def _numbers(column: Any) -> np.ndarray:
    """One number a row, NaN where there is none."""
    if getattr(column, "ndim", 1) != 1:
        raise ValueError(f"the column {column.name} must hold one number a row")
    try:
        values = np.ma.asarray(column, float)
    except (ValueError, TypeError):
        raise ValueError(f"the column {column.name} must hold numbers") from None
    return np.ma.filled(values, np.nan)


def _text(value: Any) -> str:
    if np.ma.is_masked(value):
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@contextmanager
def _alone() -> Iterator[None]:
    """Nothing is fetched meanwhile: a VOTable may ask for its data from anywhere."""
    usual, urllib.request.urlopen = urllib.request.urlopen, _refuse
    try:
        yield
    finally:
        urllib.request.urlopen = usual


def _refuse(*_: object, **__: object) -> NoReturn:
    raise ValueError("it asks for data from elsewhere")
