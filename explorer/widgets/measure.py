"""Small parts of the section that measures: boxes and texts in its look."""

from __future__ import annotations

from typing import Any

import panel as pn

from explorer.widgets.calm import sheet
from explorer.widgets.texts import text


def measured(html: str = "") -> pn.pane.HTML:
    """A piece of HTML in which tables of regions and facts have their look."""
    made = text(html)
    made.stylesheets = [*made.stylesheets, sheet("measure")]
    return made


def column(*parts: object, kind: str, **options: Any) -> pn.Column:
    """A box of the page; `kind` are the classes of its style."""
    return pn.Column(
        *parts,
        css_classes=kind.split(),
        stylesheets=[sheet("page"), sheet("measure")],
        sizing_mode="stretch_width",
        margin=0,
        **options,
    )


def put(part: pn.pane.HTML, html: str) -> None:
    """Show `html`, unless it is there."""
    if part.object != html:
        part.object = html
