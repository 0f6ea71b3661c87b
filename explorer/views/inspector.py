"""The cluster inspector: is there mass at this X-ray cluster, and how sure are we?"""

from __future__ import annotations

from html import escape
from math import isfinite
from typing import TYPE_CHECKING

import panel as pn

from explorer.elements.histogram import Histogram
from explorer.elements.thumbnails import ROW, Thumbnails, cutout
from explorer.widgets.calm import TOKENS, sheet
from explorer.widgets.cards import panes
from explorer.widgets.texts import caption, heading, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from explorer.state import State
    from explorer.store import Circles
    from massgan_core.peaks import Inspection

NONE = "Choose a cluster, or click a circle"
WIDE = 3.0  #: half the width of a small map, in radii of the circle
LEAST_HALF = 8  #: and at least so many pixels
SENTENCE = "How much mass the samples put inside its radius, beside random places of that size."
SMALL = "The samples with most mass in the circle, and with least. Click one to see it large."
WAITING = "Choose a cluster and draw samples: they are asked about it when they pause or finish."


class Inspector:
    """A card with one cluster: choice, histogram, words, and the samples at both ends.

    Args:
        state: Which cluster.
        pick: Shows a sample large, by its number from 0.
    """

    def __init__(self, state: State, pick: Callable[[int], None]) -> None:
        self.state, self._pick, self.order, self.extremes = state, pick, [], []
        wide = {"sizing_mode": "stretch_width", "margin": 0}
        self.choice = pn.widgets.Select(label="X-ray cluster", options={NONE: ""}, **wide)
        self.choice.param.watch(self._on_choice, "value")
        self.histogram: Histogram | None = None  # made with the small maps, when first wanted
        self.thumbnails: Thumbnails | None = None
        self._theme, self._colors = "light", ["#000000"]
        self.words = text("")
        self.around = pn.widgets.Button(label="Study 20′ round it", visible=False, **wide)
        self.most = pn.widgets.Button(label="Sample with most", **wide)
        self.least = pn.widgets.Button(label="with least", **wide)
        for button, end in ((self.most, 0), (self.least, -1)):
            button.on_click(lambda _, end=end: self.order and pick(self.order[end]))
        self._buttons = pn.Column(
            self.most, self.least, css_classes=["mg-pair"], stylesheets=[sheet("page")], **wide
        )
        self._small = pn.Column(visible=False, **wide)
        self._results = pn.Column(
            css_classes=["mg-stack"], stylesheets=[sheet("page")], visible=False, **wide
        )
        self.layout = pn.Column(
            text(heading("Cluster", SENTENCE)),
            self.choice,
            self.words,
            self.around,
            self._results,
            css_classes=["mg-card", "mg-data"],
            stylesheets=[sheet("page")],
            visible=False,
            **wide,
        )
        self.show(None)

    def offer(self, circles: Circles | None) -> None:
        """The clusters of the open field, the most massive first."""
        self.layout.visible = circles is not None
        options = {NONE: ""}
        if circles is not None:
            for i in (-circles.mass).argsort(kind="stable"):
                known = isfinite(circles.mass[i])
                about = f" (z {circles.redshift[i]:.2f}, {circles.mass[i]:.0f} × 10¹³ M☉)"
                options[f"{circles.name[i]}{about * known}"] = str(circles.name[i])
        self.choice.options = options
        self.follow()

    def follow(self) -> None:
        """Take the State's choice, where the field has it."""
        known = self.choice.options.values()
        self.choice.value = self.state.cluster if self.state.cluster in known else ""
        self.around.visible = bool(self.state.cluster) and self.state.source == "cosmos"

    def show(self, found: Inspection | str | None) -> None:
        """What the samples say, or why they say nothing."""
        there = found is not None and not isinstance(found, str)
        self.order = found.order if there else []
        self._results.visible = there
        self._small.visible = False
        if not there:
            if self.histogram is not None:
                self.histogram.clear()
                self.thumbnails.clear()
            self.words.object = caption(found or WAITING)
            return
        if self.histogram is None:
            self._furnish()
        self.histogram.show(*found.histogram())
        self.words.object = f'<p class="quiet">{escape(sentence(found))}</p>'

    def _furnish(self) -> None:
        self.histogram, self.thumbnails = Histogram(), Thumbnails()
        self.thumbnails.source.selected.on_change("indices", self._on_thumbnail)
        self._small.objects = panes(text(caption(SMALL)), self.thumbnails.figure)
        self._results.objects = panes(self.histogram.figure, self._buttons, self._small)
        self.paint(self._theme, self._colors)

    def picture(
        self,
        sample: Callable[[int], np.ndarray],
        place: tuple[float, float],
        pixels: float,
        limits: tuple[float, float],
    ) -> None:
        """The samples at both ends as small maps.

        Args:
            sample: Gives the image [H, W] of a sample by its number from 0.
            place: Of the cluster: column and row.
            pixels: Radius of its circle.
            limits: Of the colours.
        """
        half = max(round(WIDE * pixels), LEAST_HALF)
        count = min(ROW, len(self.order) // 2)
        self.extremes = [*self.order[:count], *self.order[len(self.order) - count :][::-1]]
        images = [cutout(sample(i), *place, half) for i in self.extremes]
        self._small.visible = bool(images)
        if images:
            numbers = [i + 1 for i in self.extremes]
            self.thumbnails.show(images, numbers, pixels / (2 * half + 1), limits)

    def paint(self, theme: str, colors: list[str] | None = None) -> None:
        """Take the theme, and the colours of the small maps."""
        self._theme, self._colors = theme, colors or self._colors
        if self.histogram is not None:
            self.thumbnails.paint(theme, self._colors)
            self.histogram.paint(theme, TOKENS[theme]["accent"])

    def _on_thumbnail(self, attr: str, old: list[int], new: list[int]) -> None:
        if new and new[0] < len(self.extremes):
            self._pick(self.extremes[new[0]])

    def _on_choice(self, event: object) -> None:
        if event.new or self.state.cluster in self.choice.options.values():
            self.state.cluster = event.new


def sentence(found: Inspection) -> str:
    """The inspection in words."""
    n = len(found.kappa)
    spread = f" ± {found.std:.3f}" if n > 1 else ""
    return (
        f"Mean κ within r500: {found.mean:.3f}{spread} ({n} sample{'s' * (n > 1)}). In the mean "
        f"map {found.rank_of_mean:.0%} of random places of that size have less; in "
        f"{found.found:.0%} of the samples it is among the highest 5%."
    ).replace("-", "−")
