r"""Colours of the maps: even to the eye, and told apart by the colour-blind.

κ goes from dark blue over white, the mean density, to dark red. The two arms are drawn in
Oklab, where distance is difference as seen, and cut into equal steps; both get darker alike, so
that a peak and a void of one size stand out by as much. Red and blue survive the common kinds
of colour blindness.

References:
    Ottosson (2020), https://bottosson.github.io/posts/oklab
    Okabe & Ito (2008), https://jfly.uni-koeln.de/color
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

SPREAD = "viridis"  #: of a standard deviation, which has no sign
INK, FAINT, UNOBSERVED, HATCH = "#1a1a1a", "#555555", "#e6e6e6", "#b4b4b4"
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"  #: Okabe & Ito's, for curves

_STEPS = 255  # of each arm; with white in the middle that makes 511
_LIGHT, _DARK = 0.975, 0.33  # Oklab lightness of the middle and of the ends
_HUES = (258.0, 30.0)  # of the arms below and above zero [deg]
_CHROMA = ((0.0, 0.35, 0.7, 1.0), (0.0, 0.07, 0.145, 0.105))  # along an arm

_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@cache
def diverging() -> Colormap:
    """The colour map of κ; values that are not finite are transparent."""
    from matplotlib.colors import ListedColormap

    below, above = (_arm(hue) for hue in _HUES)
    colors = np.vstack([below[:0:-1], above])
    return ListedColormap(colors, name="massgan_diverging").with_extremes(bad=(0, 0, 0, 0))


@cache
def sequential() -> Colormap:
    """The colour map of STD; values that are not finite are transparent."""
    from matplotlib import colormaps

    return colormaps[SPREAD].with_extremes(bad=(0, 0, 0, 0))


def _arm(hue: float) -> Float[np.ndarray, "S 3"]:
    """sRGB colours from the middle to an end, in equal steps of Oklab."""
    t = np.linspace(0, 1, 2001)
    chroma = _chroma(t)
    angle = np.deg2rad(hue)
    lightness = _LIGHT + (_DARK - _LIGHT) * t
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)], 1)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1))])
    even = np.linspace(0, length[-1], _STEPS + 1)
    return _srgb(np.stack([np.interp(even, length, lab[:, i]) for i in range(3)], 1))


def _chroma(t: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """Chroma along an arm, without the corners in which the eye would see a line."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(*_CHROMA)(t)


def _srgb(lab: Float[np.ndarray, "S 3"]) -> Float[np.ndarray, "S 3"]:
    """sRGB in 0 … 1 of Oklab colours."""
    linear = np.clip((lab @ _TO_CONES.T) ** 3 @ _TO_RGB.T, 0, 1)
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
