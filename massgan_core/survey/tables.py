"""Named columns of a table on disk: FITS, Parquet or CSV, told apart by their first bytes.

``columns="ra=RAJ2000,dec=DEJ2000,e1=g1,e2=g2,weight=w"`` (or the same as a dict) names what
the file calls a quantity; quantities left out are looked for under the usual names, whatever
their case. An empty name (``"weight="``) means: there is none.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from massgan_core.survey.fits_file import held_by, open_fits, tables_of

NEEDED = ("ra", "dec", "e1", "e2", "weight")
OPTIONAL = ("m", "c1", "c2", "R", "z")  #: used by default only if spelt exactly so

USUAL = {
    "ra": ("ra", "alpha_j2000", "raj2000", "ra_deg", "alpha"),
    "dec": ("dec", "delta_j2000", "dej2000", "decj2000", "dec_deg", "delta"),
    "e1": ("e1", "e_1", "g1", "g_1", "gamma1"),
    "e2": ("e2", "e_2", "g2", "g_2", "gamma2"),
    "weight": ("weight", "w", "wt", "weights"),
}


def file_kind(path: str | Path) -> str:
    """``fits``, ``parquet`` or ``csv``, from the first bytes of the file."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a FITS, CSV or Parquet file")
    with open(path, "rb") as file:
        start = file.read(6)
    if start[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as file:
                start = file.read(6)
        except (OSError, EOFError):
            raise ValueError(f"{path} is a damaged gzip file") from None
    if start == b"SIMPLE":
        return "fits"
    if start[:4] == b"PAR1":
        return "parquet"
    if not start:
        raise ValueError(f"{path} is empty")
    return "csv"


def read_columns(
    path: str | Path, columns: Mapping[str, str] | str | None = None
) -> dict[str, np.ndarray]:
    """The quantities of a galaxy catalogue by name, as numeric arrays of equal length.

    Args:
        path: FITS table, Parquet or CSV (with a header line; gzip is fine).
        columns: What the file calls them, see the module's docstring.

    Raises:
        ValueError: A needed column is missing or not numeric, or the file is unreadable.
        OSError: No such file.
    """
    kind = file_kind(path)
    given = given_columns(columns)
    if kind == "fits":
        return _from_fits(path, given)
    table = _parquet(path) if kind == "parquet" else _csv(path)
    chosen = choose(table.names, given, path)
    return {key: numeric(table.column(name), name, path) for key, name in chosen.items()}


def choose(
    names: list[str], given: Mapping[str, str], path: str | Path = "the catalogue"
) -> dict[str, str]:
    """Which column holds which quantity."""
    chosen, missing = {}, []
    lower = {name.strip().lower(): name for name in reversed(names)}
    for key in NEEDED:
        wanted = given.get(key)
        if wanted == "" and key == "weight":
            continue
        usual = (wanted,) if wanted else USUAL[key]
        name = wanted if wanted in names else _first(lower, usual)
        if name is None:
            missing.append(f"{key} ({wanted!r})" if wanted else key)
        else:
            chosen[key] = name
    for key in OPTIONAL:
        wanted = given.get(key)
        if wanted:
            name = wanted if wanted in names else lower.get(wanted.lower())
            if name is None:
                missing.append(f"{key} ({wanted!r})")
            else:
                chosen[key] = name
        elif wanted is None and key in names and key not in chosen.values():
            chosen[key] = key
    if missing:
        raise ValueError(
            f"{path} has no column for {', '.join(missing)}; it holds {_listed(names)}: "
            "name them, e.g. columns 'ra=RA,dec=DEC,e1=E1,e2=E2,weight=W' "
            "('weight=' weighs all galaxies equally)"
        )
    twice = [name for name in chosen.values() if names.count(name) > 1]
    if twice:
        raise ValueError(f"{path} holds more than one column {twice[0]!r}; keep one of them")
    return chosen


def plain_names(names: list[str]) -> list[str]:
    """Column names without blanks and a leading '#'."""
    return [name.strip().lstrip("#").strip() for name in names]


def _first(lower: Mapping[str, str], usual: tuple[str, ...]) -> str | None:
    return next((lower[name.lower()] for name in usual if name.lower() in lower), None)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:20])
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return (shown + more) or "no columns"


