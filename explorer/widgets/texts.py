"""Words on the page: headings, captions, colour bars, the progress line, the alert."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

import panel as pn

from explorer.elements.colors import gradient
from explorer.widgets.calm import sheet

if TYPE_CHECKING:
    from bokeh.model import Model

DRAG = "Drag an end to move a limit, the middle to move both. Double-click: the usual limits."
_ZONES = "".join(
    f'<b class="{kind}" data-part="{part}"></b>'
    for kind, part in (("end", "low"), ("middle", "both"), ("end", "high"))
)


class Words(pn.pane.HTML):
    """HTML that sends its words alone when they change.

    Panel sends the style sheets again, as new models: Bokeh then walks through the whole page,
    twenty times the work of the words themselves.
    """

    def _update(self, ref: str, model: Model) -> None:
        model.text = self._transform_object(self.object)["object"]


def text(html: str, **params: Any) -> pn.pane.HTML:
    """A piece of our own HTML in the page's type."""
    params = {"margin": 0, "sizing_mode": "stretch_width", **params}
    return Words(html, stylesheets=[sheet("text")], **params)


def step(number: int, title: str) -> pn.pane.HTML:
    """Heading of a numbered step."""
    return text(f'<div class="step"><b>{number}</b>{escape(title)}</div>')


def heading(title: str, sentence: str, small: str = "") -> str:
    """Title of a map, a word at its right, and one plain sentence below."""
    line = f'<div class="title">{escape(title)}<small>{escape(small)}</small></div>'
    return line + caption(sentence)


def caption(sentence: str) -> str:
    """One plain sentence."""
    return f'<p class="caption">{escape(sentence)}</p>'


def color_bar(
    colors: list[str],
    limits: tuple[float, float] | None,
    unit: str,
    drag: Mapping[str, str] | None = None,
) -> str:
    """The colour bar below a map, aligned with its frame; without numbers for an empty map.

    `drag` names what :class:`explorer.widgets.color_bars.ColorBars` has to recolour.
    """
    ends = ("", "") if limits is None else map(number, limits)
    low, high = ends
    marks = "".join(f"<span>{mark}</span>" for mark in (low, escape(unit), high))
    shades = gradient(colors, 16 if len(colors) < 256 else 64)  # a stretched map has more
    held = zones = ""
    if drag is not None and limits is not None:
        known = {**drag, "low": f"{limits[0]!s}", "high": f"{limits[1]!s}"}
        held = "".join(f' data-{key}="{escape(value)}"' for key, value in known.items())
        zones = f'<p title="{DRAG}">{_ZONES}</p>'
    return (
        f'<div class="bar"{held}><i style="background: {shades}"></i>{zones}'
        f"<div>{marks}</div></div>"
    )


def code(lines: str) -> str:
    """Python to take away."""
    return (
        "<details><summary>This run as Python</summary>"
        f'<pre id="massgan-code">{escape(lines)}</pre></details>'
    )


def number(value: float) -> str:
    """A limit as people write it: a true minus, no trailing zeros."""
    return f"{value:.3g}".replace("-", "−")


def status(
    phase: str,
    n: int,
    total: int,
    frame: int,
    *,
    rate: float,
    remaining: float,
    seconds: float,
    kept: int,
    ahead: int = 0,
) -> str:
    """The progress line; its data attributes tell tests and scripts where the page stands."""
    of = f"{n} of {total} samples"
    # Samples that another session has drawn come at hundreds a second: not 1.4e+02.
    number = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
    speed = f"{number} samples/s" if rate else ""
    left, right = {
        "empty": ("Choose a field", ""),
        "opening": ("Opening the field …", ""),
        "idle": ("Ready – press Start to draw samples", ""),
        "running": (
            f"Sampling: {of}" if n else waiting(ahead),
            " · ".join(part for part in (speed, left_over(remaining)) if part),
        ),
        "paused": (f"Paused at {of}", speed),
        "finished": (f"Finished: {n} samples in {duration(seconds)}", speed),
        "stopped": (f"Stopped at {of}", speed),
        "failed": (f"Failed at {of}", ""),
    }[phase]
    if kept < n:
        right = " · ".join(part for part in (f"keeping the last {kept} of {n}", right) if part)
    share = 100 * n / total if total else 0
    return (
        '<div class="status" id="massgan-status" role="progressbar" aria-label="Progress" '
        f'aria-valuemin="0" aria-valuemax="{total}" aria-valuenow="{n}" '
        f'data-state="{phase}" data-n="{n}" data-total="{total}" data-frame="{frame}">'
        f'<div class="line"><strong>{left}</strong><span class="quiet">{right}</span></div>'
        f'<div class="track"><i style="width: {share:.2f}%"></i></div></div>'
    )


def waiting(ahead: int) -> str:
    """Before the first samples: all sessions share one sampler."""
    if not ahead:
        return "Drawing the first samples …"
    return f"Waiting: {ahead} session{'s' * (ahead > 1)} ahead of you"


def left_over(seconds: float) -> str:
    """Time left in words; nothing while it is unknown."""
    return f"{duration(seconds)} left" if isfinite(seconds) else ""


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if 0 < seconds < 1:
        return "less than 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def alert(sentence: str) -> str:
    """What went wrong, in the library's own sentence."""
    return f'<div class="alert" role="alert">{escape(sentence)}</div>' if sentence else ""
