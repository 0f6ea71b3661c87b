"""Clusters and peaks below the maps: lists and filters, and two tables to choose from."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from explorer.census import CHOICES
from explorer.elements.peaks import peak_columns
from explorer.elements.tables import Table
from explorer.positions import SOURCES
from explorer.views.cluster_choices import Mine, list_choices, peak_choices
from explorer.views.rows import (
    CLUSTERS,
    PEAKS,
    cluster_rows,
    peak_rows,
    standing_of_clusters,
    standing_of_peaks,
)
from explorer.widgets.calm import sheet
from explorer.widgets.checks import explained, pane
from explorer.widgets.fold import Fold
from explorer.widgets.texts import alert, text

if TYPE_CHECKING:
    from explorer.viewer import Explorer
    from explorer.views.maps import Maps

SECTION = "Clusters and peaks"
INTRODUCTION = "Which clusters are seen, and how sure is each peak? Tables to choose from."
FOUND = (
    "Clusters in the field",
    "Choose a row to see the cluster in the middle of all maps.",
    "M500 in 10¹³ M☉. κ in r500: mean and standard deviation over the samples of the mean κ "
    "inside the circle; S/N is their ratio. Detected: the share of samples in which fewer than "
    "5% of random circles of that size hold more.",
)
RISEN = (
    "Peaks of the posterior mean",
    "Where the mean map is higher than all around, and how many samples agree.",
    "Peaks of the mean, blurred as Kaiser–Squires is. Samples: the share of them with a "
    "peak at least as high as the limit within the radius. Cluster: the nearest of the list "
    "within its circle or 2′, whichever is wider.",
)


class Clusters:
    """A line with a button, and below it, once opened, choices and two tables."""

    def __init__(self, explorer: Explorer, maps: Maps) -> None:
        self.explorer, self.maps = explorer, maps
        self.state, self.census, self.store = explorer.state, explorer.census, explorer.store
        self.clusters: Table | None = None
        self.peaks: Table | None = None
        self._fold = Fold(self.state, "tables", "tables")
        self.line, self.button, self.fold = self._fold.line, self._fold.button, self._fold.body
        self.layout = self._fold.layout
        self._problem = text("", visible=False)
        self._clusters_words, self._peaks_words = text(""), text("")
        self._source = text("")
        maps.sky.peaks.selected.on_change("indices", self._on_diamond)
        self.open()
        self.show_peaks()

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        state, census, store = self.state, self.census, self.store
        return [
            (state, state.param.watch(soon(self.open), ["tables"])),
            (
                state,
                state.param.watch(soon(self.maps.show_marks), ["peaks", "labels", "clusters"]),
            ),
            (state, state.param.watch(soon(self.mark_cluster), ["cluster"])),
            (state, state.param.watch(soon(self.mark_peak), ["peak"])),
            (store, store.param.watch(soon(self.show_circles), ["circles"])),
            (store, store.param.watch(soon(self.show_around), ["galaxies"])),
            (state, state.param.watch(soon(self.show_circles), list(CHOICES))),
            (census, census.param.watch(soon(self.show_clusters), ["judged"])),
            (census, census.param.watch(soon(self.show_peaks), ["listed"])),
            (census, census.param.watch(soon(self.say), ["busy", "problem", "reading", "own"])),
        ]

    def open(self) -> None:
        """Open or close, as the State says; the tables are made when they are first wanted."""
        if self.state.tables and self.clusters is None:
            self._furnish()
            self.show_clusters()
            self.show_peaks()
        self._fold.open()
        self.say()

    def say(self) -> None:
        """Words about the lists, and what is being done."""
        self.line.object = (
            f'<div id="massgan-lists" data-state="{self._mark()}">'
            f'<div class="title">{escape(SECTION)}</div>'
            f'<p class="quiet">{escape(INTRODUCTION)}</p></div>'
        )
        census, runner = self.census, self.explorer.runner
        problem = census.problem
        self._problem.param.update(object=alert(problem), visible=bool(problem))
        self._source.object = _quiet("Reading …" if census.reading else self._about())
        count = 0 if self.store.circles is None else len(self.store.circles.name)
        drawn = runner.summary is not None
        self._clusters_words.object = _quiet(
            standing_of_clusters(count, census.judged, drawn=drawn, busy=census.busy)
        )
        self._peaks_words.object = _quiet(
            standing_of_peaks(census.listed, drawn=drawn, busy=census.busy)
        )

    def show_circles(self) -> None:
        """Other clusters on the maps and in the table."""
        if self.store.field is not None and self.maps.grid is self.store.field.grid:
            self.maps.show_circles(self.store.circles, self._around())
        self.show_clusters()
        self.show_peaks()  # whose clusters may be others

    def show_around(self) -> None:
        """The chosen clusters on the galaxies."""
        picture = self.store.galaxies
        if picture is not None and not self.census.plain:
            self.maps.show_circles(self.store.circles, self._around())

    def show_clusters(self) -> None:
        """The table of clusters, with what the samples say once they were asked."""
        if self.clusters is not None:
            self.clusters.show(cluster_rows(self.store.circles, self.census.judged))
            self.mark_cluster()
        self.say()

    def show_peaks(self) -> None:
        """Diamonds on the maps, and their table."""
        listed = self.census.listed
        given = (None,) if listed is None else (listed.peaks, listed.probability)
        self.maps.sky.peaks.selected.indices = []
        self.maps.sky.peaks.data = peak_columns(*given)
        if self.peaks is not None:
            names = None if self.store.circles is None else self.store.circles.name
            self.peaks.show(peak_rows(listed, self.census.beside(), names))
        self.mark_peak()
        self.say()

    def mark_cluster(self) -> None:
        """The row of the chosen cluster."""
        if self.clusters is not None:
            circles, chosen = self.store.circles, self.state.cluster
            names = [] if circles is None else [str(name) for name in circles.name]
            self.clusters.mark(names.index(chosen) if chosen in names else None)

    def mark_peak(self) -> None:
        """The row and the diamond of the chosen peak."""
        listed, row = self.census.listed, self.state.peak - 1
        there = listed is not None and 0 <= row < len(listed.peaks)
        self.maps.sky.peaks.selected.indices = [row] if there else []
        if self.peaks is not None:
            self.peaks.mark(row if there else None)

    def paint(self, theme: str) -> None:
        """Nothing to do: style sheets follow the page."""

    def _on_cluster(self, row: int) -> None:
        circles = self.store.circles
        if circles is not None and row < len(circles.name):
            self.maps.sky.center(float(circles.x[row]), float(circles.y[row]))
            self.state.cluster = str(circles.name[row])

    def _on_peak(self, row: int) -> None:
        listed = self.census.listed
        if listed is not None and row < len(listed.peaks):
            self.maps.sky.center(float(listed.peaks.x[row]), float(listed.peaks.y[row]))
            self.state.param.update(peaks=True, peak=row + 1)

    def _on_diamond(self, attr: str, old: list[int], new: list[int]) -> None:
        if new and new[0] + 1 != self.state.peak:
            self.state.peak = new[0] + 1

    def _around(self) -> Any:
        picture = self.store.galaxies
        return None if picture is None else self.census.around(picture.grid)

    def _about(self) -> str:
        state, own = self.state, self.census.own
        if state.catalog == "own" and own is None:
            return "Paste positions or drop a file of them."
        if state.catalog == "own":
            return f"{len(own):,}. {SOURCES['own']}"
        return SOURCES[state.catalog]

    def _mark(self) -> str:
        """A word for scripts."""
        if not self.state.tables:
            return "closed"
        if self.census.busy:
            return "busy"
        return "empty" if self.census.listed is None else "current"

    def _furnish(self) -> None:
        """Choices and tables."""
        self.clusters = Table("clusters", CLUSTERS, self._on_cluster)
        self.peaks = Table("peaks", PEAKS, self._on_peak)
        whole = pn.widgets.Button(label="Whole field on the maps", **_WIDE)
        whole.on_click(lambda _: self.maps.sky.whole())
        tables = _column(
            _card(pane(explained(*FOUND)), self._clusters_words, _table(self.clusters)),
            _card(pane(explained(*RISEN)), self._peaks_words, _table(self.peaks)),
            kind="mg-column",
        )
        self.mine = Mine(self.census)
        choices = _column(
            _card(*list_choices(self.state, self._source)),
            _card(*self.mine.parts, self._problem),
            _card(*peak_choices(self.state), whole),
            kind="mg-column",
        )
        self.fold.append(_column(choices, tables, kind="mg-lists"))


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


def _column(*parts: object, kind: str) -> pn.Column:
    css = [sheet("page"), sheet("lists")]
    return pn.Column(*parts, css_classes=[kind], stylesheets=css, **_WIDE)


def _card(*parts: object) -> pn.Column:
    return _column(*parts, kind="mg-card")


def _table(one: Table) -> pn.pane.Bokeh:
    return pn.pane.Bokeh(one.table, stylesheets=[sheet("table"), one.css], **_WIDE)


def _quiet(words: str) -> str:
    return f'<p class="quiet">{escape(words)}</p>'
