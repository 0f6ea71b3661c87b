"""Colours of the maps: perceptually even, readable by the colour-blind, the same everywhere."""

from __future__ import annotations

import colorcet
import numpy as np
from bokeh.palettes import Cividis256

from explorer.elements.scale import Scale

LEVELS = 255  #: live frames use the levels 1 … 255 of a byte; 0 is "no value"


def _blend(*stops: str, steps: int = 256) -> list[str]:
    """Colours that go through `stops` in equal steps."""
    codes = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops])
    at = np.linspace(0, len(stops) - 1, steps)
    channels = [
        np.interp(at, range(len(stops)), codes[:, i]).round().astype(int) for i in range(3)
    ]
    return ["#{:02x}{:02x}{:02x}".format(*color) for color in zip(*channels, strict=True)]


#: Blue, dark, gold: the night sky's diverging map; equally light at both ends.
NIGHT = _blend(
    "#d6ecff",
    "#7fbdfb",
    "#3d7fd1",
    "#22497d",
    "#0d131b",
    "#74480f",
    "#c98a1e",
    "#f5bf52",
    "#fff0c8",
)

#: Colours of a κ map, for the light and the dark page. Diverging ones have zero, the mean
#: density, in the colour of the page.
KAPPA = {
    "diverging": {"light": colorcet.CET_D1A, "dark": NIGHT},
    "fire": {"light": colorcet.fire, "dark": colorcet.fire},
    "cividis": {"light": Cividis256, "dark": Cividis256},
}
#: Colours of a standard deviation, which has no sign.
#: Violet, which no κ map uses.
SPREAD = {
    "light": _blend("#f8f5fc", "#d3c3ea", "#9a78c9", "#5b3595", "#240f4c"),
    "dark": _blend("#150f20", "#432a73", "#8059bd", "#bca0e8", "#f4edff"),
}


def palette(kind: str, colors: str, theme: str) -> list[str]:
    """The 255 colours of a map of `kind` (kappa or spread)."""
    chosen = KAPPA[colors][theme] if kind == "kappa" else SPREAD[theme]
    at = np.linspace(0, len(chosen) - 1, LEVELS).round().astype(int)
    return [chosen[i] for i in at]


def picture_limits(
    image: np.ndarray, mask: np.ndarray, *, signed: bool, share: float = 99.0
) -> tuple[float, float]:
    """Limits between which the middle `share` per cent of the pixels of one picture lie.

    Rounded to two digits, unless all pixels are asked for. Signed pictures get limits symmetric
    about zero. Constant and empty pictures get limits too.
    """
    shown = image[mask & np.isfinite(image)]
    if not shown.size:
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    low, high = np.percentile(shown, (50 - share / 2, 50 + share / 2))
    digits = ".9g" if share == 100 else ".2g"
    if signed:
        high = max(abs(low), abs(high))
        high = float(format(high, digits)) or 1.0
        return -high, high
    low, high = float(format(low, digits)), float(format(high, digits))
    return (low, high) if high > low else (low, low + (abs(low) * 0.1 or 1.0))


def to_levels(
    image: np.ndarray,
    limits: tuple[float, float],
    *,
    stretch: str = "linear",
    signed: bool = True,
) -> np.ndarray:
    """`image` as bytes between `limits`, 0 where it has no value: a live frame."""
    scaled = Scale(*limits, stretch, signed).colored(image) * (LEVELS - 1) + 1
    with np.errstate(invalid="ignore"):
        levels = np.clip(np.rint(scaled), 1, LEVELS)
    return np.where(np.isfinite(image), levels, 0).astype(np.uint8)


def gradient(colors: list[str], steps: int = 16) -> str:
    """A CSS gradient of `colors`, left to right: the colour bar."""
    at = np.linspace(0, len(colors) - 1, steps).round().astype(int)
    return f"linear-gradient(to right, {', '.join(colors[i] for i in at)})"
