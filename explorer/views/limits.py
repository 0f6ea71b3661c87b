"""Colours of each map: between which limits, and along which stretch, the State asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.elements.colors import palette, picture_limits
from explorer.elements.scale import Scale, around_zero
from explorer.own_limits import MAPS, REACH
from explorer.state import SPANS, USUAL_SHARE
from explorer.views.titles import FIXED, KAPPA_MAPS, SIGNED

if TYPE_CHECKING:
    import numpy as np

    from explorer.state import State

#: Choices that decide where the colours end, and how they lie between.
CHOICES = ["limit", "shared", "span", "low", "high", "own_limits", "stretch"]


def limits_of(state: State, name: str, image: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Values of the first and the last colour of the map `name`."""
    chosen = chosen_limits(state, name)
    if chosen is not None:
        return chosen
    share = SPANS[state.span] or USUAL_SHARE
    return picture_limits(image, mask, signed=name in SIGNED, share=share)


def chosen_limits(state: State, name: str) -> tuple[float, float] | None:
    """The limits of the map `name` that do not depend on its pixels, if there are such."""
    if name in FIXED:
        return FIXED[name]
    if name in state.own_limits and not _shares(state, name):
        low, high = state.own_limits[name]
        return low, high
    if name in KAPPA_MAPS and state.span == "typed" and state.low < state.high:
        return state.low, state.high
    if name in KAPPA_MAPS and state.span in ("limit", "typed") and state.shared:
        return -state.limit, state.limit
    return None


def take_limits(state: State, name: str, low: float, high: float) -> None:
    """Let the colours of the map `name`, and of all that share its limits, end there."""
    least, most = state.param.low.bounds if _shares(state, name) else (-REACH, REACH)
    low, high = (min(max(float(end), least), most) for end in (low, high))
    if name not in MAPS or not low < high:
        return
    if _shares(state, name):
        state.param.update(span="typed", low=low, high=high)
    else:
        state.own_limits = {**state.own_limits, name: [low, high]}


def usual_limits(state: State, name: str) -> None:
    """Give up the limits that were dragged on the bar of the map `name`, or typed for it."""
    if name in state.own_limits and not _shares(state, name):
        state.own_limits = {k: v for k, v in state.own_limits.items() if k != name}
    elif name in KAPPA_MAPS:
        state.reset("span", "low", "high")


def _shares(state: State, name: str) -> bool:
    return name in KAPPA_MAPS and state.shared


def stretch_of(state: State, name: str) -> str:
    """How the map `name` is stretched; one with fixed limits is not."""
    return "linear" if name in FIXED else state.stretch


def palette_of(state: State, name: str, limits: tuple[float, float], theme: str) -> list[str]:
    """Colours between `limits`: zero keeps the middle of the diverging ones."""
    signed = name in SIGNED
    colors = palette(kind_of(name), state.colors, theme)
    uneven = signed and name not in FIXED and limits[0] != -limits[1]
    if not uneven or not centred(state):
        return colors
    return around_zero(colors, *Scale(*limits, stretch_of(state, name)).ends)


def kind_of(name: str) -> str:
    """Which colours the map `name` takes."""
    return "kappa" if name in SIGNED else "spread"


def centred(state: State) -> bool:
    """Whether zero has the middle of the signed colours."""
    return state.colors == "diverging"
