"""Regions and lines as a State keeps them, on the plane of a field, and as DS9 writes them.

A region is ``("circle", RA, Dec, radius)``, ``("box", RA, Dec, width, height)`` or
``("polygon", RA, Dec, RA, Dec, …)``, a line ``(RA, Dec, RA, Dec)``: positions in degrees, sizes
in arcmin, a box upright on the plane of the field. A field that is nowhere on the sky counts as
one about RA 0°, Dec 0°.

References:
    https://ds9.si.edu/doc/ref/region.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import param

import massgan_core as mg

if TYPE_CHECKING:
    from massgan_core.sky import Grid

MOST = 20  #: regions
CORNERS = 40  #: of a polygon
LARGEST = 120.0  #: radius, width or height [arcmin]
LONGEST = 200_000  #: of a region file [bytes]
TOO_MANY = f"a page keeps at most {MOST} regions: delete some first"
TYPED = "a region must be RA, Dec and radius [arcmin], or DS9 lines such as circle(150.1,2.2,2')"
_STEPS = 64  # of a circle that is drawn
_FRAMES = ("fk5", "icrs", "j2000")
_OTHER_FRAMES = ("image", "physical", "detector", "amplifier", "linear", "galactic", "ecliptic")
_OTHER_FRAMES += ("fk4", "b1950")
_UNITS = {"'": 1.0, '"': 1 / 60, "d": 60.0, "°": 60.0, "r": 60 * 180 / np.pi, "": 60.0}
_CALL = re.compile(r"^\+?(circle|box|polygon)\s*[( ]\s*([^()]*)\)?\s*$")


def _numbers(values: Sequence[Any], what: str) -> list[float]:
    known = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    if not all(known) or not all(abs(v) < 1e6 for v in values):  # no NaN, nothing infinite
        raise ValueError(f"{what} must hold finite numbers alone")
    return [float(v) for v in values]


def _positions(numbers: Sequence[float], what: str) -> list[float]:
    """RA between 0 and 360, and Dec."""
    ra, dec = numbers[::2], numbers[1::2]
    if max(map(abs, dec)) > 90 or max(map(abs, ra)) > 360:
        raise ValueError(f"{what} must have RA between 0 and 360° and Dec between −90 and 90°")
    return [round(v % 360 if i % 2 == 0 else v, 6) for i, v in enumerate(numbers)]


def checked(value: Any) -> tuple[tuple, ...]:
    """`value` as the regions of a State, or one sentence on why not."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"regions must be a list, got {type(value).__name__}")
    if len(value) > MOST:
        raise ValueError(f"regions must be at most {MOST}, got {len(value)}")
    return tuple(map(shape, value))


def shape(value: Any) -> tuple:
    """`value` as one region of a State."""
    kind = value[0] if isinstance(value, list | tuple) and value else None
    if kind not in ("circle", "box", "polygon"):
        raise ValueError("a region must be a circle, a box or a polygon")
    numbers = _numbers(value[1:], f"a {kind}")
    if kind == "polygon":
        if len(numbers) % 2 or not 6 <= len(numbers) <= 2 * CORNERS:
            raise ValueError(f"a polygon must have 3 to {CORNERS} corners, each RA and Dec")
        return (kind, *_positions(numbers, "a polygon"))
    if len(numbers) != (3 if kind == "circle" else 4):
        raise ValueError(f"a {kind} must be RA, Dec and its size")
    sizes = [round(v, 4) for v in numbers[2:]]
    if not all(0 < v <= LARGEST for v in sizes):
        raise ValueError(f"a {kind} must be larger than 0′ and at most {LARGEST:g}′")
    return (kind, *_positions(numbers[:2], f"a {kind}"), *sizes)


