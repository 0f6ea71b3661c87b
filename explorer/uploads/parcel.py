"""A shear field as plain arrays and numbers, from the child process to the server, exactly.

Not as FITS: the server shall parse no header that a stranger wrote, and no digit shall change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from massgan_core.sky import ShearField

_IMAGES = ("gamma", "sigma", "mask", "kappa", "counts", "area")
_NUMBERS = ("crval", "crpix", "cdelt")


def pack(field: ShearField, path: Path) -> None:
    """Write `field` to an .npz file."""
    images = {name: getattr(field, name) for name in _IMAGES}
    arrays = {name: image.numpy() for name, image in images.items() if image is not None}
    if field.sources is not None:
        arrays |= {"redshift": field.sources.redshift, "density": field.sources.density}
    words = {
        "shape": field.grid.shape,
        "pixel_scale": field.grid.pixel_scale,
        "wcs": None if field.grid.wcs is None else _numbers(field.grid.wcs),
        "name": field.name,
        "notes": field.notes,
    }
    with open(path, "wb") as file:
        np.savez(file, words=np.array(json.dumps(words)), **arrays)


def unpack(path: Path) -> ShearField:
    """The very field that :func:`pack` was given."""
    import torch

    from massgan_core.sky import Grid, ShearField, Sources

    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    words = json.loads(str(arrays.pop("words")))
    wcs = None if words["wcs"] is None else _wcs(words["wcs"])
    sources = None
    if "density" in arrays:
        redshift, density = arrays.pop("redshift"), arrays.pop("density")
        sources = Sources(redshift, density)
        # It is normalised already: once more would change the last digits.
        object.__setattr__(sources, "density", density)
    return ShearField(
        grid=Grid(tuple(words["shape"]), words["pixel_scale"], wcs),
        sources=sources,
        name=words["name"],
        notes=words["notes"],
        **{name: torch.from_numpy(array) for name, array in arrays.items()},
    )


def _numbers(wcs: WCS) -> dict[str, Any]:
    """A plain TAN projection, which is all that a Grid has."""
    inner = wcs.wcs
    return {
        **{name: [float(v) for v in getattr(inner, name)] for name in _NUMBERS},
        "pc": inner.get_pc().tolist(),
        "lonpole": float(inner.lonpole),
        "radesys": str(inner.radesys),
    }


def _wcs(numbers: dict[str, Any]) -> WCS:
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    for name in _NUMBERS:
        setattr(wcs.wcs, name, numbers[name])
    wcs.wcs.pc, wcs.wcs.lonpole = numbers["pc"], numbers["lonpole"]
    if numbers["radesys"]:
        wcs.wcs.radesys = numbers["radesys"]
    wcs.wcs.set()
    return wcs
