"""Colours of each map: between which limits, and along which stretch, the State asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.elements.colors import palette, picture_limits
from explorer.elements.scale import around_zero
from explorer.state import SPANS, USUAL_SHARE
from explorer.views.titles import FIXED, KAPPA_MAPS, SIGNED

if TYPE_CHECKING:
    import numpy as np

    from explorer.state import State


def limits_of(state: State, name: str, image: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Values of the first and the last colour of the map `name`."""
    if name in FIXED:
        return FIXED[name]
    if name in KAPPA_MAPS and state.span == "typed" and state.low < state.high:
        return state.low, state.high
    if name in KAPPA_MAPS and state.span in ("limit", "typed") and state.shared:
        return -state.limit, state.limit
    share = SPANS[state.span] or USUAL_SHARE
    return picture_limits(image, mask, signed=name in SIGNED, share=share)


def stretch_of(state: State, name: str) -> str:
    """How the map `name` is stretched; one with fixed limits is not."""
    return "linear" if name in FIXED else state.stretch


def palette_of(state: State, name: str, limits: tuple[float, float], theme: str) -> list[str]:
    """Colours between `limits`: zero keeps the middle of the diverging ones."""
    signed = name in SIGNED
    colors = palette("kappa" if signed else "spread", state.colors, theme)
    uneven = signed and name not in FIXED and limits[0] != -limits[1]
    return around_zero(colors, *limits) if uneven and state.colors == "diverging" else colors