def given_columns(columns: Mapping[str, str] | str | None) -> dict[str, str]:
    """``"ra=RA,dec=DEC"`` or a dict as a dict, once its keys are known."""
    if columns is None:
        return {}
    if isinstance(columns, str):
        pairs = [part.partition("=") for part in columns.split(",") if part.strip()]
        bad = [key for key, equals, _ in pairs if not equals]
        if bad:
            raise ValueError(
                f"`columns` must read 'ra=RA,dec=DEC,…', got {columns!r} without '=' in {bad[0]!r}"
            )
        columns = {key: name for key, _, name in pairs}
    given = {key.strip(): str(name or "").strip() for key, name in columns.items()}
    known = {key.lower(): key for key in (*NEEDED, *OPTIONAL)}
    unknown = [key for key in given if key.lower() not in known]
    if unknown:
        raise ValueError(
            f"`columns` knows {', '.join((*NEEDED, *OPTIONAL))}, got {', '.join(unknown)}"
        )
    return {known[key.lower()]: name for key, name in given.items()}


class _Table:
    """An arrow table whose column names lost blanks and a leading '#'."""

    def __init__(self, table: object) -> None:
        self.names = plain_names(table.column_names)
        self._table = table

    def column(self, name: str) -> object:
        return self._table.column(self.names.index(name))


def _parquet(path: str | Path) -> _Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _Table(pq.read_table(path))
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from None


def _csv(path: str | Path) -> _Table:
    import pyarrow as pa
    import pyarrow.csv as csv

    try:
        return _Table(csv.read_csv(str(path)))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None


def numeric(column: object, name: str, path: str | Path) -> np.ndarray:
    """A column of arrow as numbers, NaN where it is empty."""
    import pyarrow as pa

    if pa.types.is_null(column.type):  # a CSV column of empty cells
        return np.full(len(column), np.nan)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise ValueError(f"column {name!r} of {path} must hold numbers, got {column.type}")
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if values.null_count:
        values = values.cast(pa.float64()).fill_null(float("nan"))
    return values.to_numpy(zero_copy_only=False)


def _from_fits(path: str | Path, given: Mapping[str, str]) -> dict[str, np.ndarray]:
    with open_fits(path) as hdus:
        tables = tables_of(hdus)
        if not tables:
            raise ValueError(f"{path} must hold a table of galaxies, got HDUs {held_by(hdus)}")
        hdu = max(tables, key=lambda hdu: matches(hdu.columns.names, given))
        chosen = choose(hdu.columns.names, given, path)
        return {key: native(hdu.data[name], name, path) for key, name in chosen.items()}


def matches(names: list[str], given: Mapping[str, str]) -> int:
    """How many of the needed columns a FITS table seems to have."""
    lower = {name.lower() for name in names}
    return sum(
        bool(lower & {n.lower() for n in ((given[key],) if given.get(key) else USUAL[key])})
        for key in NEEDED
    )


def native(values: np.ndarray, name: str, path: str | Path) -> np.ndarray:
    """A column of FITS in the byte order of this machine."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiu" or values.ndim != 1:
        raise ValueError(
            f"column {name!r} of {path} must hold one number a row, got {values.dtype}"
        )
    return values.astype(values.dtype.newbyteorder("="))


def unreadable(path: str | Path, error: Exception) -> ValueError:
    """The sentence for a Parquet or CSV file of which arrow says `error`."""
    what = "is not a readable Parquet file"
    if file_kind(path) != "parquet":
        what = "is neither FITS, Parquet nor a CSV table with a header line"
    return ValueError(f"{path} {what}: {_line(error)}")


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
