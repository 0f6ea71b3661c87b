"""Read an upload whole, in the child process: the field as the library opens it, and its words."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import massgan_core.survey.gridding as gridding
from explorer.uploads.limits import Limits
from explorer.uploads.parcel import pack
from massgan_core.survey import open_field, orientation_check

if TYPE_CHECKING:
    from massgan_core.sky import ShearField

WILD = 1.0  #: scatter of ellipticities beyond any catalogue's (0.2 to 0.4)


def run(path: Path, name: str, limits: Limits, *, call: dict[str, Any]) -> dict[str, Any]:
    """Do what :func:`massgan_core.open_field` does with `path` and `call`.

    The field is left beside the file as a parcel, see :mod:`explorer.uploads.parcel`.

    Returns:
        ``parcel`` (its file's name), ``does`` (what was made of what, a sentence), ``notes``
        (sentences to know before), ``orientation`` and whether it is ``suspicious``.
    """
    # The library's own limit, lowered here for what a page can show.
    gridding.MOST_PIXELS = limits.side
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        field = open_field(path, **{key: _pair(value) for key, value in call.items()})
    gridded = "galaxies" in field.notes
    field = replace(
        field,
        name=field.name.replace(path.name, name if gridded else Path(name).stem),
        notes=field.notes if gridded else {**field.notes, "file": name},
    )
    parcel = path.with_name(f"{path.name}.npz")
    pack(field, parcel)
    orientation = orientation_check(field)
    return {
        "parcel": parcel.name,
        "does": _does(field),
        "notes": [str(w.message).replace(f"{path.name}: ", "") for w in caught] + _notes(field),
        "orientation": orientation.sentence.replace("try --flip-e2", "try turning the sign of e2"),
        "suspicious": orientation.suspicious,
    }


def _pair(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _does(field: ShearField) -> str:
    rows, columns = field.grid.shape
    pixels = f"{columns} × {rows} pixels of {field.grid.pixel_scale:.3g}′"
    if "galaxies" in field.notes:
        what = f"{field.notes['galaxies']:,} galaxies → {pixels}"
    else:
        what = f"A shear field of {pixels}"
    if field.grid.wcs is None:
        return f"{what}, nowhere on the sky."
    ra, dec = field.grid.pixel_to_sky((columns - 1) / 2, (rows - 1) / 2)
    sign = "−" if dec < 0 else ""
    return f"{what} around RA {float(ra):.2f}°, Dec {sign}{abs(float(dec)):.2f}°."


def _notes(field: ShearField) -> list[str]:
    share = field.mask.float().mean().item()
    notes = [f"Observed: {share:.0%} of the pixels."]
    scatter = field.notes.get("sigma_e", 0)
    if scatter > WILD:
        notes.append(
            f"The ellipticities scatter by {scatter:.2g}, a few tenths are usual: are e1 and e2 "
            "read from the right columns?"
        )
    if field.sources is None:
        notes.append("It has no redshifts: those of the COSMOS galaxies are assumed.")
    return notes
