"""Shear fields as FITS: image HDUs GAMMA1, GAMMA2, SIGMA, MASK and optionally KAPPA.

γ1 and γ2 refer to the pixel axes x and y; MASK is 1 where observed. The field lies on the sky by
a celestial TAN WCS, or else ``PIXSCALE`` [arcmin] stands in the primary header. We also write
NGAL (galaxies per pixel), FOOTPRT (footprint) and a table NZ (n(z)) where known, and read them
back. Fields stored East right or South up are mirrored on reading, shear included.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from massgan_core.sky import Grid, ShearField, Sources
from massgan_core.survey.fits_file import held_by, open_fits, tables_of
from massgan_core.survey.orient_wcs import north_up, sky_wcs

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.wcs import WCS

NEEDED = ("GAMMA1", "GAMMA2", "SIGMA", "MASK")


def read_shear_fits(path: str | Path) -> ShearField:
    """A shear field on disk.

    Raises:
        ValueError: An HDU is missing, shapes differ, the pixels' size is not known or not
            square, the mask is empty, or γ or σ is not usable inside it.
        OSError: No such file.
    """
    with open_fits(path) as hdus:
        return _field(hdus, path)


def write_shear_fits(field: ShearField, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write `field` to `path` so that :func:`read_shear_fits` gives it back; all of it or nothing.

    σ outside the mask (infinite: unobserved) is written as NaN.

    Raises:
        ValueError: `path` exists and is not to be replaced (`overwrite`), or `field` is a batch.
        OSError: The file cannot be written.
    """
    from astropy.io import fits

    path = Path(path)
    if path.exists() and not overwrite:
        raise ValueError(f"{path} exists; give another name or `overwrite=True`")
    if field.gamma.ndim != 2:
        raise ValueError(f"one field goes into one file, got a batch {tuple(field.gamma.shape)}")
    sky = None if field.grid.wcs is None else field.grid.wcs.to_header()
    primary = fits.PrimaryHDU()
    primary.header["PIXSCALE"] = (field.grid.pixel_scale, "[arcmin] side of a pixel")
    primary.header["OBJECT"] = "".join(c for c in field.name if " " <= c <= "~")[:60] or "field"
    hdus = [primary]
    for name, image in _images(field).items():
        hdus.append(fits.ImageHDU(image, header=sky, name=name))
    if field.sources is not None:
        columns = [
            fits.Column("REDSHIFT", "D", array=field.sources.redshift),
            fits.Column("DENSITY", "D", array=field.sources.density),
        ]
        hdus.append(fits.BinTableHDU.from_columns(columns, name="NZ"))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            fits.HDUList(hdus).writeto(file)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def is_shear_fits(path: str | Path) -> bool:
    """Whether a FITS file holds images rather than a table of galaxies."""
    with open_fits(path) as hdus:
        named = {hdu.name.upper() for hdu in hdus}
        return bool(named & set(NEEDED)) or not tables_of(hdus)


def _images(field: ShearField) -> dict[str, np.ndarray]:
    sigma = torch.where(field.mask, field.sigma, torch.nan)
    images = {
        "GAMMA1": field.gamma.real.float(),
        "GAMMA2": field.gamma.imag.float(),
        "SIGMA": sigma.float(),
        "MASK": field.mask.to(torch.uint8),
        "FOOTPRT": field.footprint.to(torch.uint8),
    }
    if field.kappa is not None:
        images["KAPPA"] = field.kappa.float()
    if field.counts is not None:
        images["NGAL"] = field.counts.to(torch.int32)
    return {name: image.cpu().numpy() for name, image in images.items()}


