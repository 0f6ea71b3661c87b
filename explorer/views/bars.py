"""What the colour bars of a page tell, and what they have to know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from explorer.elements.colors import palette
from explorer.own_limits import MAPS
from explorer.views.limits import centred, kind_of, take_limits, usual_limits
from explorer.widgets.color_bars import ColorBars

if TYPE_CHECKING:
    from explorer.elements.sky_map import SkyMap
    from explorer.state import State


def listener(state: State) -> ColorBars:
    """Moves the limits of `state` as bars are dragged; one for each page."""
    return ColorBars(partial(take_limits, state), partial(usual_limits, state))


def repaint(bars: ColorBars, state: State) -> None:
    """Take the colours of the State."""
    shades = {kind: palette(kind, state.colors, state.theme) for kind in ("kappa", "spread")}
    bars.param.update(palettes=shades, centred=centred(state))


def grip(name: str, sky_map: SkyMap) -> dict[str, str] | None:
    """What is moved with the bar of the map `name`; None for one that nobody moves."""
    if name not in MAPS:
        return None
    models = {"source": sky_map.source.id, "mapper": sky_map.mapper.id}
    return {"map": name, "kind": kind_of(name), **models}
