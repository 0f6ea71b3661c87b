"""A galaxy catalogue of any length, a batch of rows at a time: memory holds one batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from massgan_core.sky.tangent import directions
from massgan_core.survey import tables
from massgan_core.survey.fits_file import held_by, open_fits, tables_of

ROWS = 500_000  #: at once

Columns = Mapping[str, str] | str | None


def read_batches(
    path: str | Path,
    columns: Columns = None,
    *,
    rows: int = ROWS,
    only: Collection[str] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """The quantities of a catalogue by name, as :func:`tables.read_columns` gives them, in parts.

    Args:
        path: FITS table, Parquet or CSV.
        columns: What the file calls them, see :mod:`massgan_core.survey.tables`.
        rows: At most so many at once (CSV: about so many).
        only: Quantities to read; all by default.

    Raises:
        ValueError: A needed column is missing or not numeric, or the file is unreadable.
        OSError: No such file.
    """
    read = {"fits": _fits, "parquet": _parquet, "csv": _csv}[tables.file_kind(path)]
    return read(path, tables.given_columns(columns), rows, only)


def extent(path: str | Path, columns: Columns = None) -> float:
    """Diameter of a circle on the sky, about their mean direction, that holds all galaxies [deg].

    Raises:
        ValueError: As :func:`read_batches`.
    """
    total, parts = np.zeros(3), []
    for batch in read_batches(path, columns, only=("ra", "dec")):
        good = np.isfinite(batch["ra"]) & np.isfinite(batch["dec"])
        at = directions(batch["ra"][good], batch["dec"][good])
        total += at.sum(0)
        # Boxes in space keep what matters of a batch: its outermost positions.
        for axis in np.vstack([np.eye(3), [[1, 1, 0], [1, -1, 0], [0, 1, 1], [1, 0, 1]]]):
            if len(at):
                along = at @ axis
                parts += [at[along.argmin()], at[along.argmax()]]
    if not parts or not np.linalg.norm(total) > 0:
        return 0.0
    away = np.array(parts) @ (total / np.linalg.norm(total))
    return 2 * float(np.degrees(np.arccos(away.clip(-1, 1)).max()))


def _chosen(
    names: list[str], given: dict[str, str], path: str | Path, only: Collection[str] | None
) -> dict[str, str]:
    chosen = tables.choose(names, given, path)
    return {key: name for key, name in chosen.items() if only is None or key in only}


def _parquet(
    path: str | Path, given: dict[str, str], rows: int, only: Collection[str] | None
) -> Iterator[dict]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = tables.plain_names(file.schema_arrow.names)
            chosen = _chosen(names, given, path, only)
            stored = {file.schema_arrow.names[names.index(name)] for name in chosen.values()}
            for batch in file.iter_batches(rows, columns=sorted(stored)):
                yield _arrays(batch, chosen, path)
    except (pa.ArrowException, OSError) as error:
        raise tables.unreadable(path, error) from None


def _csv(
    path: str | Path, given: dict[str, str], rows: int, only: Collection[str] | None
) -> Iterator[dict]:
    import pyarrow as pa
    import pyarrow.csv as csv

    # A row of a catalogue has about 100 bytes.
    block = csv.ReadOptions(block_size=max(100 * rows, 1 << 16))
    try:
        with csv.open_csv(str(path), block) as file:
            stored = file.schema.names
        names = tables.plain_names(stored)
        chosen = _chosen(names, given, path, only)
        # Said, for it would be guessed from the first block alone.
        types = {stored[names.index(name)]: pa.float64() for name in chosen.values()}
        wanted = csv.ConvertOptions(column_types=types, include_columns=list(types))
        with csv.open_csv(str(path), block, convert_options=wanted) as file:
            for batch in file:
                if batch.num_rows:
                    yield _arrays(batch, chosen, path)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise tables.unreadable(path, error) from None


def _arrays(batch: object, chosen: dict[str, str], path: str | Path) -> dict[str, np.ndarray]:
    names = tables.plain_names(batch.schema.names)
    return {
        key: tables.numeric(batch.column(names.index(name)), name, path)
        for key, name in chosen.items()
    }


def _fits(
    path: str | Path, given: dict[str, str], rows: int, only: Collection[str] | None
) -> Iterator[dict]:
    with open_fits(path) as hdus:
        found = tables_of(hdus)
        if not found:
            raise ValueError(f"{path} must hold a table of galaxies, got HDUs {held_by(hdus)}")
        hdu = max(found, key=lambda hdu: tables.matches(hdu.columns.names, given))
        chosen = _chosen(hdu.columns.names, given, path, only)
        for start in range(0, len(hdu.data), rows):
            part = hdu.data[start : start + rows]
            yield {key: tables.native(part[name], name, path) for key, name in chosen.items()}
