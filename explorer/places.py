"""A place on the sky from what a person types: coordinates, or the name of a cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import massgan_core as mg

if TYPE_CHECKING:
    from massgan_core.sky import Grid

LONGEST = 60  #: letters of a place
HOW = "`150.1 2.2`, `10:00:24 +02:12:00`, `10h00m24s +2d12m` or a cluster's name"
_NUMBERS = re.compile(r"^[\d\s.,:+\-hmsd°′″'\"]+$", re.IGNORECASE)


def position(text: str) -> tuple[float, float]:
    """RA and Dec [deg, ICRS] of a place.

    Args:
        text: Decimal degrees, sexagesimal (hours and degrees), or the name of a bundled cluster,
            whole or the end of it.

    Raises:
        ValueError: It is neither.
    """
    text = " ".join(text.replace("−", "-").replace(",", " ").split())
    if len(text) > LONGEST:
        raise ValueError(f"a place must have at most {LONGEST} letters, got {len(text)}")
    named = _cluster(text)
    if named is not None:
        return named
    if not _NUMBERS.match(text):
        raise ValueError(f"a place must be {HOW}, got {text!r}")
    return _coordinates(text)


def on_plane(text: str, grid: Grid) -> tuple[float, float]:
    """The same as offsets (x, y) from the centre of the field [arcmin], x to the right.

    Raises:
        ValueError: It is no place, or lies outside of the field, or the field is nowhere.
    """
    ra, dec = position(text)
    if grid.wcs is None:
        raise ValueError("this field has no place on the sky")
    x, y = (float(offset) for offset in grid.sky_to_plane(ra, dec))
    left, bottom, right, top = grid.bounds
    if not (left <= x <= right and bottom <= y <= top):
        raise ValueError(f"RA {ra:.4f}°, Dec {dec:+.4f}° lies outside of this field")
    return x, y


def degrees(ra: str, dec: str) -> tuple[float, float]:
    """RA and Dec [deg] of two texts: numbers are degrees; else RA is in hours, unless it says d.

    Raises:
        ValueError: They are no coordinates.
    """
    if is_number(ra) and is_number(dec):
        return float(ra), float(dec)
    return _parsed(ra, dec, unit="deg" if is_number(ra) or ra.endswith("d") else "hourangle")


def is_number(text: str) -> bool:
    """Whether Python reads a number in `text`."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _coordinates(text: str) -> tuple[float, float]:
    words = text.split()
    try:
        # More than two words are hours, minutes and seconds, then degrees and their parts.
        ra, dec = degrees(*words) if len(words) == 2 else _parsed(text, unit="hourangle")
    except ValueError:
        raise ValueError(f"a place must be {HOW}, got {text!r}") from None
    if not (abs(ra) <= 360 and abs(dec) <= 90):
        raise ValueError(f"a place must have RA within ±360° and Dec within ±90°, got {text!r}")
    return ra % 360, dec


def _parsed(*texts: str, unit: str) -> tuple[float, float]:
    from astropy.coordinates import SkyCoord

    try:
        found = SkyCoord(*texts, unit=(unit, "deg"))
    except Exception:  # astropy raises many kinds, whose words are for programmers
        raise ValueError(f"no coordinates: {' '.join(texts)!r}") from None
    return float(found.ra.deg), float(found.dec.deg)


def _cluster(text: str) -> tuple[float, float] | None:
    table, asked = mg.clusters(), text.casefold()
    names = [str(name).casefold() for name in table.name]
    at = [i for i, name in enumerate(names) if asked in (name, name.rsplit(" ", 1)[-1])]
    return (float(table.ra[at[0]]), float(table.dec[at[0]])) if asked and at else None
