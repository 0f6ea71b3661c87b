"""What a person chooses of clusters and peaks: lists, ranges, positions of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel as pn

from explorer.positions import LISTS
from explorer.widgets.dropper import Dropper
from explorer.widgets.slider import slider
from explorer.widgets.texts import text
from explorer.widgets.tick import Tick

if TYPE_CHECKING:
    from explorer.census import Census
    from explorer.state import State

HINT = "149.92 2.51 my cluster\n10:00:28 +02:12:21"


def list_choices(state: State, about: pn.pane.HTML) -> list:
    """Which clusters, and how they are drawn; `about` says where the list is from."""
    widgets = pn.widgets
    return [
        text('<div class="step">Clusters</div>'),
        widgets.Select.from_param(state.param.catalog, label="List", options=LISTS, **_WIDE),
        about,
        _range("Redshift", (0.0, 1.5), 0.05, "redshifts", state),
        _range("M500 [10¹³ M☉]", (0.0, 30.0), 0.5, "masses", state),
        Tick.from_param(state.param.clusters, label="Circles of r500", **_WIDE),
        Tick.from_param(state.param.labels, label="Names", **_WIDE),
    ]


def peak_choices(state: State) -> list:
    """Which peaks, and how near those of the samples have to be."""
    return [
        text('<div class="step">Peaks</div>'),
        Tick.from_param(state.param.peaks, label="Diamonds on the maps", **_WIDE),
        slider(state.param.peak_height, "κ of a peak at least", 0.0, 0.1, 0.005, throttled=True),
        slider(state.param.peak_radius, "Within [′]", 0.5, 5.0, 0.25, throttled=True),
    ]


class Mine:
    """Positions of one's own, pasted or in a file."""

    def __init__(self, census: Census) -> None:
        self.census = census
        self.pasted = pn.widgets.TextAreaInput(
            label="RA, Dec and a name, one a line",
            placeholder=HINT,
            description="Degrees, or hours and degrees as 10:00:28 +02:12:21. The circle is 1′.",
            max_length=100_000,
            rows=3,
            **_WIDE,
        )
        take = pn.widgets.Button(label="Show these", **_WIDE)
        take.on_click(lambda _: census.paste(self.pasted.value_input or self.pasted.value or ""))
        dropper = Dropper(
            census.receive,
            lambda: None,
            label="Or a file: CSV, FITS, VOTable, up to 1 MB",
            max_file_size="1MB",
            multiple=False,
            **_WIDE,
        )
        title = text('<div class="step">My positions</div>')
        #: From top to bottom.
        self.parts = [title, self.pasted, take, *([dropper] if census.takes else [])]


def _range(
    label: str, ends: tuple[float, float], step: float, name: str, state: Any
) -> pn.widgets.RangeSlider:
    """A range of the State, for which all of the slider is None: no limit."""
    start, end = ends
    chosen = getattr(state, name)
    slider = pn.widgets.RangeSlider(
        label=label, start=start, end=end, step=step, value=chosen or ends, **_WIDE
    )

    def take(event: Any) -> None:
        setattr(state, name, None if tuple(event.new) == ends else tuple(event.new))

    def follow(event: Any) -> None:
        slider.value = event.new or ends

    slider.param.watch(take, "value_throttled")
    state.param.watch(follow, name)
    return slider


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
