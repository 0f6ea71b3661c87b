"""Two maps in one place and their difference: three figures on the shared sky, one on another.

Each knows the values of all three, so the hover tells A, B and A − B wherever it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import CustomJSHover, HoverTool

from explorer.elements.colors import LEVELS
from explorer.elements.sky_map import SkyMap

if TYPE_CHECKING:
    from explorer.elements.sky import Sky
    from massgan_core.sky import Grid

NAMES = ("first", "second", "difference")
# The value of a picture at the mouse, which may be over the figure of another.
_THERE = f"""
const at = source.data
if (!at.image.length) return "–"
const [rows, columns] = at.image[0].shape
const row = Math.floor((special_vars.y - at.y[0]) / at.dh[0] * rows)
const column = Math.floor((special_vars.x - at.x[0]) / at.dw[0] * columns)
if (row < 0 || column < 0 || row >= rows || column >= columns) return "no value"
const found = at.image[0][row * columns + column]
const bytes = at.image[0] instanceof Uint8Array
if (bytes && found == 0 || isNaN(found)) return "no value"
const kappa = bytes ? at.low[0] + (found - 1) / {LEVELS - 1} * (at.high[0] - at.low[0]) : found
return (bytes ? "≈ " : "") + kappa.toFixed(4).replace("-", "−")
"""
_ROWS = {"first": ("A", "@image"), "second": ("B", "$sx"), "difference": ("A − B", "$sy")}


class CompareMap:
    """The figures of A, of B and of A − B; what is seen of which is up to the page.

    Args:
        sky: Ranges, mask and clusters shared by all maps of the page.
    """

    def __init__(self, sky: Sky) -> None:
        self.maps = {name: SkyMap(sky, f"compare-{name}", name) for name in NAMES}
        values = {
            name: CustomJSHover(args={"source": made.source}, code=_THERE)
            for name, made in self.maps.items()
        }
        for made in self.maps.values():
            hover = next(
                tool for tool in made.figure.select(HoverTool) if "@image" in tool.formatters
            )
            hover.update(
                tooltips=[
                    *[(label, f"{key}{{custom}}") for label, key in _ROWS.values()],
                    ("RA", "$x{custom}"),
                    ("Dec", "$y{custom}"),
                ],
                formatters={
                    **{key: values[name] for name, (_, key) in _ROWS.items()},
                    "$x": sky.ra,
                    "$y": sky.dec,
                },
            )

    def send(
        self,
        name: str,
        grid: Grid,
        image: np.ndarray | None,
        limits: tuple[float, float],
        *,
        exact: bool,
        note: str = "",
    ) -> None:
        """Show a picture, or a note where there is none; see :meth:`SkyMap.send`."""
        if image is None:
            self.maps[name].clear(note)
        else:
            self.maps[name].send(grid, image, limits, exact=exact)

    def orient(self, grid: Grid) -> None:
        """Name the axes of a field on `grid`."""
        for made in self.maps.values():
            made.orient(grid)

    def paint(self, theme: str, palettes: dict[str, list[str]], *, clusters: bool) -> None:
        """Take the colours of the page, for each picture its own."""
        for name, made in self.maps.items():
            made.paint(theme, palettes[name])
            made.show_clusters(clusters)
