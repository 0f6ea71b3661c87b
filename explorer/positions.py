"""Where clusters are: the bundled lists, and positions of one's own.

All are :class:`massgan_core.survey.Clusters`; what is not known of a position is NaN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

import massgan_core as mg
from explorer.places import degrees, is_number

if TYPE_CHECKING:
    from massgan_core.survey import Clusters

LISTS = {
    "X-ray clusters, 2007": "finoguenov2007",
    "X-ray groups, 2011": "george2011",
    "My positions": "own",
}
SOURCES = {
    "finoguenov2007": "72 clusters found by XMM-Newton: Finoguenov et al. 2007.",
    "george2011": "129 groups with revised redshifts: George et al. 2011. r500 and M500 follow "
    "from their r200 and M200 for an NFW halo of concentration 4.",
    "own": "Positions of your own. They stay in this session and are in no link.",
}
RADIUS = 1.0  #: of a circle about a position that came without one [arcmin]
LARGEST = 60.0  #: radius [arcmin]
MOST = 5_000  #: positions of one's own
LONGEST = 500_000  #: characters of pasted text
_RULE = "RA, Dec and perhaps a name, in degrees or as 10:00:43.1 +02:06:37"


def catalog(name: str, own: Clusters | None) -> Clusters | None:
    """The list that State.catalog calls `name`; None for positions of one's own not given yet."""
    if name == "own":
        return own
    table = mg.clusters(name)
    if name == "george2011":
        # Random circles of one size serve all clusters of that size.
        table = made(table.ra, table.dec, table.r500.round(1), table.name, table.redshift)
        table.m500[:] = mg.clusters(name).m500
    return table


def within(table: Clusters, redshifts: tuple | None, masses: tuple | None) -> np.ndarray:
    """Which clusters lie in the ranges of redshift and M500 [1e13 Msun]; unknown ones do."""
    kept = np.ones(len(table), bool)
    for values, limits in ((table.redshift, redshifts), (table.m500, masses)):
        if limits is not None:
            kept &= ~((values < limits[0]) | (values > limits[1]))  # NaN is neither
    return kept


def pasted(text: str) -> Clusters:
    """Positions from lines of text: RA, Dec and a name, if there is one.

    Raises:
        ValueError: A line is none, or there are too many; one sentence for people.
    """
    if len(text) > LONGEST:
        raise ValueError(f"pasted text may have {LONGEST:,} characters, got {len(text):,}")
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if _says(line)]
    if not lines:
        raise ValueError(f"paste one position a line: {_RULE}")
    _check_number(len(lines))
    ra, dec, names = zip(*(_split(number, line) for number, line in lines), strict=True)
    values = np.array([_degrees(*one) for one in zip(ra, dec, lines, strict=True)])
    return made(values[:, 0], values[:, 1], names=names)


def made(
    ra: Any, dec: Any, radius: Any = None, names: Iterable[Any] = (), redshift: Any = None
) -> Clusters:
    """A list of positions; what is missing is filled in.

    Args:
        ra: [deg]
        dec: [deg]
        radius: [arcmin]; where there is none that is positive, 1′.
        names: Empty ones become a number; each is made fit for a link, and unlike the others.
        redshift: NaN where unknown.

    Raises:
        ValueError: Not on the sky, or too many; one sentence for people.
    """
    from massgan_core.survey import Clusters

    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    n = len(ra)
    _check_number(n)
    bad = ~(np.isfinite(ra) & np.isfinite(dec) & (ra >= -360) & (ra <= 360) & (abs(dec) <= 90))
    if bad.any():
        i = int(bad.argmax())
        raise ValueError(
            f"RA must be within ±360° and Dec within ±90°, got {ra[i]:g}, {dec[i]:g} for "
            f"position {i + 1}"
        )
    radius = np.full(n, np.nan) if radius is None else np.asarray(radius, float)
    radius = np.where(radius > 0, radius.clip(max=LARGEST), RADIUS)
    return Clusters(
        id=np.arange(1, n + 1),
        ra=ra % 360,
        dec=dec,
        r500=radius,
        redshift=np.full(n, np.nan) if redshift is None else np.asarray(redshift, float),
        m500=np.full(n, np.nan),
        name=np.array(_named(list(names) or [""] * n)),
    )


def _check_number(n: int) -> None:
    if not 0 < n <= MOST:
        raise ValueError(f"a list must have 1 to {MOST:,} positions, got {n:,}")


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _split(number: int, line: str) -> tuple[str, str, str]:
    """RA, Dec and name of a line."""
    words = line.replace("−", "-").replace(",", " ").replace("\t", " ").split()
    spaced = len(words) >= 6 and all(map(is_number, words[:6])) and words[3][0] in "+-"
    if spaced:  # 10 00 43.1 +02 06 37
        words = [":".join(words[:3]), ":".join(words[3:6]), *words[6:]]
    if len(words) < 2:
        raise ValueError(f"line {number} must hold {_RULE}, got “{line.strip()[:40]}”")
    return words[0], words[1], " ".join(words[2:])


def _degrees(ra: str, dec: str, line: tuple[int, str]) -> tuple[float, float]:
    """RA and Dec [deg] of two texts of a line."""
    try:
        return degrees(ra, dec)
    except ValueError:
        raise ValueError(
            f"line {line[0]} must hold {_RULE}, got “{line[1].strip()[:40]}”"
        ) from None


def _named(names: list[Any]) -> list[str]:
    """Names that a link may hold (`State.cluster`), each its own."""
    taken: set[str] = set()
    fit = []
    for i, name in enumerate(names, 1):
        plain = re.sub(r"[^\w .+-]+", "_", str(name).strip())[:50].strip() or f"Position {i}"
        if plain in taken:
            plain = f"{plain} {i}"
        taken.add(plain)
        fit.append(plain)
    return fit
