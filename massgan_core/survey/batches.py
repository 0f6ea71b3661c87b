"""A galaxy catalogue of any length, a batch of rows at a time: memory holds one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from massgan_core.survey import tables
from massgan_core.survey.fits_file import held_by, open_fits, tables_of

ROWS = 500_000  #: at once

Columns = Mapping[str, str] | str | None


def read_batches(
    path: str | Path, columns: Columns = None, *, rows: int = ROWS
) -> Iterator[dict[str, np.ndarray]]:
    """The quantities of a catalogue by name, as :func:`tables.read_columns` gives them, in parts.

    Args:
        path: FITS table, Parquet or CSV.
        columns: What the file calls them, see :mod:`massgan_core.survey.tables`.
        rows: At most so many at once (CSV: about so many).

    Raises:
        ValueError: A needed column is missing or not numeric, or the file is unreadable.
        OSError: No such file.
    """
    read = {"fits": _fits, "parquet": _parquet, "csv": _csv}[tables.file_kind(path)]
    return read(path, tables.given_columns(columns), rows)


def _parquet(path: str | Path, given: dict[str, str], rows: int) -> Iterator[dict]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = tables.plain_names(file.schema_arrow.names)
            chosen = tables.choose(names, given, path)
            stored = {file.schema_arrow.names[names.index(name)] for name in chosen.values()}
            for batch in file.iter_batches(rows, columns=sorted(stored)):
                yield _arrays(batch, chosen, path)
    except (pa.ArrowException, OSError) as error:
        raise tables.unreadable(path, "Parquet file", error) from None


def _csv(path: str | Path, given: dict[str, str], rows: int) -> Iterator[dict]:
    import pyarrow as pa
    import pyarrow.csv as csv

    # A row of a catalogue has about 100 bytes.
    block = csv.ReadOptions(block_size=max(100 * rows, 1 << 16))
    try:
        with csv.open_csv(str(path), block) as file:
            stored = file.schema.names
        names = tables.plain_names(stored)
        chosen = tables.choose(names, given, path)
        # Said, for it would be guessed from the first block alone.
        types = {stored[names.index(name)]: pa.float64() for name in chosen.values()}
        wanted = csv.ConvertOptions(column_types=types, include_columns=list(types))
        with csv.open_csv(str(path), block, convert_options=wanted) as file:
            for batch in file:
                if batch.num_rows:
                    yield _arrays(batch, chosen, path)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise tables.unreadable(path, "CSV table with a header line", error) from None


def _arrays(batch: object, chosen: dict[str, str], path: str | Path) -> dict[str, np.ndarray]:
    names = tables.plain_names(batch.schema.names)
    return {
        key: tables.numeric(batch.column(names.index(name)), name, path)
        for key, name in chosen.items()
    }


def _fits(path: str | Path, given: dict[str, str], rows: int) -> Iterator[dict]:
    with open_fits(path) as hdus:
        found = tables_of(hdus)
        if not found:
            raise ValueError(f"{path} must hold a table of galaxies, got HDUs {held_by(hdus)}")
        hdu = max(found, key=lambda hdu: tables.matches(hdu.columns.names, given))
        chosen = tables.choose(hdu.columns.names, given, path)
        for start in range(0, len(hdu.data), rows):
            part = hdu.data[start : start + rows]
            yield {key: tables.native(part[name], name, path) for key, name in chosen.items()}
