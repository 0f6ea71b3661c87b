"""The maps of one field and, where there are any, of its samples; drawn elsewhere, shown here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import panel as pn
import param

import massgan_core as mg
from explorer import store as library
from explorer.blurring import Soft, blurred
from explorer.notebook.alone import Alone
from explorer.recipes import BLURRED, SEEN
from explorer.store import Store
from explorer.views.limits import CHOICES
from explorer.views.maps import Maps
from explorer.widgets.calm import sheet
from massgan_core.posterior import Summary
from massgan_core.sky import ShearField


class Stills(Alone):
    """Maps side by side on one sky: they pan and zoom together.

    Args:
        given: What a cell computed: a field, or samples of one.
        pictures: Names of the maps, see :data:`explorer.state.PICTURES`.
        choices: See :class:`explorer.notebook.alone.Alone`.

    Raises:
        TypeError: `given` is something else.
    """

    selected = param.String(default="", doc="Name of the X-ray cluster clicked; empty = none.")
    region = param.NumericTuple(
        default=None,
        length=4,
        allow_None=True,
        doc="What can be seen: left, bottom, right, top, from the field's centre [arcmin].",
    )

    def __init__(
        self, given: ShearField | Summary, pictures: Iterable[str], choices: dict, **params: Any
    ) -> None:
        if not isinstance(given, ShearField | Summary):
            raise TypeError(
                f"the view takes a ShearField or a Summary, got {type(given).__name__}"
            )
        super().__init__({**choices, "pictures": list(pictures)}, **params)
        self.summary = given if isinstance(given, Summary) else None
        self.field = given if self.summary is None else given.field
        self.store, self.maps = Store(), Maps(self.state)
        seen = [name for name in SEEN if name in self.state.pictures]
        opened = library.open_field(("upload", 0), self.state.smoothing, seen, self.field)
        self.store.take(opened)
        self.maps.show_field(self.store)
        self.maps.show_summary(self.summary, exact=True)
        self._soft = mg.SmoothedSamples(self.state.blur)
        if (blurring := self._blurring()) is not None:
            self._blurred(blurring())
        self._offered = self.maps.inspector.layout
        self._watch()
        self.selected = self.maps.sky.selected()
        self._framed()

    def paint(self, theme: str) -> None:
        """Take the theme."""
        self.maps.paint()

    def _grid(self, *names: str) -> pn.Column:
        """The cards with these names, as many in a row as there is room for."""
        return pn.Column(
            *[self.maps.cards[name] for name in names],
            self.maps.bars,
            css_classes=["mg-maps"],
            stylesheets=[sheet("page")],
            sizing_mode="stretch_width",
            margin=0,
        )

    def _watch(self) -> None:
        sky, maps = self.maps.sky, self.maps
        sky.clusters.selected.on_change("indices", self._on_circle)
        for axis in (sky.x_range, sky.y_range):
            for end in ("start", "end"):
                axis.on_change(end, lambda attr, old, new: self._framed())
        self.state.param.watch(lambda *_: self._blur(), ["blur", "pictures"])
        maps.player.param.watch(lambda *_: self._blur("sample"), "value")
        self._follow(maps.restretch, *CHOICES)
        maps.player.param.watch(lambda *_: self._deliver(maps.show_sample), ["value", "direction"])
        self.param.watch(self._on_selected, "selected")
        self.param.watch(self._on_region, "region")

    def _blurring(self, *names: str) -> Callable[[], dict[str, Soft]] | None:
        """What blurs the maps of the samples with these names, or all; None for no blur."""
        blur, summary = self.state.blur, self.summary
        wanted = [name for name in names or BLURRED if name in self.state.pictures]
        if not blur or summary is None or not wanted:
            return None
        if self._soft.smoothing != blur:
            self._soft = mg.SmoothedSamples(blur)
        return partial(blurred, self._soft, summary, wanted, self.maps.player.value - 1)

    def _blur(self, *names: str) -> None:
        """Have them blurred, or sharp again."""
        work = self._blurring(*names)
        if work is not None:
            self._later(work, self._blurred)
        elif not self.state.blur:
            self._deliver(partial(self.maps.show_blurred, {}, again=True))

    def _blurred(self, found: dict[str, Soft]) -> None:
        """Show them, unless another blur was chosen meanwhile."""
        if all(soft.blur == self.state.blur for soft in found.values()):
            self.maps.show_blurred({**self.maps.posterior.blurred, **found})

    def _on_circle(self, attr: str, old: list, new: list) -> None:
        self.selected = self.maps.sky.selected()

    def _on_selected(self, event: param.parameterized.Event) -> None:
        if event.new != self.maps.sky.selected():
            self._deliver(lambda: self.maps.sky.select(event.new))

    def _framed(self) -> None:
        x, y = self.maps.sky.x_range, self.maps.sky.y_range
        self.region = (float(x.start), float(y.start), float(x.end), float(y.end))

    def _on_region(self, event: param.parameterized.Event) -> None:
        if event.new is None:  # the whole field again
            self._deliver(
                lambda: self.maps.sky.show(
                    self.field.grid, self.store.footprint, self.store.circles
                )
            )
            return
        left, bottom, right, top = event.new
        x, y = self.maps.sky.x_range, self.maps.sky.y_range
        if (x.start, y.start, x.end, y.end) != event.new:

            def move() -> None:
                with param.parameterized.discard_events(self):
                    x.update(start=left, end=right)
                    y.update(start=bottom, end=top)

            self._deliver(move)
            self._framed()
