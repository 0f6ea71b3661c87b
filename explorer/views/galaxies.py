"""The card of the COSMOS galaxies: each of them, how many there are, how they are stretched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.elements.galaxies import CROWD, GalaxyMap
from explorer.elements.sky import cluster_columns
from explorer.views.titles import GALAXIES
from explorer.widgets.calm import TOKENS
from explorer.widgets.cards import card
from explorer.widgets.named import Segments
from explorer.widgets.texts import color_bar, heading, text

if TYPE_CHECKING:
    from explorer.state import State
    from explorer.store import GalaxyPicture

LABELS = {"Galaxies": "galaxies", "Depth": "depth", "Mean shear": "shear"}


class GalaxyCard:
    """The map, its words, its colour bar, and which of its layers is shown."""

    def __init__(self, state: State) -> None:
        self.state, self.map = state, GalaxyMap()
        self._picture: GalaxyPicture | None = None
        self._words, self._bar = text(heading(*GALAXIES[state.layer])), text("")
        layer = Segments.from_param(
            state.param.layer,
            options=LABELS,
            label="What the map shows",
            sizing_mode="stretch_width",
            margin=(0, 0, 8, 0),
        )
        self.layout = card(self._words, layer, self.map.figure, self._bar, kind="mg-data")

    def show(self, picture: GalaxyPicture) -> None:
        """The galaxies and the clusters among them."""
        self._picture = picture
        layer = picture.layers[self.state.layer]
        self.map.show(layer, picture.half, cluster_columns(picture.circles))
        self._say()

    def show_layer(self) -> None:
        """The layer that the State names."""
        if self._picture is not None:
            self.map.show_layer(self._picture.layers[self.state.layer])
        self._say()

    def paint(self) -> None:
        """Take the theme of the State, and whether it shows clusters."""
        theme = self.state.theme
        self.map.paint(theme, TOKENS[theme]["accent"])
        self.map.circles.visible = self.state.clusters
        self._say()

    def _say(self) -> None:
        picture, name = self._picture, self.state.layer
        small = f"{picture.number:,}" if picture and name == "galaxies" else ""
        self._words.object = heading(*GALAXIES[name], small)
        layer = picture.layers[name] if picture else None
        high, unit = (layer.high, layer.unit) if layer else (CROWD, "galaxies per cell")
        self._bar.object = color_bar(self.map.mapper.palette, (0, high), unit)
