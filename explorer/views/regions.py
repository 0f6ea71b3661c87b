"""Measuring on the maps: regions and a line drawn by hand, their numbers with error bars."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from explorer import regions as forms
from explorer.files import file_name
from explorer.regions import LONGEST, MOST, TOO_MANY
from explorer.state import TOOLS
from explorer.views.along import Along
from explorer.views.measured import DRAW, standing, table
from explorer.widgets.calm import sheet
from explorer.widgets.files import Inbox, Outbox
from explorer.widgets.fold import Fold
from explorer.widgets.measure import column, measured, put
from explorer.widgets.named import Segments
from explorer.widgets.texts import caption, text

if TYPE_CHECKING:
    from explorer.viewer import Explorer
    from explorer.views.maps import Maps

TITLE = "Measure"
INTRODUCTION = "Regions, a cross-section and a ruler on the maps, with error bars."
LABELS = {name: name.capitalize() if name != "move" else "Move map" for name in TOOLS}
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
# As Panel's own buttons look in the page's colours.
_FILLED = ".bk-btn { background: var(--mg-well); border-color: var(--mg-well); }"


class Measure:
    """A line with a button, and below it, once opened, the regions and the line.

    Args:
        explorer: Whose state, samples and field they are.
        maps: On which shapes are drawn.
    """

    def __init__(self, explorer: Explorer, maps: Maps) -> None:
        self.explorer, self.state, self.measurer = explorer, explorer.state, explorer.measurer
        self.shapes, self.along = maps.sky.shapes, None
        self.shapes.regions.selected.on_change("indices", self._on_selected)
        self.shapes.done.on_change("data", self._on_drawn)
        self._fold = Fold(self.state, "measure", "measures")
        self.line, self.button, self.fold = self._fold.line, self._fold.button, self._fold.body
        self.layout = self._fold.layout
        self.open()

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        explorer, state, update = self.explorer, self.state, soon(self.update)
        choices = ["regions", "line", "lens_redshift", "cluster"]
        return [
            (self.measurer, self.measurer.param.watch(update, ["found", "busy"])),
            (explorer.runner, explorer.runner.param.watch(update, ["phase"])),
            (explorer.store, explorer.store.param.watch(update, ["field"])),
            (state, state.param.watch(update, choices)),
            (state, state.param.watch(soon(self.open), ["measure", "tool"])),
        ]

    def open(self) -> None:
        """Open or close, as the State says; the figures are made when they are first wanted."""
        if self.state.measure and self.along is None:
            self._furnish()
        self._fold.open()
        if self.along is not None:
            self.tools.value = self.state.tool
            self.shapes.arm(self.state.tool if self.state.measure else None)
        self.update()

    def update(self) -> None:
        """Show the shapes, and what was measured of them."""
        state, found = self.state, self.measurer.found
        mark, sentence = "closed", INTRODUCTION
        if state.measure:
            mark, sentence = standing(
                found,
                live=self.explorer.runner.phase == "running",
                busy=self.measurer.busy,
                empty=not state.regions and state.line is None,
            )
        put(self.line, _titled(mark, sentence, 0 if found is None else found.n))
        if self.along is None:
            return
        self._update_shapes()
        self._update_regions()
        self.along.update()

    def paint(self, theme: str) -> None:
        """Take the theme."""
        self.shapes.paint(theme)
        if self.along is not None:
            self.along.paint(theme)

    def delete(self) -> None:
        """Forget the chosen region."""
        at = self._chosen()
        if self.state.measure and at is not None:
            self.shapes.regions.selected.indices = []
            self._say("")
            regions = self.state.regions
            self.state.regions = (*regions[:at], *regions[at + 1 :])

    def clear(self) -> None:
        """Forget all regions and the line."""
        self.shapes.regions.selected.indices = []
        self._say("")
        self.state.param.update(regions=(), line=None)

    def add(self, regions: list[tuple], said: str = "") -> None:
        """Keep more regions, if there is room for all of them."""
        if len(self.state.regions) + len(regions) > MOST:
            self._say(TOO_MANY)
            return
        self._say(said)
        self.state.regions = (*map(tuple, self.state.regions), *regions)

    # What is shown

    def _furnish(self) -> None:
        button = partial(pn.widgets.Button, margin=0, align="end")
        self.tools = Segments(
            options={label: name for name, label in LABELS.items()},
            label="A drag on a map draws",
            **_WIDE,
        )
        self.tools.param.watch(lambda event: setattr(self.state, "tool", event.new), "value")
        self.choice = pn.widgets.Select(label="Chosen region", options={"none": -1}, **_WIDE)
        self.choice.param.watch(self._on_choice, "value")
        self.remove, self.forget = button(label="Delete"), button(label="Clear all")
        self.remove.on_click(lambda _: self.delete())
        self.forget.on_click(lambda _: self.clear())
        self.typed = pn.widgets.TextAreaInput(
            label="Type a region",
            placeholder="150.12 2.21 2   or   circle(150.12,2.21,2')",
            description="RA and Dec [deg] and radius [arcmin] of a circle, or DS9 lines in fk5: "
            "circles, boxes, polygons.",
            rows=1,
            auto_grow=True,
            **_WIDE,
        )
        self.take = button(label="Add", sizing_mode="stretch_width")
        self.take.on_click(self._on_typed)
        self.inbox = Inbox(
            label="Import DS9",
            accept=".reg,.txt,text/plain",
            longest=LONGEST,
            align="end",
            stylesheets=[sheet("calm"), _FILLED],
            **_WIDE,
        )
        self.inbox.on_msg(self._on_file)
        self.export = button(label="Export DS9", sizing_mode="stretch_width")
        self.export.on_click(self._on_export)
        self.outbox = Outbox()
        self._table, self._words = measured(), text("", visible=False)
        self.along = Along(self.state, self.measurer)
        self.fold.objects = [
            column(
                column(
                    column(text(_label(self.tools.label)), self.tools, kind="mg-stack"),
                    self.choice,
                    self.remove,
                    self.forget,
                    kind="mg-tools",
                ),
                self._table,
                column(self.typed, self.take, self.inbox, self.export, kind="mg-adding"),
                self._words,
                self.outbox,
                kind="mg-card",
            ),
            self.along.layout,
        ]
        self.fold.css_classes, self.fold.stylesheets = ["mg-main"], [sheet("page")]
        self.paint(self.state.theme)

    def _update_shapes(self) -> None:
        field, state = self.explorer.store.field, self.state
        if field is None:
            self.shapes.show([], None)
            return
        outlines = [forms.outline(field.grid, region) for region in state.regions]
        line = None if state.line is None else forms.to_plane(field.grid, state.line)
        self.shapes.show(outlines, line)

    def _update_regions(self) -> None:
        regions, at = tuple(map(tuple, self.state.regions)), self._chosen()
        options = {"none": -1}
        options |= {f"{i}: {forms.named(r)}": i - 1 for i, r in enumerate(regions, 1)}
        if self.choice.options != options:
            self.choice.options = options
        self.choice.value = -1 if at is None else at
        self.remove.disabled = at is None
        self.forget.disabled = not regions and self.state.line is None
        field = self.explorer.store.field
        self.export.disabled = not regions or field is None or field.grid.wcs is None
        help = f'<div class="empty">{escape(DRAW[self.state.tool])}</div>'
        shown = table(regions, self.measurer.found, at) + caption(DRAW[self.state.tool])
        put(self._table, shown if regions else help)

    def _chosen(self) -> int | None:
        at = self.shapes.regions.selected.indices
        return at[0] if at and at[0] < len(self.state.regions) else None

    def _say(self, words: str) -> None:
        if self.along is not None:
            self._words.param.update(
                object=f'<p class="quiet" role="status">{escape(words)}</p>', visible=bool(words)
            )

    # What a person does

    def _on_selected(self, attr: str, old: list, new: list) -> None:
        if self.along is not None:
            self._update_regions()

    def _on_choice(self, event: Any) -> None:
        wanted = [event.new] if event.new is not None and event.new >= 0 else []
        if self.shapes.regions.selected.indices != wanted:
            self.shapes.regions.selected.indices = wanted

    def _on_drawn(self, attr: str, old: dict, new: dict) -> None:
        """Keep what a person drew."""
        field, tool = self.explorer.store.field, next(iter(new["tool"]), "")
        if field is None or not tool:
            return
        try:
            made = forms.drawn(field.grid, tool, list(new["x"]), list(new["y"]))
        except (ValueError, IndexError) as error:
            self._say(f"{error}")
            return
        if tool == "line":
            self.state.line = made
        else:
            self.add([made])

    def _on_typed(self, _: object) -> None:
        try:
            found = forms.typed(self.typed.value or "")
        except ValueError as error:
            self._say(str(error))
            return
        before = len(self.state.regions)
        self.add(found)
        if len(self.state.regions) > before:
            self.typed.value = ""

    def _on_file(self, event: Any) -> None:
        """Take the regions of a DS9 file that someone chose."""
        if not isinstance(event.data, str):
            self._say(f"a region file must be a text of at most {LONGEST // 1000} kB")
            return
        try:
            found, others = forms.read_ds9(event.data)
        except ValueError as error:
            self._say(str(error))
            return
        left = f"; {others} other line{'s' * (others > 1)} left out" * bool(others)
        self.add(found, f"{len(found)} region{'s' * (len(found) > 1)} taken{left}.")

    def _on_export(self, _: object) -> None:
        name = f"{file_name(self.explorer.store.field.name)}-regions.reg"
        self.outbox.hand(name, forms.write_ds9(self.state.regions), "text/plain")


def _titled(mark: str, sentence: str, n: int) -> str:
    return (
        f'<div id="massgan-measure" data-state="{mark}" data-n="{n}">'
        f'<div class="title">{escape(TITLE)}</div>'
        f'<p class="quiet" role="status">{escape(sentence)}</p></div>'
    )


def _label(words: str) -> str:
    return f'<div class="label">{escape(words)}</div>'
