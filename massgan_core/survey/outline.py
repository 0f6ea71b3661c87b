"""Middle and size of a set of positions, from their outermost ones alone.

Positions are taken as directions, so neither RA = 0° nor a pole is special. A gnomonic
projection keeps straight lines and so what lies between others: whatever the centre that is
settled on in the end, the outermost positions are among the corners of the hull in any such
plane.
"""

from __future__ import annotations

from math import pi

import numpy as np
from jaxtyping import Float

from massgan_core.sky import Grid
from massgan_core.sky.tangent_plane import places

_WAYS = 16  # directions in which the outermost positions are looked for
_ROWS = 1 << 19  # positions at once

Extent = tuple[tuple[float, float], tuple[float, float]]


class Outline:
    """Positions added up a part at a time; few of them are kept.

    Args:
        name: Of the catalogue, for messages.
    """

    def __init__(self, name: str = "catalogue") -> None:
        self.name = name
        self._sum, self._plane = np.zeros(3), None
        self._ra = self._dec = np.zeros(0)

    def add(self, ra: Float[np.ndarray, " N"], dec: Float[np.ndarray, " N"]) -> Outline:
        """Take positions [deg] in.

        Raises:
            ValueError: They and those before span more than half the sky.
        """
        for start in range(0, len(ra), _ROWS):
            part = slice(start, start + _ROWS)
            self._add(ra[part].astype(float), dec[part].astype(float))
        return self

    def _add(self, ra: np.ndarray, dec: np.ndarray) -> None:
        a, d = np.deg2rad(ra), np.deg2rad(dec)
        flat = np.cos(d)
        self._sum += (flat * np.cos(a)).sum(), (flat * np.sin(a)).sum(), np.sin(d).sum()
        if self._plane is None:
            self._plane = _offsets_about(self._mean)
        ra, dec = np.append(self._ra, ra), np.append(self._dec, dec)
        kept = _outermost(*self._on(self._plane, ra, dec))
        self._ra, self._dec = ra[kept], dec[kept]

    def extent(self, center: tuple[float, float] | None = None) -> Extent:
        """Middle (RA, Dec) [deg] and (width, height) [arcmin]; from `center` what reaches all.

        Raises:
            ValueError: The positions span more than half the sky.
        """
        plane = _offsets_about(self._mean if center is None else center)
        x, y = self._on(plane, self._ra, self._dec)
        if center is not None:
            return center, (2 * float(np.abs(x).max()), 2 * float(np.abs(y).max()))
        middle = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
        at = plane.pixel_to_sky(*plane.plane_to_pixel(*middle))
        found = float(at[0]), float(at[1])
        return found, self.extent(found)[1]

    def field(
        self,
        center: tuple[float, float] | None,
        size: float | tuple[float, float] | None,
        pixel_scale: float,
    ) -> tuple[tuple[float, float], float | tuple[float, float]]:
        """`center` and `size` of a field, those that are `None` so that it holds all positions.

        Raises:
            ValueError: The positions span more than half the sky.
        """
        center, extent = self.extent(center)
        # Half a pixel of room, or the outermost galaxy may sit on the edge and fall off.
        return center, tuple(side + pixel_scale for side in extent) if size is None else size

    @property
    def _mean(self) -> tuple[float, float]:
        x, y, up = self._sum
        return float(np.degrees(np.arctan2(y, x))), float(
            np.degrees(np.arctan2(up, np.hypot(x, y)))
        )

    def _on(self, plane: Grid, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = [(place.x, place.y) for _, place in places(plane, ra, dec)]
        x, y = plane.pixel_to_plane(*(np.concatenate(v) for v in zip(*at, strict=True)))
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(
                f"{self.name} spans more than half the sky; give `center` and `size` of the field"
            )
        return x, y


def checked_center(center: tuple[float, float]) -> tuple[float, float]:
    """A position (RA, Dec) [deg] as it was given.

    Raises:
        ValueError: It is none.
    """
    found = numbers(center)
    if found.size != 2 or not np.isfinite(found).all() or abs(found[1]) > 90:
        raise ValueError(f"`center` must be (RA, Dec) in degrees with |Dec| ≤ 90, got {center}")
    return float(found[0]), float(found[1])


def numbers(values: object) -> Float[np.ndarray, " N"]:
    """`values` as an array; empty where they are no numbers."""
    try:
        return np.asarray(values, float).ravel()
    except (TypeError, ValueError):
        return np.zeros(0)


def _offsets_about(center: tuple[float, float]) -> Grid:
    """One pixel of 1′: offsets in arcmin."""
    return Grid.tan((1, 1), 1.0, center=checked_center(center))


def _outermost(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points may be corners of their hull: those not within some of its corners."""
    ways = [2 * pi * i / _WAYS for i in range(_WAYS)]
    corners = [int((np.cos(way) * x + np.sin(way) * y).argmax()) for way in ways]
    outside = np.zeros(len(x), bool)
    for one, other in zip(corners, corners[1:] + corners[:1], strict=True):
        along_x, along_y = x[other] - x[one], y[other] - y[one]
        outside |= along_x * (y - y[one]) - along_y * (x - x[one]) < 0
    outside[corners] = True
    return outside
