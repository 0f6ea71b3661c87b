"""The only reader of INPUT: what the command line, the explorer and notebooks call a field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path

import torch

from massgan_core.sky import ShearField, Sources
from massgan_core.survey.catalog import Catalog
from massgan_core.survey.cosmos import CENTER, SIZE, cosmos, cosmos_catalog
from massgan_core.survey.gridding import NOISES, grid_around, grid_catalog
from massgan_core.survey.outline import Outline
from massgan_core.survey.shear_fits import is_shear_fits, read_shear_fits
from massgan_core.survey.streamed import grid_file
from massgan_core.survey.tables import file_kind

ELLIPTICITIES = ("shear", "distortion")
LARGE = 32e6  #: bytes of a catalogue beyond which it is read in batches
PIXEL_SCALE = 0.29  #: of a gridded catalogue, by default [arcmin]


def open_field(
    source: str | Path,
    *,
    columns: Mapping[str, str] | str | None = None,
    pixel_scale: float | None = None,
    center: tuple[float, float] | None = None,
    size: float | tuple[float, float] | None = None,
    flip_e1: bool = False,
    flip_e2: bool = False,
    ellipticity: str = "shear",
    noise: str = "weighted",
    nz: str | Path | None = None,
    zs: float | None = None,
) -> ShearField:
    """A shear field from ``cosmos``, a shear-field FITS or a catalogue of galaxies.

    Args:
        source: ``cosmos``, or the path of a FITS, CSV or Parquet file.
        columns: What a catalogue calls its quantities: ``"ra=RA,dec=DEC,e1=E1,e2=E2,weight=W"``
            or a dict; also m, c1, c2, R, z. By default the usual names.
        pixel_scale: Side of a pixel of a gridded catalogue [arcmin]; by default 0.29.
        center: (RA, Dec) of the field [deg]; by default the middle of the catalogue.
        size: Side, or (width, height) of the field [arcmin]; by default all of it. `center` and
            `size` crop a shear-field FITS.
        flip_e1: Turn the sign of the first component.
        flip_e2: Turn the sign of the second.
        ellipticity: ``shear`` (a − b)/(a + b), or ``distortion`` (a² − b²)/(a² + b²), which is
            turned into the first.
        noise: ``weighted`` or ``published``, see :func:`massgan_core.survey.grid_catalog`.
        nz: File of n(z): two columns, lower bin edge and count.
        zs: One redshift for all sources. Without `nz`, `zs` or a column z: the COSMOS n(z).

    Raises:
        ValueError: The input cannot be used; the message is one sentence for people.
        OSError: No such file.
    """
    if ellipticity not in ELLIPTICITIES:
        raise ValueError(
            f"`ellipticity` must be one of {', '.join(ELLIPTICITIES)}, got {ellipticity!r}"
        )
    if noise not in NOISES:
        raise ValueError(f"`noise` must be one of {', '.join(NOISES)}, got {noise!r}")
    sources = given_sources(nz, zs)
    name = str(source)
    flips = {"e1": flip_e1, "e2": flip_e2}
    if name == "cosmos":
        _only_for_catalogues(name, columns, ellipticity)
        field = _cosmos(center, size, pixel_scale, noise, flips)
    else:
        if not Path(source).exists():
            raise FileNotFoundError(f"INPUT must be 'cosmos' or a file, there is no file {name!r}")
        if file_kind(source) == "fits" and is_shear_fits(source):
            _only_for_catalogues(name, columns, ellipticity, noise)
            field = _flip(_cut(read_shear_fits(source), pixel_scale, center, size), **flips)
        else:

            def change(galaxies: Catalog) -> Catalog:
                shears = ellipticity == "shear"
                return (galaxies if shears else galaxies.from_distortion()).flipped(**flips)

            field = _gridded(
                source,
                columns,
                change,
                pixel_scale=PIXEL_SCALE if pixel_scale is None else pixel_scale,
                center=center,
                size=size,
                noise=noise,
                sources=sources,
            )
    changes = {"flip_e1": flip_e1, "flip_e2": flip_e2, "from_distortion": ellipticity != "shear"}
    changes = {key: True for key, done in changes.items() if done}
    if sources is None and not changes:
        return field
    sources = field.sources if sources is None else sources
    return replace(field, sources=sources, notes={**field.notes, **changes})


def given_sources(nz: str | Path | None, zs: float | None) -> Sources | None:
    """n(z) of a file, or of one redshift; `None` where neither is given."""
    if nz is not None and zs is not None:
        raise ValueError("give `nz` or `zs`, not both: they both say where the sources are")
    if nz is not None:
        if not Path(nz).is_file():
            raise FileNotFoundError(f"`nz` must be a file, there is no file {str(nz)!r}")
        try:
            return Sources.read(str(nz))
        except UnicodeDecodeError:
            raise ValueError(f"{nz}: n(z) must be a text file of two columns") from None
    if zs is not None:
        if not (isfinite(zs) and zs > 0):
            raise ValueError(f"`zs` must be a positive redshift, got {zs}")
        return Sources.plane(zs)
    return None


def _only_for_catalogues(
    name: str, columns: object, ellipticity: str, noise: str = "weighted"
) -> None:
    given = {
        "columns": columns is not None,
        "ellipticity": ellipticity != "shear",
        "noise": noise != "weighted",
    }
    wrong = [f"`{key}`" for key, on in given.items() if on]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} are for catalogues of galaxies, {name} is none")


def _cosmos(
    center: tuple[float, float] | None,
    size: float | tuple[float, float] | None,
    pixel_scale: float | None,
    noise: str,
    flips: dict[str, bool],
) -> ShearField:
    scale = PIXEL_SCALE if pixel_scale is None else pixel_scale
    if not any(flips.values()):
        return cosmos(center=center, size=size, pixel_scale=scale, noise=noise)
    grid = grid_around(center or CENTER, SIZE if size is None else size, scale)
    return grid_catalog(cosmos_catalog().flipped(**flips), grid, noise=noise)


def _gridded(
    path: str | Path,
    columns: Mapping[str, str] | str | None,
    change: Callable[[Catalog], Catalog],
    *,
    pixel_scale: float,
    center: tuple[float, float] | None,
    size: float | tuple[float, float] | None,
    noise: str,
    sources: Sources | None,
) -> ShearField:
    options = {"center": center, "size": size, "noise": noise, "sources": sources}
    if Path(path).stat().st_size > LARGE:
        return grid_file(path, columns=columns, change=change, pixel_scale=pixel_scale, **options)
    catalog = change(Catalog.read(path, columns=columns, name=Path(path).name))
    if center is None or size is None:
        outline = Outline(catalog.name).add(catalog.ra, catalog.dec)
        center, size = outline.field(center, size, pixel_scale)
    grid = grid_around(center, size, pixel_scale)
    own = catalog.sources() if sources is None else sources
    return grid_catalog(catalog, grid, noise=noise, sources=own)


def _cut(
    field: ShearField,
    pixel_scale: float | None,
    center: tuple[float, float] | None,
    size: float | tuple[float, float] | None,
) -> ShearField:
    """The part of a gridded field that `center` and `size` ask for."""
    grid = field.grid
    if pixel_scale is not None and abs(pixel_scale / grid.pixel_scale - 1) > 1e-3:
        raise ValueError(
            f"`pixel_scale` of a shear-field FITS is fixed, it is {grid.pixel_scale:.4g}′; "
            "grid the catalogue at the scale you want"
        )
    if center is None and size is None:
        return field
    height, width = grid.shape
    if center is None:
        x, y = (width - 1) / 2, (height - 1) / 2
    else:
        wanted = grid_around(center, grid.pixel_scale, grid.pixel_scale)  # checks `center`
        x, y = (float(v) for v in grid.sky_to_pixel(*wanted.wcs.wcs.crval))
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise ValueError(
                f"`center` must lie in the field, RA {center[0]}, Dec {center[1]} does not"
            )
    if size is None:
        rows, columns = height, width
    else:
        anywhere = (0.0, 0.0)
        rows, columns = grid_around(anywhere, size, grid.pixel_scale).shape
    top, left = round(y - (rows - 1) / 2), round(x - (columns - 1) / 2)
    low, high = max(top, 0), min(top + rows, height)
    start, end = max(left, 0), min(left + columns, width)
    return field.crop(low, start, (high - low, end - start))


def _flip(field: ShearField, *, e1: bool, e2: bool) -> ShearField:
    if not (e1 or e2):
        return field
    gamma = field.gamma
    parts = (-gamma.real if e1 else gamma.real, -gamma.imag if e2 else gamma.imag)
    return replace(field, gamma=torch.complex(*parts))