def line(value: Any) -> tuple[float, ...] | None:
    """`value` as the line of a State."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError("a line must be RA, Dec of both ends [deg]")
    ends = tuple(_positions(_numbers(value, "a line"), "a line"))
    if ends[:2] == ends[2:]:
        raise ValueError("a line must have two ends")
    return ends


class Regions(param.Parameter):
    """The regions of a State, see :func:`checked`."""

    def _validate(self, val: Any) -> None:
        checked(val)


class Line(param.Parameter):
    """The line of a State, see :func:`line`."""

    def _validate(self, val: Any) -> None:
        line(val)


# On the plane of a field


def _frame(grid: Grid) -> Grid:
    if grid.wcs is not None:
        return grid
    return mg.Grid.tan(grid.shape, grid.pixel_scale, center=(0.0, 0.0))


def to_plane(grid: Grid, positions: Sequence[float]) -> np.ndarray:
    """RA, Dec, RA, Dec, … [deg] as offsets (x, y) from the centre of `grid` [arcmin], [V, 2]."""
    sky = np.reshape(np.asarray(positions, float), (-1, 2))
    return np.stack(_frame(grid).sky_to_plane(sky[:, 0], sky[:, 1]), -1)


def to_sky(grid: Grid, x: Sequence[float], y: Sequence[float]) -> list[float]:
    """Offsets from the centre of `grid` [arcmin] as RA, Dec, RA, Dec, … [deg]."""
    pixel = grid.plane_to_pixel(np.asarray(x, float), np.asarray(y, float))
    return np.stack(_frame(grid).pixel_to_sky(*pixel), -1).ravel().tolist()


def outline(grid: Grid, region: tuple) -> np.ndarray:
    """Corners of a region on the plane of `grid` [arcmin], [V, 2]; NaN where it cannot be."""
    kind, *numbers = region
    if kind == "polygon":
        return to_plane(grid, numbers)
    center = to_plane(grid, numbers[:2])
    if kind == "box":
        half = np.array(numbers[2:]) / 2
        return center + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    turn = np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)
    return center + numbers[2] * np.stack([np.cos(turn), np.sin(turn)], -1)


def drawn(grid: Grid, tool: str, x: Sequence[float], y: Sequence[float]) -> tuple:
    """What a person drew on the plane of `grid` [arcmin], as a State keeps it.

    Args:
        grid: Of the open field.
        tool: ``circle`` (centre, a point on it), ``box`` (two corners), ``polygon``, ``line``.
        x: Offsets to the right.
        y: Offsets upwards.
    """
    if tool == "line":
        return line(to_sky(grid, x, y))
    if tool == "polygon":
        return shape(("polygon", *to_sky(grid, x, y)))
    wide, high = float(x[1] - x[0]), float(y[1] - y[0])
    if tool == "circle":
        return shape(("circle", *to_sky(grid, x[:1], y[:1]), float(np.hypot(wide, high))))
    center = to_sky(grid, [sum(x) / 2], [sum(y) / 2])
    return shape(("box", *center, abs(wide), abs(high)))


def named(region: tuple) -> str:
    """A region in words."""
    kind, *numbers = region
    if kind == "polygon":
        return f"polygon, {len(numbers) // 2} corners"
    if kind == "circle":
        return f"circle, {numbers[2]:.2f}′"
    return f"box, {numbers[2]:.1f}′ × {numbers[3]:.1f}′"


# DS9


def write_ds9(regions: Sequence[tuple]) -> bytes:
    """Regions as a DS9 region file."""
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# Regions measured; massgan {mg.__version__}",
    ]
    lines += ["global color=cyan width=1", "fk5"]
    for number, (kind, *numbers) in enumerate(regions, 1):
        split = len(numbers) if kind == "polygon" else 2
        words = [f"{v:.6f}" for v in numbers[:split]] + [f"{v:.4f}'" for v in numbers[split:]]
        words += ["0"] * (kind == "box")
        lines.append(f"{kind}({','.join(words)}) # text={{{number}}}")
    return ("\n".join(lines) + "\n").encode("ascii")


def read_ds9(text: str) -> tuple[list[tuple], int]:
    """The circles, boxes and polygons of a DS9 region file, and how many others it holds.

    Raises:
        ValueError: It has none that can be taken.
    """
    frame, found, others = "fk5", [], 0
    bare = re.sub(r"#[^\n\r]*", "", text)
    for words in re.split(r"[\n\r;]", bare):
        words = words.strip().lower()
        head = words.split("(")[0].split()[:1]
        if words in _FRAMES + _OTHER_FRAMES:
            frame = words
        elif words and head != ["global"]:
            try:
                if frame not in _FRAMES:
                    raise ValueError(frame)
                found.append(_parsed(words))
            except ValueError:
                others += 1
    if not found:
        raise ValueError(
            "a region file must be DS9's, with circles, boxes or polygons in fk5 or icrs degrees"
        )
    return found, others


def typed(text: str) -> list[tuple]:
    """Regions from what a person typed: RA Dec radius [deg, deg, arcmin], or DS9 lines."""
    if not re.search(r"[a-z]{3}", text.lower()):
        words = [w for w in re.split(r"[,\s]+", text.strip()) if w]
        try:
            ra, dec, radius = words
            return [shape(("circle", *_place(ra, dec), float(radius.rstrip("'′"))))]
        except ValueError as error:
            own = "circle" in str(error)
            raise ValueError(str(error) if own else TYPED) from None
    try:
        found, others = read_ds9(text)
    except ValueError:
        raise ValueError(TYPED) from None
    if others:
        raise ValueError(TYPED)
    return found


def _parsed(words: str) -> tuple:
    """One line of DS9 as a region; a turned box as a polygon."""
    match = _CALL.match(words)
    if match is None:
        raise ValueError(words)
    kind, inner = match.groups()
    values = [w for w in re.split(r"[,\s]+", inner.strip()) if w]
    if kind == "polygon":
        pairs = zip(values[::2], values[1::2], strict=True)
        return shape((kind, *(v for pair in pairs for v in _place(*pair))))
    sizes = [_size(w) for w in values[2:4]]
    center = _place(*values[:2])
    turn = float(values[4]) if kind == "box" and len(values) > 4 else 0.0
    if turn % 180 == 0:
        return shape((kind, *center, *sizes))
    # About its own centre; DS9 turns from the image's x axis to its y axis, East left.
    about = mg.Grid.tan((1, 1), 1.0, center=center)
    upright = np.array(sizes) / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    x, y = (upright @ np.array([[c, s], [-s, c]])).T
    return shape(("polygon", *to_sky(about, x, y)))


def _place(ra: str, dec: str) -> tuple[float, float]:
    """A position in degrees, or in hours and degrees with colons."""
    from astropy.coordinates import Angle

    if ":" in ra:
        return Angle(ra, "hourangle").deg, Angle(dec, "deg").deg
    return float(ra.rstrip("d°")), float(dec.replace("−", "-").rstrip("d°"))


def _size(word: str) -> float:
    """A length in arcmin; degrees without a unit."""
    unit = word[-1] if word[-1] in _UNITS else ""
    return float(word.removesuffix(unit)) * _UNITS[unit]
