"""A slider for a number among the choices, as wide as its card."""

from __future__ import annotations

import panel as pn
import param


def slider(
    choice: param.Number,
    label: str,
    low: float,
    high: float,
    step: float,
    *,
    throttled: bool = False,
) -> pn.widgets.FloatSlider:
    """It moves `choice` between `low` and `high`; `throttled` when it is let go, else at once."""
    return pn.widgets.FloatSlider.from_param(
        choice,
        label=label,
        start=low,
        end=high,
        step=step,
        throttled=throttled,
        sizing_mode="stretch_width",
        margin=0,
    )
