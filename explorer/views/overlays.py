"""What lies over the maps, as the State asks for it, and the way to a place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from explorer import places
from explorer.elements.contours import SIGNAL_LEVELS, contours, hatched, levels_of
from explorer.elements.graticule import graticule
from explorer.elements.scale_bar import View, scale_bar
from explorer.runner import sentence
from explorer.views.titles import TITLES
from explorer.widgets.texts import number

if TYPE_CHECKING:
    import numpy as np

    from explorer.viewer import Explorer
    from explorer.views.maps import Maps
    from explorer.views.tools import Tools

NEAR = 8.0  #: half the view about a place that was asked for [arcmin]
WAIT = 120  #: a moving view is followed this often [ms]


class Overlays:
    """Follows choices, samples and the view; drawn once, on the sources of all maps."""

    def __init__(
        self,
        explorer: Explorer,
        maps: Maps,
        tools: Tools,
        deliver: Callable[[Callable[[], None]], None],
    ) -> None:
        self.explorer, self.state, self.maps, self.tools = explorer, explorer.state, maps, tools
        self.over, self._deliver = maps.sky.overlays, deliver
        self._moving, self._traced, self._tracing = False, None, False
        self._last: tuple | None = None  # summary, name and array that were asked for last
        for axis in (maps.sky.x_range, maps.sky.y_range):
            for end in ("start", "end"):
                axis.on_change(end, self._on_view)
        tools.view.on_click(lambda _: self.reset_view())
        tools.place.param.watch(self._on_typed, "value")

    def watchers(self, soon: Callable) -> list[tuple]:
        """Pairs of an object and its watcher, for :meth:`Page.close`."""
        state, runner, explorer = self.state, self.explorer.runner, self.explorer
        lines = ["graticule", "scale_bar"]
        trace = soon(self.trace)
        return [
            (state, state.param.watch(soon(self.follow), lines)),
            (state, state.param.watch(soon(self.hatch), ["hatched"])),
            (state, state.param.watch(trace, ["contours"])),
            (state, state.param.watch(soon(self.go), ["place"])),
            (runner, runner.param.watch(trace, ["summary", "phase"])),
            (explorer, explorer.param.watch(trace, ["known"])),
            (explorer.store, explorer.store.param.watch(trace, ["seen"])),
            (explorer.store, explorer.store.param.watch(soon(self.show_field), ["field"])),
        ]

    def show_field(self) -> None:
        """Another field: all anew."""
        self.follow()
        self.hatch()
        self.trace()
        self.go()

    @property
    def view(self) -> View:
        """The part of the plane in view [arcmin]."""
        x, y = self.maps.sky.x_range, self.maps.sky.y_range
        return x.start, y.start, x.end, y.end

    def follow(self) -> None:
        """Lines and bar for the present view."""
        self._moving = False
        state, grid, over = self.state, self.maps.grid, self.over
        pairs = (
            (state.graticule and grid is not None, (over.graticule, over.degrees)),
            (state.scale_bar and grid is not None, (over.bar, over.length)),
        )
        made = (lambda: graticule(grid, self.view), lambda: scale_bar(self.view))
        for (wanted, sources), make in zip(pairs, made, strict=True):
            columns = make() if wanted else (None, None)
            for source, column in zip(sources, columns, strict=True):
                over.hide(source) if column is None else over.show(source, column)

    def hatch(self) -> None:
        """Hatch what was not observed, or do not."""
        field = self.explorer.store.field
        if not self.state.hatched or field is None:
            self.over.hide(self.over.hatch)
            return
        area, grid = self.explorer.store.footprint, field.grid

        def then(columns: dict | None) -> None:
            if columns is not None and self.state.hatched and field is self.explorer.store.field:
                self._deliver(lambda: self.over.show(self.over.hatch, columns))

        self.explorer.aside(partial(hatched, area, grid), then)

    def trace(self) -> None:
        """Contours of the chosen map as it is now; one tracing at a time, the last one counts."""
        wanted = self._contoured()
        if wanted is None:
            self._traced = None
            self.over.hide(self.over.contours)
            name = self.state.contours
            waits = name != "none" and self.explorer.store.field is not None
            self.tools.say_contours(f"Waiting for {TITLES[name][0]}." if waits else "")
            return
        if self._tracing or self._same(wanted):
            return
        self._tracing = True
        name, image = wanted
        area, grid = self.explorer.store.footprint, self.explorer.store.field.grid

        def work() -> tuple:
            levels = SIGNAL_LEVELS if name == "snr" else levels_of(image, area)
            return levels, contours(image, area, grid, levels)

        def then(found: tuple | None) -> None:
            self._tracing, self._traced = False, wanted
            self._deliver(partial(self._traced_now, wanted, found))

        self.explorer.aside(work, then)

    def _traced_now(self, wanted: tuple, found: tuple | None) -> None:
        now = self._contoured()
        if found is not None and now is not None and now[0] == wanted[0]:
            levels, columns = found
            self.over.show(self.over.contours, columns)
            self.tools.say_contours(contour_words(wanted[0], levels))
        self.trace()

    def _same(self, wanted: tuple) -> bool:
        old = self._traced
        return old is not None and old[0] == wanted[0] and old[1] is wanted[1]

    def _contoured(self) -> tuple[str, np.ndarray] | None:
        """Name and array of the map whose contours are asked for; None while it is not there."""
        name, store = self.state.contours, self.explorer.store
        if name == "none" or store.field is None:
            return None
        if name in ("wiener", "ks"):
            image = store.seen.get(name)
            return None if image is None else (name, image)
        summary = self.explorer.runner.summary
        summary = self.explorer.known if summary is None else summary
        if summary is None or (name == "snr" and summary.n < 2):
            return None
        if self.state.blur:  # as the maps are
            soft = self.explorer.blurring.found.get(name)
            return None if soft is None else (name, soft.image)
        # A property of the summary makes a new array each time.
        if self._last is None or self._last[0] is not summary or self._last[1] != name:
            self._last = summary, name, getattr(summary, name).numpy()
        return self._last[1:]

    def _on_typed(self, event: object) -> None:
        words = event.new.strip()
        if words == self.state.place:
            self.go()
            return
        try:
            self.state.place = words
        except ValueError:
            self.tools.say_place(f"A place must be {places.HOW}.")

    def go(self) -> None:
        """Send all maps to the chosen place, and put a cross there."""
        words, field = self.state.place, self.explorer.store.field
        if not words or field is None:
            self.over.hide(self.over.place)
            self.tools.say_place("")
            return
        grid = field.grid

        def work() -> tuple[float, float] | str:
            try:
                return places.on_plane(words, grid)
            except ValueError as error:
                return sentence(error)

        def then(found: tuple[float, float] | str | None) -> None:
            if words == self.state.place and field is self.explorer.store.field:
                self._deliver(partial(self._arrive, found))

        self.explorer.aside(work, then)

    def _arrive(self, found: tuple[float, float] | str | None) -> None:
        if found is None or isinstance(found, str):
            self.over.hide(self.over.place)
            said = (found or "")[:1].upper() + (found or "")[1:]
            self.tools.say_place(said and f"{said}.")
            return
        self.tools.say_place("")
        self.over.show(self.over.place, {"x": [found[0]], "y": [found[1]]})
        half = min(NEAR, max(self.maps.grid.extent) / 4)
        for axis, middle in zip(
            (self.maps.sky.x_range, self.maps.sky.y_range), found, strict=True
        ):
            axis.update(start=middle - half, end=middle + half)

    def reset_view(self) -> None:
        """The whole field again."""
        for axis in (self.maps.sky.x_range, self.maps.sky.y_range):
            if axis.reset_start is not None:
                axis.update(start=axis.reset_start, end=axis.reset_end)

    def _on_view(self, attr: str, old: float, new: float) -> None:
        if self._moving or not (self.state.graticule or self.state.scale_bar):
            return
        self._moving = True
        document = self.maps.sky.x_range.document
        if document is None or document.session_context is None:
            self._deliver(self.follow)
        else:
            document.add_timeout_callback(self.follow, WAIT)


def contour_words(name: str, levels: tuple[float, ...]) -> str:
    """What the contours are, in words."""
    title = TITLES[name][0]
    if not levels:
        return f"{title}: no value above 0 to draw."
    values = ", ".join(number(level) for level in levels)
    return f"{title} at {values}" + ("." if name == "snr" else " (κ).")
