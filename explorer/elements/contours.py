"""Contours of a map, and the outline of what was not observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import contourpy
import numpy as np

if TYPE_CHECKING:
    from massgan_core.sky import Grid

SIGNAL_LEVELS = (2.0, 3.0, 4.0, 5.0)  #: of a signal to noise
STEPS = 4  #: lines, about, up to the highest values of a κ map
_NICE = (1.0, 2.0, 5.0, 10.0)


def nice(length: float) -> float:
    """The largest of …, 0.5, 1, 2, 5, 10, … that is not larger than `length` > 0."""
    power = 10.0 ** np.floor(np.log10(length))
    step = max(n for n in _NICE if n * power <= length * (1 + 1e-9)) * power
    return float(f"{step:.6g}")


def levels_of(image: np.ndarray, mask: np.ndarray) -> tuple[float, ...]:
    """Even steps from above 0 to the highest values that `image` [H, W] has in `mask`."""
    shown = image[mask & np.isfinite(image)]
    most = float(np.percentile(shown, 99.9)) if shown.size else 0.0
    if most <= 0:
        return ()
    step = nice(most / STEPS)
    return tuple(float(f"{k * step:.6g}") for k in range(1, int(most / step) + 1))


def contours(
    image: np.ndarray, mask: np.ndarray, grid: Grid, levels: tuple[float, ...]
) -> dict[str, list]:
    """Lines on which `image` [H, W] has each of `levels`, through observed pixels alone.

    Returns:
        Columns ``xs``, ``ys`` [arcmin from the centre] and ``width`` [px], a higher level wider.
    """
    columns: dict[str, list] = {"xs": [], "ys": [], "width": []}
    if min(grid.shape) < 2:
        return columns
    seen = mask & np.isfinite(image)
    tracer = contourpy.contour_generator(z=np.ma.masked_array(image, ~seen))
    for number, level in enumerate(levels):
        for line in tracer.lines(level):
            x, y = grid.pixel_to_plane(line[:, 0], line[:, 1])
            columns["xs"].append(np.round(x, 3).tolist())
            columns["ys"].append(np.round(y, 3).tolist())
            columns["width"].append(1.0 + 0.4 * min(number, 3))
    return columns


def hatched(mask: np.ndarray, grid: Grid) -> dict[str, list]:
    """Where `mask` [H, W] is False, as polygons with holes [arcmin from the centre]."""
    unseen = np.pad((~mask).astype(float), 1)  # so that each outline closes at the edge
    tracer = contourpy.contour_generator(z=unseen, fill_type=contourpy.FillType.OuterOffset)
    polygons, offsets = tracer.filled(0.5, 2.0)
    columns: dict[str, list] = {"xs": [], "ys": []}
    for points, ends in zip(polygons, offsets, strict=True):
        x, y = grid.pixel_to_plane(points[:, 0] - 1, points[:, 1] - 1)
        for name, along in (("xs", x), ("ys", y)):
            rings = np.split(np.round(along, 3), ends[1:-1])
            columns[name].append([[ring.tolist() for ring in rings]])
    # One row with all of them: a hatch then runs on from one to the next.
    return {name: [[part for [part] in parts]] if parts else [] for name, parts in columns.items()}
