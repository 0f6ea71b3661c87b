"""Cards, and what is put into them when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from explorer.widgets.calm import sheet


class Made(dict):
    """Things by name, each made when it is first asked for."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self._make(name)
        return self[name]


def panes(*parts: object) -> list[pn.viewable.Viewable]:
    """Panel's parts as they are, Bokeh figures in a pane as wide as their card."""
    return [
        part
        if isinstance(part, pn.viewable.Viewable)
        else pn.pane.Bokeh(part, sizing_mode="stretch_width", margin=0)
        for part in parts
    ]


def card(*parts: object, kind: str, **options: Any) -> pn.Column:
    """A card of the page; `kind` is one more class of its style."""
    return pn.Column(
        *panes(*parts),
        **options,
        css_classes=["mg-card", kind],
        stylesheets=[sheet("page")],
        sizing_mode="stretch_width",
        margin=0,
    )
