"""The maps: what was seen, what a textbook makes of it, what the posterior says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import panel as pn

from explorer.elements.sky import Sky, cluster_columns
from explorer.elements.sky_map import SkyMap
from explorer.recipes import BLURRED, BOUNDS, SEEN, TRUTHS
from explorer.views.bars import grip, listener, repaint
from explorer.views.field_tools import HolesCard
from explorer.views.galaxies import GalaxyCard
from explorer.views.inspector import Inspector
from explorer.views.limits import limits_of, palette_of, stretch_of
from explorer.views.posterior import Posterior
from explorer.views.titles import (
    EMPTY,
    GUIDE,
    POSTERIOR,
    SIGNED,
    TITLES,
    UNITS,
)
from explorer.widgets.calm import sheet
from explorer.widgets.cards import Made, card, panes
from explorer.widgets.texts import caption, code, color_bar, heading, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from explorer.blurring import Soft
    from explorer.state import State
    from explorer.store import Chance, Circles, Promise, Store
    from massgan_core.peaks import Inspection
    from massgan_core.posterior import Summary


class Maps:
    """All pictures of one page; arrays come in, nothing is computed."""

    def __init__(self, state: State) -> None:
        self.state, self.sky, self.grid = state, Sky(), None
        self.maps = Made(self._make)
        self.galaxy_card, self.inspector = GalaxyCard(state), Inspector(state, self.pick)
        self.galaxies = self.galaxy_card.map
        self.holes = HolesCard(state, self.sky)
        self._images: dict[str, np.ndarray] = {}
        self.posterior = Posterior(state)
        self.player = self.posterior.player
        self._truth_known = False
        self._mask = np.zeros((0, 0), bool)
        self._code = text("")
        self._words = {name: text("") for name in TITLES}
        self._small = dict.fromkeys(TITLES, "")
        self._bars, self.bars = {name: text("") for name in TITLES}, listener(state)
        self._promise = text("", visible=False)
        self.cards = {
            "galaxies": self.galaxy_card.layout,
            **{
                name: card(kind="mg-data" if name == "truth" else "mg-map", visible=False)
                for name in TITLES
            },
            "holes": self.holes.layout,
            "cluster": self.inspector.layout,
            "guide": card(text(GUIDE), self._code, kind="mg-guide"),
        }
        self.layout = pn.Column(
            *self.cards.values(),
            self.bars,
            css_classes=["mg-maps"],
            stylesheets=[sheet("page")],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.paint()
        self.show_code()
        self.show_field(None)

    def _make(self, name: str) -> SkyMap:
        """A map when it is first wanted: a figure costs much, most are never looked at."""
        made = SkyMap(self.sky, name, UNITS.get(name, "κ"))
        made.paint(self.state.theme, self._palette(name))
        made.show_clusters(self.state.clusters)
        self._mark(made)
        made.clear(EMPTY.get(name, ""))
        if self.grid is not None:
            made.orient(self.grid)
        self._label(name, "")
        self._bars[name].object = color_bar(self._palette(name), None, UNITS.get(name, "κ"))
        self.cards[name].objects = panes(
            self._words[name],
            made.figure,
            self._bars[name],
            *{"std": [self._promise], "sample": [self.player]}.get(name, []),
        )
        return made

    def show_field(self, store: Store | None) -> None:
        """Frame the open field and show what is known before the first sample."""
        field = None if store is None else store.field
        self._images.clear()
        real_cosmos = self.state.source == "cosmos"
        simulated = self.state.source == "simulated"
        known = simulated if field is None else store.truth is not None
        self._truth_known = known and not real_cosmos
        self.show_summary(None, exact=True)
        self.choose()
        self.inspector.offer(None if field is None else store.circles)
        if field is None:
            self._forget("truth", *SEEN)
            return
        self.grid, self._mask = field.grid, store.footprint
        self.sky.show(field.grid, store.footprint, store.circles)
        self.sky.select(self.state.cluster)
        self.holes.orient(on_sky=field.grid.wcs is not None)
        for sky_map in self.maps.values():
            sky_map.orient(field.grid)
        self._forget(*SEEN)
        self.show_seen(store.seen)
        if store.truth is not None:
            self._put("truth", store.truth, exact=True)
            self._label("truth", "known, for once")

    def _forget(self, *names: str) -> None:
        for name in names:
            if name in self.maps:
                self.maps[name].clear("")

    def mark(self, box: tuple[float, float, float, float] | None) -> None:
        """Outline the chosen region on the galaxies."""
        self.galaxies.mark(box)

    def show_seen(self, images: dict[str, np.ndarray]) -> None:
        """The maps made of the field alone, those that changed."""
        for name, image in images.items():
            if self._images.get(name) is not image and name in self.state.pictures:
                self._put(name, image, exact=True)
                blurred = f"blurred by {self.state.smoothing:g}′"
                self._label(name, "" if name == "wiener" else blurred)

    def choose(self) -> None:
        """Show the maps that are chosen, as far as there is something to show."""
        self.cards["galaxies"].visible = self.state.source == "cosmos"
        lost = {*self.state.hidden(), *(() if self._truth_known else TRUTHS)}
        for name in TITLES:
            place, chosen = self.cards[name], name in self.state.pictures and name not in lost
            if chosen:
                self.maps[name]  # there from now on
            changed, place.visible = chosen != place.visible, chosen
            # One that was hidden may have missed samples.
            if changed and name in POSTERIOR:
                self._show(name)

    def show_summary(
        self,
        summary: Summary | None,
        *,
        exact: bool,
        chance: Chance | None = None,
        beforehand: bool = False,
    ) -> None:
        """The chosen maps of the posterior; `exact` float32 at rest, light frames while live.

        Samples drawn `beforehand` are said to be.
        """
        self.posterior.take(summary, exact=exact, beforehand=beforehand)
        self.posterior.chance = chance
        for name in POSTERIOR:
            self._show(name)

    def show_chance(self, chance: Chance | None) -> None:
        """In how many samples κ exceeds the threshold."""
        self.posterior.chance = chance
        self._show("chance")

    def show_fit(self, image: np.ndarray | None) -> None:
        """How the measured shear lies from that of the samples."""
        self.posterior.fit = image
        self._show("fit")

    def show_blurred(self, found: dict[str, Soft], *, again: bool = False) -> None:
        """The blurred maps of the samples that are new; `again`: all, as after another blur."""
        old, self.posterior.blurred = self.posterior.blurred, found
        for name in (*BLURRED, *BOUNDS):
            new = found.get(name) is not old.get(name)
            if again or new or name in BOUNDS:
                self._show(name)
        self._say_promise()

    def show_promise(self, promise: Promise | None) -> None:
        """What the spread is worth, below its map, and the interval, if there is one."""
        self.posterior.worth = promise
        self._say_promise()
        for name in BOUNDS:
            self._show(name)

    def _say_promise(self) -> None:
        words = self.posterior.promise
        self._promise.param.update(object=caption(words), visible=bool(words))

    def show_sample(self) -> None:
        """The sample that the player is at, unless it is there."""
        if self.posterior.played != self.posterior.to_play:
            self._show("sample")

    def _show(self, name: str) -> None:
        """A map of the posterior, if it is chosen and there."""
        posterior = self.posterior
        found = posterior.picture(name) if self.cards[name].visible else None
        if found is None:
            if not (posterior.awaited(name) and name in self._images):  # that stays until then
                self._empty(name, posterior.note(name))
            return
        image, small = found
        # The sample is played in light frames, and looked at in exact ones.
        playing = name == "sample" and self.player.direction != 0
        if name == "sample":
            posterior.played = posterior.to_play
        self._put(name, image, exact=posterior.exact and not playing)
        self._label(name, small)

    def _empty(self, name: str, note: str) -> None:
        known = self._images.pop(name, None) is not None
        if name not in self.maps or not known and self.maps[name].note == note:
            return  # nothing to send
        self.maps[name].clear(note)
        self._label(name, "")
        self._bar(name)

    def show_marks(self) -> None:
        """Peaks and names on the maps, as chosen."""
        for sky_map in self.maps.values():
            self._mark(sky_map)

    def _mark(self, sky_map: SkyMap) -> None:
        labels = self.state.labels and self.state.clusters
        sky_map.show_marks(peaks=self.state.peaks, labels=labels)

    def show_circles(self, circles: Circles | None, around: Circles | None) -> None:
        """Other clusters on the maps, and `around` on the galaxies."""
        self.sky.show_circles(circles)
        self.galaxies.clusters.data = cluster_columns(around)
        self.inspector.offer(circles)
        self.show_cluster()

    def show_cluster(self) -> None:
        """Mark the chosen cluster on all maps."""
        self.sky.select(self.state.cluster)
        self.inspector.follow()

    def show_inspection(self, found: Inspection | str | None) -> None:
        """What the samples say of it."""
        self.inspector.show(found)
        at, summary = self.sky.place(self.state.cluster), self.summary
        known = summary is not None and summary.kept == len(self.inspector.order)
        if known and at is not None:
            column, row = self.grid.plane_to_pixel(*at[:2])
            radius = at[2] / self.grid.pixel_scale
            limits = -self.state.limit, self.state.limit
            kept = self._sample_of(summary)
            self.inspector.picture(kept, (float(column), float(row)), radius, limits)

    def _sample_of(self, summary: Summary) -> Callable[[int], np.ndarray]:
        return lambda i: np.where(self._mask, summary.sample(i).numpy(), np.nan)

    def pick(self, number: int) -> None:
        """Show a kept sample, by its number from 0."""
        self.player.value = number + 1

    def restretch(self) -> None:
        """New limits for the pictures that are there."""
        for name, image in list(self._images.items()):
            self._put(name, image, exact=self.posterior.exact or name not in POSTERIOR)

    def paint(self) -> None:
        """Take the theme and the colours of the State."""
        theme = self.state.theme
        for name, sky_map in self.maps.items():
            sky_map.paint(theme, self._palette(name))
            sky_map.show_clusters(self.state.clusters)
            self._bar(name)
        repaint(self.bars, self.state)
        self.sky.overlays.paint(theme)
        self.holes.paint()
        self.inspector.paint(theme, self._palette("sample"))
        self.galaxy_card.paint()

    def show_code(self) -> None:
        """The present choices as a few lines of Python."""
        self._code.object = code(self.state.code())

    @property
    def summary(self) -> Summary | None:
        """The samples whose maps are shown."""
        return self.posterior.summary

    def shown(self) -> dict[str, tuple[np.ndarray, tuple[float, float], str]]:
        """The maps that can be seen now: image, limits, and the word at the right of the title."""
        seen = [name for name in self._images if self.cards[name].visible]
        return {k: (self._images[k], self.maps[k].limits, self._small[k]) for k in seen}

    def _put(self, name: str, image: np.ndarray, *, exact: bool) -> None:
        self._images[name] = image
        limits = limits_of(self.state, name, image, self._mask)
        how = {"stretch": stretch_of(self.state, name), "signed": name in SIGNED}
        self.maps[name].send(self.grid, image, limits, exact=exact, **how)
        self.maps[name].recolor(self._palette(name))
        self._bar(name)

    def _palette(self, name: str) -> list[str]:
        # A map that is only being made has no limits yet.
        known = name in self._images and name in self.maps
        limits = self.maps[name].limits if known else (-1.0, 1.0)
        return palette_of(self.state, name, limits, self.state.theme)

    def colors(self, name: str, theme: str) -> list[str]:
        """Colours of a map that is shown, in even steps of its value."""
        scale = self.maps[name].scale
        return scale.colors(palette_of(self.state, name, scale.limits, theme))

    def _label(self, name: str, small: str) -> None:
        self._small[name] = small
        self._words[name].object = heading(*TITLES[name], small)

    def _bar(self, name: str) -> None:
        known = name in self._images
        limits = self.maps[name].limits if known else None
        colors = self.colors(name, self.state.theme) if known else self._palette(name)
        held = grip(name, self.maps[name]) if known else None
        self._bars[name].object = color_bar(colors, limits, UNITS.get(name, "κ"), held)
