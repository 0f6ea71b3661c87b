"""Lines of equal right ascension and declination over the part of the sky in view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.elements.overlays import LINES, WORDS
from explorer.elements.scale_bar import View

if TYPE_CHECKING:
    from massgan_core.sky import Grid

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 90)  # deg
MOST = 5  #: lines of one kind
POINTS = 33  #: along a line


def graticule(grid: Grid, view: View) -> tuple[dict[str, list], dict[str, list]]:
    """Meridians and parallels through `view`, and their labels at its top and right edge.

    Returns:
        Columns of lines and of texts on the plane [arcmin]; empty for a grid off the sky.
    """
    lines: dict[str, list] = {name: [] for name in LINES}
    labels: dict[str, list] = {name: [] for name in WORDS}
    if grid.wcs is None:
        return lines, labels
    left, bottom, right, top = view
    x, y = np.meshgrid(np.linspace(left, right, 9), np.linspace(bottom, top, 9))
    ra, dec = grid.pixel_to_sky(*grid.plane_to_pixel(x, y))
    middle = float(grid.wcs.wcs.crval[0])
    ra = middle + (ra - middle + 180) % 360 - 180  # in one piece across 0°
    spans = (ra.min(), ra.max()), (dec.min(), dec.max())
    for fixed, (span, other) in enumerate((spans, spans[::-1])):
        step = step_of(span[1] - span[0])
        run = np.linspace(*other, POINTS)
        for value in np.arange(np.ceil(span[0] / step), span[1] / step) * step:
            place = (run, np.full(POINTS, value)) if fixed else (np.full(POINTS, value), run)
            x, y = grid.sky_to_plane(*place)
            lines["xs"].append(np.round(x, 4).tolist())
            lines["ys"].append(np.round(y, 4).tolist())
            at = (top, "top") if not fixed else (right, "right")
            _label(labels, x, y, view, at, _degrees(value, step, signed=bool(fixed)))
    return lines, labels


def step_of(span: float) -> float:
    """The smallest round step [deg] that makes at most MOST lines of `span` [deg]."""
    return next((step for step in STEPS if span <= step * MOST), STEPS[-1])


def _label(
    labels: dict[str, list], x: np.ndarray, y: np.ndarray, view: View, at: tuple, words: str
) -> None:
    """Write `words` where the line leaves `view` at the top or at the right, if it does."""
    left, bottom, right, top = view
    edge, side = at
    along, across = (y, x) if side == "top" else (x, y)
    order = np.argsort(along)
    if not along.min() <= edge <= along.max():
        edge = along.max()  # the ends of the line are those of the view, nearly
    place = float(np.interp(edge, along[order], across[order]))
    low, high = (left, right) if side == "top" else (bottom, top)
    room = 0.1 * (high - low)
    if not low + room <= place <= high - room:
        return
    inset = 0.015 * (right - left)
    if side == "top":
        row = (place, top - inset, words, "center", "top")
    else:
        row = (right - inset, place, words, "right", "middle")
    for name, value in zip(WORDS, row, strict=True):
        labels[name].append(value)


def _degrees(value: float, step: float, *, signed: bool) -> str:
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    if not signed:
        return f"{value % 360:.{digits}f}°"
    sign = "+" if value >= 0 else "−"
    return f"{sign}{abs(value):.{digits}f}°"
