"""The maps that are shown, on one page for print: colour bars, sky coordinates, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from explorer.elements.figures import INK
from explorer.files import made, rows_of
from massgan_core import __version__

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from explorer.store import Circles
    from massgan_core.evaluating.plots.page import Page
    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField
    from massgan_core.survey import Clusters

DPI = 300
_SIDES = {1: 5.2, 2: 4.6, 3: 3.5}  # columns → side of a map, or its longer one [in]
_RIGHT, _GAP = 0.3, 0.65  # beside the maps [in]
_NAME, _TICKS, _BAR, _BAR_NAMES = 0.34, 0.3, 0.13, 0.5  # above and below a map [in]
_DRAWING = Lock()  # Matplotlib draws one figure at a time


@dataclass(frozen=True, eq=False)
class Panel:
    """One map as the page shows it."""

    image: np.ndarray  #: float32 [H, W]
    limits: tuple[float, float]
    title: str
    small: str  #: the word at the right of the title
    unit: str
    colors: list[str]
    signed: bool


def picture(
    ending: str, panels: Sequence[Panel], summary: Summary, circles: Circles | None
) -> bytes:
    """`panels` on one page, as a file.

    Args:
        ending: ``png`` or ``svg``.
        panels: At least one.
        summary: Whose maps they are; its provenance is written beside them.
        circles: X-ray clusters to draw; None for none.

    Raises:
        ValueError: No map is there.
        ImportError: Matplotlib is missing.
    """
    from massgan_core.evaluating.plots.page import check_page

    if not panels:
        raise ValueError("no map is shown that could be printed: choose one under Picture")
    clusters = None if circles is None else rows_of(circles)

    def write(path: Path) -> None:
        check_page(path)
        with _DRAWING:
            _page(panels, summary, clusters).save(path, dpi=DPI)

    return made(write, f"maps.{ending}")


def _page(panels: Sequence[Panel], summary: Summary, clusters: Clusters | None) -> Page:
    from massgan_core.evaluating.plots.page import Page, made_by
    from massgan_core.evaluating.plots.panels import LEFT, color_bar, mark, name_axes

    field = summary.field
    columns = min(len(panels), 2 if len(panels) in (2, 4) else 3)
    rows = -(-len(panels) // columns)
    height, width = field.grid.extent
    longest = _SIDES[columns]
    wide, tall = longest * min(1, width / height), longest * min(1, height / width)
    step = _NAME + tall + _TICKS + _BAR + _BAR_NAMES
    page = Page.of(
        field.name,
        f"{summary.n} sample{'s' * (summary.n > 1)}  ·  {made_by(summary.provenance)}",
        _caption(summary, clusters),
        width=LEFT + columns * wide + (columns - 1) * _GAP + _RIGHT,
        body=rows * step,
    )
    tops = [page.top + row * step + _NAME for row in range(rows)]
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        left = LEFT + column * (wide + _GAP)
        axes = page.axes(left, tops[row], wide, tall)
        drawn = _draw(axes, panel, field, left=column == 0, ruler=number == 0)
        if clusters is not None:
            mark(axes, clusters, field, _ink(panel))
        color_bar(page.axes(left, tops[row] + tall + _TICKS, wide, _BAR), drawn, panel.unit)
    name_axes(page, field, tops, tall)
    return page


def _draw(axes: Axes, panel: Panel, field: ShearField, *, left: bool, ruler: bool) -> AxesImage:
    """The map in the colours that it has on the page."""
    import torch
    from matplotlib.colors import ListedColormap

    from massgan_core.evaluating.plots.panels import Scale, draw_map

    title = f"{panel.title} ({panel.small})" if panel.small else panel.title
    scale = Scale(*panel.limits, panel.signed)
    image = torch.from_numpy(panel.image)
    drawn = draw_map(axes, image, field, scale, title=title, left=left, ruler=ruler)
    drawn.set_cmap(ListedColormap(panel.colors).with_extremes(bad=(0, 0, 0, 0)))
    return drawn


def _ink(panel: Panel) -> str:
    """Colour of circles that can be seen on the middle of the colours."""
    code = panel.colors[len(panel.colors) // 2]
    red, green, blue = (int(code[i : i + 2], 16) for i in (1, 3, 5))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 110
    return "white" if dark else INK["light"]["ink"]


def _caption(summary: Summary, clusters: Clusters | None) -> str:
    words = [
        "κ, the convergence, is projected mass without a unit; 0 is the mean of the field. "
        "Hatched: not observed. Pointed ends of a colour bar: values lie beyond."
    ]
    if clusters is not None:
        words.append("Circles: clusters of galaxies, radius r500; no method was told of them.")
    return " ".join([*words, f"MassGAN {__version__}."])
