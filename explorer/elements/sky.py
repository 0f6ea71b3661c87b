r"""What all maps of one field share: ranges, mask, clusters, and the way back to RA and Dec.

Axes are offsets from the centre of the field [arcmin], x to the right. On the sky x to the
right is West, so the axis counts East offsets down: East is left, as seen from below the sky.

The hover inverts the tangent plane, with standard coordinates (ξ, η):

.. math:: \alpha = \alpha_0 + \mathrm{atan2}(\xi, \cos\delta_0 - \eta\sin\delta_0), \quad
          \delta = \mathrm{atan2}\big(\sin\delta_0 + \eta\cos\delta_0,
          \sqrt{\xi^2 + (\cos\delta_0 - \eta\sin\delta_0)^2}\big)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import ColumnDataSource, CustomJSHover, Range1d

from explorer.elements.guess import Guess
from explorer.elements.overlays import Overlays
from explorer.elements.peaks import peak_columns
from explorer.elements.shapes import Shapes

if TYPE_CHECKING:
    from explorer.store import Circles
    from massgan_core.sky import Grid

#: JS: ra, dec [deg] of the point under the mouse, or null for a field that is nowhere.
_INVERT = """
const at = plane.data
if (!at.ra0.length) return "–"
const dx = special_vars.x - at.x0[0], dy = special_vars.y - at.y0[0]
const xi = at.xx[0] * dx + at.xy[0] * dy, eta = at.yx[0] * dx + at.yy[0] * dy
const d0 = at.dec0[0], down = Math.cos(d0) - eta * Math.sin(d0), degree = 180 / Math.PI
const ra = (at.ra0[0] + Math.atan2(xi, down)) * degree
const dec = Math.atan2(Math.sin(d0) + eta * Math.cos(d0), Math.hypot(xi, down)) * degree
"""
_RA = _INVERT + 'return (((ra % 360) + 360) % 360).toFixed(5) + "°"'
_DEC = _INVERT + 'return (dec < 0 ? "−" : "+") + Math.abs(dec).toFixed(5) + "°"'


class Sky:
    """Shared by the maps of one page, and by no other page."""

    def __init__(self) -> None:
        self.x_range, self.y_range = Range1d(-44, 44), Range1d(-44, 44)
        self.plane = ColumnDataSource(name="plane", data=plane_columns(None))
        self.mask = ColumnDataSource(name="mask", data=_box(None, []))
        self.overlays = Overlays()
        self.clusters = ColumnDataSource(name="clusters", data=cluster_columns(None))
        self.shapes, self.guess = Shapes(), Guess()
        self.peaks = ColumnDataSource(name="peaks", data=peak_columns(None))
        self.ra = CustomJSHover(args={"plane": self.plane}, code=_RA)
        self.dec = CustomJSHover(args={"plane": self.plane}, code=_DEC)

    def show(self, grid: Grid, footprint: np.ndarray, circles: Circles | None) -> None:
        """Frame the field of `grid`, as a square view."""
        half = max(grid.extent) / 2 + 2 * grid.pixel_scale
        frame(self.x_range, self.y_range, half, grid.pixel_scale)
        self.plane.data = plane_columns(grid)
        # One more pixel on every side: else the map's edge shines through where both are blurred.
        veil = np.pad(~footprint, 1, constant_values=True).astype(np.uint8)
        around = grid.resized((grid.shape[0] + 2, grid.shape[1] + 2), offset=(-1, -1))
        self.mask.data = _box(around, [veil])
        self.show_circles(circles)

    def show_circles(self, circles: Circles | None) -> None:
        """Other clusters in the same field."""
        self.clusters.selected.indices = []
        self.clusters.data = cluster_columns(circles)

    def center(self, x: float, y: float) -> None:
        """Show a place [arcmin] in the middle, closer than the whole field."""
        for axis, middle in ((self.x_range, x), (self.y_range, y)):
            whole = axis.reset_end - axis.reset_start
            half = min(axis.end - axis.start, max(whole / 3, axis.min_interval)) / 2
            axis.update(start=middle - half, end=middle + half)

    def whole(self) -> None:
        """Show the whole field."""
        for axis in (self.x_range, self.y_range):
            axis.update(start=axis.reset_start, end=axis.reset_end)

    def select(self, name: str) -> None:
        """Mark the circle of a cluster; none for a name that is not there."""
        names = list(self.clusters.data["name"])
        self.clusters.selected.indices = [names.index(name)] if name in names else []

    def place(self, name: str) -> tuple[float, float, float] | None:
        """Offsets and radius [arcmin] of a cluster; None for one that is not there."""
        data = self.clusters.data
        if name not in list(data["name"]):
            return None
        i = list(data["name"]).index(name)
        return float(data["x"][i]), float(data["y"][i]), float(data["radius"][i])

    def selected(self) -> str:
        """Name of the cluster that is marked; empty for none."""
        chosen, names = self.clusters.selected.indices, self.clusters.data["name"]
        return str(names[chosen[0]]) if chosen and chosen[0] < len(names) else ""

    def image(self, grid: Grid, image: np.ndarray, limits: tuple[float, float]) -> dict[str, list]:
        """Columns of the source behind a map; `limits` tell the hover what a level means."""
        return {**_box(grid, [image]), "low": [limits[0]], "high": [limits[1]]}


def frame(x_range: Range1d, y_range: Range1d, half: float, pixel: float) -> None:
    """Show −`half` … `half` [arcmin] on both axes; a wheel cannot flip or lose the map."""
    for axis in (x_range, y_range):
        # The page takes one change at a time: the last field's fences would hold the new view.
        axis.update(bounds=None, min_interval=None, max_interval=None)
        axis.update(start=-half, end=half, reset_start=-half, reset_end=half)
        axis.update(
            bounds=(-1.5 * half, 1.5 * half),
            min_interval=min(8 * pixel, half),
            max_interval=3 * half,
        )


def plane_columns(grid: Grid | None) -> dict[str, list]:
    """The tangent point [rad, arcmin] and the matrix from arcmin to standard coordinates [rad]."""
    names = ("ra0", "dec0", "x0", "y0", "xx", "xy", "yx", "yy")
    if grid is None or grid.wcs is None or not _is_tan(grid):
        return {name: [] for name in names}
    wcs = grid.wcs.wcs
    x0, y0 = grid.pixel_to_plane(wcs.crpix[0] - 1, wcs.crpix[1] - 1)
    matrix = np.deg2rad(grid.wcs.pixel_scale_matrix) / grid.pixel_scale
    ra0, dec0 = np.deg2rad(wcs.crval)
    return {k: [float(v)] for k, v in zip(names, (ra0, dec0, x0, y0, *matrix.flat), strict=True)}


def cluster_columns(circles: Circles | None) -> dict[str, list]:
    """The columns behind the circles."""
    names = ("x", "y", "radius", "name", "redshift", "mass")
    if circles is None:
        return {name: [] for name in (*names, "label")}
    label = [short(name) for name in circles.name]
    return {**{name: list(getattr(circles, name)) for name in names}, "label": label}


def short(name: str) -> str:
    """The name of a cluster without what all names of its list begin with."""
    return str(name).removeprefix("COSMOS ").removeprefix("X-ray cluster ").removeprefix("CL ")


def _is_tan(grid: Grid) -> bool:
    plain = grid.wcs.sip is None and grid.wcs.cpdis1 is None and grid.wcs.det2im1 is None
    return plain and grid.wcs.wcs.ctype[0].endswith("-TAN")


def _box(grid: Grid | None, image: list) -> dict[str, list]:
    if grid is None:
        return {name: [] for name in ("image", "x", "y", "dw", "dh")}
    left, bottom, right, top = grid.bounds
    return {"image": image, "x": [left], "y": [bottom], "dw": [right - left], "dh": [top - bottom]}
