"""One page: header, steps, progress line, maps; shown in one browser tab or notebook cell.

The Runner may be faster than the page can draw. The page says which frame it has drawn, and a
live frame is only sent after the last one was; a resting picture is always sent, exact.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import panel as pn
from panel.io.notebook import push_on_root
from panel.links import Callback

from explorer.parts import region_round
from explorer.positions import catalog
from explorer.views.blurs import Blurs
from explorer.views.clusters import Clusters
from explorer.views.compare import Compare
from explorer.views.diagnostics import Diagnostics
from explorer.views.lesson import LessonView
from explorer.views.limits import CHOICES
from explorer.views.maps import Maps
from explorer.views.overlays import Overlays
from explorer.views.pressing import press
from explorer.views.race import RaceView
from explorer.views.regions import Measure
from explorer.views.sending import held
from explorer.views.sidebar import Sidebar
from explorer.views.takeaway import TakeAway
from explorer.widgets.arrival import Arrival
from explorer.widgets.calm import Calm, sheet, tokens
from explorer.widgets.keys import Keys, key_sheet
from explorer.widgets.texts import alert, status, text

if TYPE_CHECKING:
    from explorer.viewer import Explorer

PATIENCE = 10.0  #: after this long [s] without word from the page the next frame goes out anyway


class Page:
    """Shows the Explorer's state, store and runner; holds no results."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.document = explorer, pn.state.curdoc
        self.frame = 0
        self._shown: object = None
        self._field: object = None
        self._exact, self._queued, self._sent_at = True, False, 0.0
        self.maps, self.sidebar = Maps(explorer.state), Sidebar(explorer)
        self.overlays = Overlays(explorer, self.maps, self.sidebar.tools, self.deliver)
        self.takeaway = TakeAway(explorer, self.maps, self.deliver)
        self.maps.layout.append(self.takeaway.layout)
        self.diagnostics = Diagnostics(explorer.state, explorer.checker, explorer.runner)
        #: Below the maps, in this order; each has `layout`, `watchers(soon)`, `paint(theme)`.
        self.race = RaceView(explorer, self.maps.sky, self.deliver)
        shown = [self.maps, self.race]
        self.compare = Compare(explorer, shown, self.maps.sky, self.deliver)
        self.measure = Measure(explorer, self.maps)
        self.clusters = Clusters(explorer, self.maps)
        self.sections = [
            self.race,
            self.compare,
            self.clusters,
            self.measure,
            self.diagnostics,
        ]
        self.keys = None if self.document is None else Keys()  # a notebook has its own
        self.arrival = Arrival() if self.document is None else None
        self.help = pn.Column(
            text(key_sheet()),
            css_classes=["mg-card", "mg-sheet"],
            stylesheets=[sheet("page")],
            visible=False,
            margin=0,
        )
        self.status = text("")
        self.alert = text("", visible=False)
        self.theme = pn.widgets.Button(label="Dark", margin=0, width=72)
        # Two numbers no one sees: the frame that was sent, and the frame the page has.
        self.sent = pn.widgets.IntInput(value=0, visible=False)
        self.seen = pn.widgets.IntInput(value=0, visible=False)
        self.sent.jscallback(value="seen.value = cb_obj.value", args={"seen": self.seen})
        self.layout = self._layout()
        self._watch()
        self.lesson = LessonView(self)
        self._update_theme()
        self._update_field()
        self._update_galaxies()

    def _layout(self) -> pn.Column:
        css, wide = [sheet("page")], {"sizing_mode": "stretch_width", "margin": 0}
        brand = text(
            '<div class="brand">MassGAN<span>Where is the mass, and how sure are we?</span></div>'
        )
        header = pn.Row(brand, self.theme, css_classes=["mg-header"], stylesheets=css, **wide)
        progress = pn.Column(
            self.status, css_classes=["mg-card", "mg-progress"], stylesheets=css, **wide
        )
        main = pn.Column(
            self.alert,
            progress,
            self.maps.layout,
            *[section.layout for section in self.sections],
            css_classes=["mg-main"],
            stylesheets=css,
            **wide,
        )
        body = pn.Row(self.sidebar.layout, main, css_classes=["mg-body"], stylesheets=css, **wide)
        return pn.Column(
            header,
            body,
            self.help,
            *(part for part in (self.keys, self.arrival) if part is not None),
            self.sent,
            self.seen,
            css_classes=["mg-root", "mg-light"],
            stylesheets=[tokens(), *css],
            design=Calm,
            **wide,
        )

    def _watch(self) -> None:
        explorer, state, store = self.explorer, self.explorer.state, self.explorer.store
        runner = explorer.runner
        soon, maps, inspector = self._soon, self.maps, self.maps.inspector
        self._watchers = [
            *[
                (
                    run,
                    run.param.watch(lambda *_: self.refresh_soon(), ["phase", "summary", "ahead"]),
                )
                for run in (runner, explorer.race.rival)
            ],
            (store, store.param.watch(soon(self._update_field), ["field"])),
            (store, store.param.watch(soon(self._update_seen), ["seen"])),
            (store, store.param.watch(soon(self._update_galaxies), ["galaxies"])),
            (
                explorer,
                explorer.param.watch(soon(self._update_words), ["alert", "opening", "about"]),
            ),
            (explorer, explorer.param.watch(soon(self._update_promise), ["promise"])),
            (explorer, explorer.param.watch(soon(self._update_known), ["known"])),
            (explorer.uploads, self.sidebar.upload.watch(soon)),
            (state, state.param.watch(soon(self._update_theme), ["theme", "colors", "clusters"])),
            (state, state.param.watch(soon(maps.restretch), CHOICES)),
            (state, state.param.watch(soon(self.maps.galaxy_card.show_layer), ["layer"])),
            (state, state.param.watch(soon(maps.holes.update), ["cut", "source", "lesson"])),
            *Blurs(self).watchers(soon),
            *self.overlays.watchers(soon),
            (state, state.param.watch(soon(maps.choose), ["pictures", "source", "sampler"])),
            (state, state.param.watch(soon(maps.show_cluster), ["cluster"])),
            (explorer, explorer.param.watch(soon(self._update_inspection), ["inspection"])),
            (explorer, explorer.param.watch(soon(self._update_chance), ["chance"])),
            (explorer, explorer.param.watch(soon(self._update_fit), ["fit"])),
            (state, state.param.watch(soon(self.maps.show_code), state.names())),
            (state, state.param.watch(soon(self._update_region), ["region", "source"])),
            *[watcher for section in self.sections for watcher in section.watchers(soon)],
        ]
        inspector.around.on_click(lambda _: self._on_around())
        maps.sky.clusters.selected.on_change("indices", self._on_circle)
        maps.galaxies.clusters.selected.on_change("indices", self._on_galaxy_circle)
        maps.player.param.watch(soon(maps.show_sample), ["value", "direction"])
        if self.keys is not None:
            self.keys.param.watch(lambda event: self.press(event.obj.key), "presses")
        self.theme.on_click(self.turn_theme)
        self.seen.param.watch(lambda _: self.refresh_soon(), "value")
        maps.galaxies.figure.on_event("selectiongeometry", self._on_box)

    def close(self) -> None:
        """Let go of the session's objects."""
        for owner, watcher in self._watchers:
            owner.param.unwatch(watcher)
        self._watchers = []
        self.document = None
        # Panel keeps what a script in the page refers to, and all behind it, for ever.
        for widget in self.layout.select(pn.widgets.Widget):
            Callback.registry.pop(widget, None)

    # Sending

    def deliver(self, call: Callable[[], None]) -> None:
        """Run `call` where it may change the page: on its document's next tick."""
        if self.document is None:
            if self.arrival is not None:  # else the tab was closed
                self.arrival.deliver(partial(self._push, call), self.layout)
            return

        def attempt(left: int = 3) -> None:
            # The server keeps an exception in here to itself, and the page would stand still:
            # say it, and try again, for every call sends what is true now.
            try:
                with held(self.document):
                    call()
                    self.compare.follow()
            except Exception:
                logging.getLogger(__name__).exception("an update of the page failed")
                if left > 1 and self.document is not None:
                    self.document.add_next_tick_callback(lambda: attempt(left - 1))

        try:
            self.document.add_next_tick_callback(attempt)
        except (AttributeError, RuntimeError):  # the tab is gone
            self.explorer.close()

    def _push(self, call: Callable[[], None]) -> None:
        call()
        self.compare.follow()
        for ref in list(self.layout._models):
            push_on_root(ref)  # a notebook: Bokeh's models do not send themselves

    def refresh_soon(self) -> None:
        """Show the runner's latest state; many calls before the next tick become one."""
        if not self._queued:
            self._queued = True
            self.deliver(self.refresh)

    def refresh(self) -> None:
        """Send the maps if there are new ones and the page is ready, then the progress line."""
        self._queued = False
        runner = self.explorer.runner
        exact = runner.phase != "running"
        new = runner.summary is not self._shown or (exact and not self._exact)
        beside = self.race.behind
        rest = (new and exact) or (beside and self.race.at_rest)
        if (new or beside) and (rest or self.ready()):
            if new:
                chance = self.explorer.chance
                self.maps.show_summary(runner.summary, exact=exact, chance=chance)
                self._shown, self._exact = runner.summary, exact
            if beside:
                self.race.show()
            self.frame += 1
            self._sent_at = time.monotonic()
        self._update_words()
        self.sent.value = self.frame

    def ready(self) -> bool:
        """Whether the page has drawn the last frame, or does not tell."""
        waited = time.monotonic() - self._sent_at
        return self.seen.value >= self.frame or not self.layout._models or waited > PATIENCE

    def _soon(self, call: Callable[[], None]) -> Callable[..., None]:
        return lambda *_: self.deliver(call)

    # What changes

    def _update_words(self) -> None:
        explorer, runner = self.explorer, self.explorer.runner
        # Not "ready" before the pictures of the open field have been sent.
        phase = explorer.phase if self._field is explorer.store.field else "opening"
        n = 0 if self._shown is None else self._shown.n
        self.status.object = status(
            phase,
            n,
            runner.total,
            self.frame,
            rate=runner.rate,
            remaining=runner.remaining,
            seconds=runner.seconds,
            kept=0 if self._shown is None else self._shown.kept,
            ahead=runner.ahead,
        )
        self.alert.param.update(object=alert(explorer.alert), visible=bool(explorer.alert))
        self.sidebar.update(explorer.race.phase(phase))
        self.sidebar.describe(*explorer.about)
        self.takeaway.update()

    def _update_promise(self) -> None:
        self.maps.show_promise(self.explorer.promise)

    def _update_chance(self) -> None:
        # A live frame takes the latest count with it.
        if self.explorer.runner.phase != "running":
            self.maps.show_chance(self.explorer.chance)

    def _update_fit(self) -> None:
        self.maps.show_fit(self.explorer.fit)

    def _update_inspection(self) -> None:
        self.maps.show_inspection(self.explorer.inspection)

    def _on_circle(self, attr: str, old: list, new: list) -> None:
        # A click on the sky itself clears the marks; the choice stays until another is made.
        name = self.maps.sky.selected()
        if name and name != self.explorer.state.cluster:
            self.explorer.state.cluster = name

    def _on_around(self) -> None:
        state = self.explorer.state
        region = region_round(state.cluster, catalog(state.catalog, self.explorer.census.own))
        if region is not None:
            state.region = region

    def _on_galaxy_circle(self, attr: str, old: list, new: list) -> None:
        name = self.maps.galaxies.selected()
        if name:
            self.explorer.state.cluster = name

    def _update_field(self) -> None:
        store = self.explorer.store
        self.maps.show_field(store if store.field is not None else None)
        self._shown, self._field = None, store.field
        self._update_known()
        self.refresh()

    def _update_known(self) -> None:
        if self.explorer.runner.summary is None:
            self.maps.show_summary(self.explorer.known, exact=True, beforehand=True)

    def _update_seen(self) -> None:
        store = self.explorer.store
        if store.seen and self.maps.grid is store.field.grid:
            self.maps.show_seen(store.seen)

    def _update_galaxies(self) -> None:
        picture = self.explorer.store.galaxies
        if picture is not None:
            self.maps.galaxy_card.show(picture)
            self._update_region()

    def _update_region(self) -> None:
        self.maps.mark(self.explorer.region_box())

    def _update_theme(self) -> None:
        theme = self.explorer.state.theme
        self.layout.css_classes = ["mg-root", f"mg-{theme}", *self.lesson.classes]
        self.theme.label = "Light" if theme == "dark" else "Dark"
        self.maps.paint()
        for section in self.sections:
            section.paint(theme)

    def press(self, key: str) -> None:
        """Do what a key stands for; see :data:`explorer.widgets.keys.KEYS`."""
        press(self, key)

    def turn_theme(self, *_: object) -> None:
        """Dark to light, or light to dark."""
        state = self.explorer.state
        state.theme = "light" if state.theme == "dark" else "dark"

    def _on_box(self, event: object) -> None:
        if event.final and event.geometry["type"] == "rect":
            edges = (event.geometry[key] for key in ("x0", "y0", "x1", "y1"))
            self.explorer.pick(tuple(edges))
