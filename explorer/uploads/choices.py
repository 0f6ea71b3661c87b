"""What a person may say of a file before it is opened, and its words for ``open_field``."""

from __future__ import annotations

from math import isfinite
from typing import Any

#: Quantities of a catalogue that are asked for; an empty name means: it has none.
QUANTITIES = ("ra", "dec", "e1", "e2", "weight", "z")
NEEDED = QUANTITIES[:4]
WORDS = {"ra": "RA", "dec": "Dec", "e1": "e1", "e2": "e2", "weight": "the weight", "z": "z"}
REDSHIFTS = ("z", "redshift", "zphot", "z_phot", "photoz", "z_b")


def guess(names: list[str]) -> dict[str, str]:
    """Which column holds which quantity, by the library's usual names; empty where none does."""
    from massgan_core.survey.tables import USUAL

    lower = {name.lower(): name for name in reversed(names)}
    usual = {**{key: USUAL[key] for key in QUANTITIES[:-1]}, "z": REDSHIFTS}
    return {
        key: next((lower[name] for name in wanted if name in lower), "")
        for key, wanted in usual.items()
    }


def best(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """The table that looks most like a catalogue of galaxies."""
    return max(tables, key=lambda table: sum(map(bool, guess(names(table)).values())))


def names(table: dict[str, Any]) -> list[str]:
    """The columns of a table that hold numbers."""
    return [column["name"] for column in table["columns"] if column["numeric"]]


def call(
    *,
    columns: dict[str, str] | None = None,
    pixel_scale: float | None = None,
    center: str = "",
    size: str = "",
    flip_e1: bool = False,
    flip_e2: bool = False,
    distortion: bool = False,
) -> dict[str, Any]:
    """The arguments of :func:`massgan_core.open_field`, those at their default left out; JSON.

    Args:
        columns: Which column holds which of `QUANTITIES`; None for a shear field.
        pixel_scale: [arcmin]
        center: "RA, Dec" [deg]; empty = the middle of the catalogue.
        size: Side, or "width, height" [arcmin]; empty = all of it.
        flip_e1: Turn the sign of e1.
        flip_e2: Turn the sign of e2.
        distortion: The ellipticities are distortions (a² − b²)/(a² + b²).

    Raises:
        ValueError: They make no sense; one sentence for people.
    """
    found: dict[str, Any] = {}
    if columns is not None:
        _check(columns)
        found["columns"] = dict(columns)
        if distortion:
            found["ellipticity"] = "distortion"
        if pixel_scale is not None:
            found["pixel_scale"] = pixel_scale
    if center.strip():
        found["center"] = _numbers(center, (2,), "Centre must be RA, Dec in degrees")
    if size.strip():
        sides = _numbers(size, (1, 2), "Size must be one side, or width, height in arcmin")
        found["size"] = sides if len(sides) == 2 else sides[0]
    found |= {key: True for key, on in (("flip_e1", flip_e1), ("flip_e2", flip_e2)) if on}
    return found


def _check(columns: dict[str, str]) -> None:
    missing = [WORDS[key] for key in NEEDED if not columns.get(key)]
    if missing:
        raise ValueError(f"Choose the column of {_listed(missing)}.")
    used: dict[str, str] = {}
    for key in QUANTITIES:
        name = columns.get(key)
        if name and name in used:
            raise ValueError(
                f"{WORDS[used[name]]} and {WORDS[key]} are both read from “{name}”: "
                "choose another column for one of them."
            )
        if name:
            used[name] = key


def _numbers(text: str, counts: tuple[int, ...], rule: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.replace("−", "-").split(","))
    except ValueError:
        values = ()
    if len(values) not in counts or not all(map(isfinite, values)):
        raise ValueError(f"{rule}, got “{text.strip()}”.")
    return values


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
