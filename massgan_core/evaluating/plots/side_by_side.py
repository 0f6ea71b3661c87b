"""Any maps of one field in a row, as a notebook shows them; maps of κ share one colour scale."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluating.plots.page import SLIDE, Page, need_matplotlib
from massgan_core.evaluating.plots.panels import (
    LEFT,
    Circles,
    Scale,
    color_bar,
    draw_map,
    name_axes,
)
from massgan_core.sky import ShearField

CAPTION = "κ, the convergence, is projected mass without a unit. Hatched: not observed."
MOST = 4  #: maps in a row

_RIGHT, _GAP = 0.2, 0.4  # beside the maps [in]
_NAME, _TICKS, _BAR, _BAR_NAMES = 0.34, 0.3, 0.13, 0.5  # above and below a map [in]
_TALLEST = 4.6  # height of a map [in]


def side_by_side(
    field: ShearField,
    maps: Mapping[str, Float[Tensor, "H W"]],
    *,
    title: str = "",
    caption: str = CAPTION,
    clusters: Circles | None = None,
) -> Page:
    """A picture of maps of one field; the last line of a cell shows it.

    Maps with a sign share the colours of one scale about zero. Maps without one, standard
    deviations, share another that begins at zero.

    Args:
        field: Whose grid and footprint count.
        maps: By their titles.
        title: First line.
        caption: Below the maps.
        clusters: Drawn as circles of radius r500, where they lie in the footprint.

    Raises:
        ValueError: No map, more than `MOST`, or one of another shape.
        ImportError: Matplotlib is missing.
    """
    need_matplotlib()
    _check(field, maps)
    area = field.footprint
    spread = {name for name, image in maps.items() if bool((image[area] >= 0).all())}
    signed = [image for name, image in maps.items() if name not in spread]
    scale = Scale.of(signed, area) if signed else None
    above = [image for name, image in maps.items() if name in spread]
    high = Scale.of(above, area, signed=False).high if above else 1.0
    height, width = field.grid.extent
    wide = (SLIDE - LEFT - _RIGHT - (MOST - 1) * _GAP) / MOST
    if len(maps) < MOST:  # fewer maps are larger
        wide = min((SLIDE - LEFT - _RIGHT - (len(maps) - 1) * _GAP) / len(maps), _TALLEST)
    tall = wide * height / width
    page = Page.of(
        title or field.name,
        "",
        caption,
        width=LEFT + len(maps) * wide + (len(maps) - 1) * _GAP + _RIGHT,
        body=_NAME + tall + _TICKS + _BAR + _BAR_NAMES,
    )
    top = page.top + _NAME
    for column, (name, image) in enumerate(maps.items()):
        left, first = LEFT + column * (wide + _GAP), column == 0
        own = Scale(0.0, high, signed=False) if name in spread else scale
        axes = page.axes(left, top, wide, tall)
        drawn = draw_map(
            axes, image, field, own, title=name, clusters=clusters, left=first, ruler=first
        )
        unit = "standard deviation of κ" if name in spread else "convergence κ"
        color_bar(page.axes(left, top + tall + _TICKS, wide, _BAR), drawn, unit)
    name_axes(page, field, [top], tall)
    return page


def _check(field: ShearField, maps: Mapping[str, Tensor]) -> None:
    if not 1 <= len(maps) <= MOST:
        raise ValueError(f"`maps` must hold 1 to {MOST} maps, got {len(maps)}")
    for name, image in maps.items():
        if tuple(image.shape) != field.grid.shape:
            raise ValueError(
                f"map {name!r} must have the field's shape {field.grid.shape}, "
                f"got {tuple(image.shape)}"
            )
