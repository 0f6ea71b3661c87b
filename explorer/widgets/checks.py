"""Small parts of the checks: a heading that explains itself, and a legend in HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import panel as pn

from explorer.elements.curves import BAND, COLORS, DASHES, Layer
from explorer.widgets.calm import sheet
from explorer.widgets.texts import caption, text


def pane(html: str = "") -> pn.pane.HTML:
    """A piece of HTML in which question marks and legends have their look."""
    made = text(html)
    made.stylesheets = [*made.stylesheets, sheet("checks")]
    return made


def explained(title: str, sentence: str, what: str) -> str:
    """Title, a question mark that explains on hover or focus, and one plain sentence."""
    mark = (
        f'<span class="what" tabindex="0" role="note" aria-label="{escape(what)}">?'
        f'<span class="tip" aria-hidden="true">{escape(what)}</span></span>'
    )
    return f'<div class="title">{escape(title)}{mark}</div>{caption(sentence)}'


def legend(layers: Iterable[Layer], theme: str) -> str:
    """What each line, band and bar stands for."""
    marks = "".join(
        f"<span>{_swatch(layer, COLORS[theme][layer.role])}{escape(layer.label)}</span>"
        for layer in layers
    )
    return f'<div class="legend">{marks}</div>'


def _swatch(layer: Layer, color: str) -> str:
    if layer.kind in ("band", "bars"):
        opacity = BAND if layer.kind == "band" else 0.6
        drawn = f'<rect width="18" height="10" fill="{color}" fill-opacity="{opacity}"/>'
    else:
        dashes = DASHES[layer.kind]
        dashes = "" if dashes == "solid" else " ".join(map(str, dashes))
        drawn = (
            f'<path d="M0 5H18" stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
        if layer.kind == "points":
            drawn += f'<circle cx="9" cy="5" r="3.2" fill="{color}"/>'
    return f'<svg width="18" height="10" aria-hidden="true">{drawn}</svg>'