def _field(hdus: fits.HDUList, path: str | Path) -> ShearField:
    named = {hdu.name.upper(): hdu for hdu in hdus if hdu.name}
    missing = [name for name in NEEDED if name not in named]
    if missing:
        raise ValueError(
            f"{path} must hold the image HDUs {', '.join(NEEDED)}, "
            f"without {', '.join(missing)} it is no shear field; it holds {held_by(hdus)}"
        )
    images = {
        name: _image(named[name], path)
        for name in (*NEEDED, "KAPPA", "NGAL", "FOOTPRT")
        if name in named
    }
    shape = images["GAMMA1"].shape
    for name, image in images.items():
        if image.shape != shape:
            raise ValueError(
                f"{path}: {name} must have the shape {shape} of GAMMA1, got {image.shape}"
            )
    wcs, flip_x, flip_y = _wcs(hdus, path)
    axes = [axis for axis, flip in ((0, flip_y), (1, flip_x)) if flip]
    images = {name: np.flip(image, axes).copy() for name, image in images.items()}
    if len(axes) == 1:  # a mirror turns the sense of angles; two mirrors are half a turn
        images["GAMMA2"] = -images["GAMMA2"]
    scale = _pixel_scale(hdus, path, wcs)
    return _build(images, Grid(shape, scale, wcs), hdus, path)


def _build(
    images: dict[str, np.ndarray], grid: Grid, hdus: fits.HDUList, path: str | Path
) -> ShearField:
    mask = images["MASK"] > 0
    area = images["FOOTPRT"] > 0 if "FOOTPRT" in images else None
    # Not γ1 + iγ2: infinities outside the mask are legal and would warn.
    gamma = np.empty(images["GAMMA1"].shape, np.complex64)
    gamma.real, gamma.imag = images["GAMMA1"], images["GAMMA2"]
    kappa = images.get("KAPPA")
    if kappa is not None and not np.isfinite(kappa[mask if area is None else area]).all():
        raise ValueError(f"{path}: KAPPA must be finite wherever the field is observed")
    try:
        return ShearField(
            grid=grid,
            gamma=torch.from_numpy(gamma),
            sigma=torch.from_numpy(images["SIGMA"].astype(np.float32)),
            mask=torch.from_numpy(mask),
            kappa=None
            if kappa is None
            else torch.from_numpy(np.nan_to_num(kappa, posinf=0, neginf=0).astype(np.float32)),
            counts=torch.from_numpy(images["NGAL"].astype(np.int32)) if "NGAL" in images else None,
            area=None if area is None else torch.from_numpy(area | mask),
            sources=_sources(hdus),
            name=str(hdus[0].header.get("OBJECT") or Path(path).stem),
            notes={"file": Path(path).name},
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _image(hdu: object, path: str | Path) -> np.ndarray:
    data = getattr(hdu, "data", None)
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.dtype.kind not in "fiub":
        got = "no image" if not isinstance(data, np.ndarray) else f"shape {data.shape}"
        raise ValueError(f"{path}: {hdu.name} must be an image of two axes, got {got}")
    return np.asarray(data, data.dtype.newbyteorder("="))


def _wcs(hdus: fits.HDUList, path: str | Path) -> tuple[WCS | None, bool, bool]:
    for hdu in (hdus["GAMMA1"], hdus[0]):
        wcs = sky_wcs(hdu.header)
        if wcs is not None:
            try:
                return north_up(wcs, hdus["GAMMA1"].data.shape)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
    return None, False, False


def _pixel_scale(hdus: fits.HDUList, path: str | Path, wcs: WCS | None) -> float:
    value = hdus[0].header.get("PIXSCALE", hdus["GAMMA1"].header.get("PIXSCALE"))
    if value is None and wcs is None:
        raise ValueError(
            f"{path} must say how large its pixels are: a celestial WCS in GAMMA1, or PIXSCALE "
            "[arcmin] in the primary header"
        )
    scale = value if isinstance(value, int | float) else float("nan")
    if wcs is not None:  # the WCS rules; PIXSCALE only undoes its rounding
        by_wcs = float(wcs.wcs.cdelt[1]) * 60
        return float(scale) if abs(scale - by_wcs) < 1e-9 * by_wcs else by_wcs
    if not 0 < scale < float("inf"):
        raise ValueError(f"{path}: PIXSCALE must be a positive number [arcmin], got {value!r}")
    return float(scale)


def _sources(hdus: fits.HDUList) -> Sources | None:
    if "NZ" not in hdus:
        return None
    table = hdus["NZ"].data
    return Sources(table["REDSHIFT"].astype(float), table["DENSITY"].astype(float))
