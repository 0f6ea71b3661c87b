"""A matplotlib figure as a drawing inside a page."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from massgan_core.evaluating.report.palette import themed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def to_svg(figure: Figure, salt: str) -> str:
    """A drawing for a page: with its text as text, themed, and without what only files need."""
    from matplotlib import rc_context

    text = StringIO()
    # The two settings that savefig does not take; they are put back.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(text, format="svg", facecolor="none", edgecolor="none")
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", svg)  # the same in every drawing; none refers to
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg, count=1)
    svg = svg.replace("xlink:href", "href")
    return themed(re.sub(r">\s+<", "><", svg))
