"""A catalogue of any length to a field: memory holds one batch of galaxies, and the maps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from massgan_core.sky import ShearField, Sources
from massgan_core.survey.batches import ROWS, read_batches
from massgan_core.survey.binning import PixelSums
from massgan_core.survey.catalog import Catalog, NoGalaxies
from massgan_core.survey.gridding import field_of, grid_around
from massgan_core.survey.outline import Outline
from massgan_core.survey.redshifts import Redshifts


def grid_file(
    path: str | Path,
    *,
    columns: Mapping[str, str] | str | None,
    change: Callable[[Catalog], Catalog],
    pixel_scale: float,
    center: tuple[float, float] | None,
    size: float | tuple[float, float] | None,
    noise: str,
    sources: Sources | None,
    rows: int = ROWS,
) -> ShearField:
    """The field of a catalogue on disk, as :func:`massgan_core.survey.grid_catalog` makes it.

    Args:
        path: FITS table, CSV or Parquet. It is read once, or twice where `center` or `size` is
            missing.
        columns: What the file calls the quantities, see :mod:`massgan_core.survey.tables`.
        change: What to make of galaxies before they are used.
        pixel_scale: Side of a pixel [arcmin].
        center: (RA, Dec) of the field [deg]; `None` for the middle of the catalogue.
        size: Side, or (width, height) [arcmin]; `None` for what holds all galaxies.
        noise: ``weighted`` or ``published``.
        sources: n(z); `None` for that of the column z, if there is one.
        rows: Galaxies at once.

    Raises:
        ValueError: The file is unreadable, a column is missing, or no galaxy can be used.
        OSError: No such file.
    """
    name = Path(path).name
    if center is None or size is None:
        outline = Outline(name)
        for part in _parts(path, columns, change, rows):
            outline.add(part.ra, part.dec)
        center, size = outline.field(center, size, pixel_scale)
    sums, redshifts = PixelSums(grid_around(center, size, pixel_scale)), None
    for part in _parts(path, columns, change, rows, warn=True):
        sums.add(part)
        if part.z is not None and sources is None:
            redshifts = (redshifts or Redshifts()).add(part.z, part.weight)
    sources = redshifts.sources() if redshifts is not None else sources
    return field_of(sums, noise=noise, sources=sources, name=name)


def _parts(
    path: str | Path,
    columns: Mapping[str, str] | str | None,
    change: Callable[[Catalog], Catalog],
    rows: int,
    *,
    warn: bool = False,
) -> Iterator[Catalog]:
    """The usable galaxies of a file, a batch at a time.

    Raises:
        ValueError: There is none.
    """
    name, read, used, left_out = Path(path).name, 0, 0, False
    for batch in read_batches(path, columns, rows=rows):
        read += len(batch["ra"])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                part = change(Catalog(**batch, name=name))
            except NoGalaxies:
                part = None
        left_out |= part is None or bool(said)
        if part is not None:
            used += len(part)
            yield part
    if not used:
        raise NoGalaxies(
            f"{name} holds no usable galaxy among {read} rows: each has a number that is not "
            "finite, a flag in place of a shape or a weight ≤ 0"
        )
    if left_out and warn:
        warnings.warn(
            f"{name}: left out {read - used} of {read} rows with numbers that are not finite, a "
            "flag in place of a shape or a weight ≤ 0",
            stacklevel=4,
        )
