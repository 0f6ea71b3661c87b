"""The checks below the maps: is the posterior right? Arrays come in, nothing is computed."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import panel as pn

from explorer.views.charts import charts, pictures
from explorer.views.findings import CHECKS, INTRODUCTION, SECTION, findings, standing
from explorer.widgets.calm import sheet
from explorer.widgets.checks import explained, legend, pane
from explorer.widgets.fold import Fold
from explorer.widgets.texts import caption, text

if TYPE_CHECKING:
    from explorer.checker import Checker
    from explorer.diagnostics import Diagnosis
    from explorer.elements.curves import Chart
    from explorer.runner import Runner
    from explorer.state import State


class Diagnostics:
    """A line with a button, and below it, once opened, a card for each check."""

    def __init__(self, state: State, checker: Checker, runner: Runner) -> None:
        self.state, self.checker, self.runner = state, checker, runner
        self.charts: dict[str, Chart] = {}
        self.cards: dict[str, pn.Column] = {}
        self._fold = Fold(state, "checks", "checks")
        self.line, self.button, self.fold = self._fold.line, self._fold.button, self._fold.body
        self.layout = self._fold.layout
        self._legends = {name: pane() for name in CHECKS}
        self._words = {name: text("") for name in CHECKS}
        self._shown: Diagnosis | None = None
        self.open()
        self.update()

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        say = soon(self.say)
        return [
            (self.checker, self.checker.param.watch(soon(self.update), ["diagnosis", "busy"])),
            (self.runner, self.runner.param.watch(say, ["phase", "summary"])),
            (self.state, self.state.param.watch(soon(self.open), ["checks"])),
        ]

    def open(self) -> None:
        """Open or close, as the State says; the figures are made when they are first wanted."""
        if self.state.checks and not self.cards:
            self._furnish()
            self._fill()
        self._fold.open(there=self._shown is not None)
        self.say()

    def _furnish(self) -> None:
        """A card for each check."""
        css, wide = [sheet("page")], {"sizing_mode": "stretch_width", "margin": 0}
        self.charts = charts()
        self.charts["spectrum"].add_arcmin()
        self.cards = {
            name: pn.Column(
                pane(explained(*CHECKS[name])),
                pn.pane.Bokeh(self.charts[name].figure, **wide),
                self._legends[name],
                self._words[name],
                css_classes=["mg-card"],
                stylesheets=css,
                visible=False,
                **wide,
            )
            for name in CHECKS
        }
        self.paint(self.state.theme)
        grid = pn.Column(*self.cards.values(), css_classes=["mg-maps"], stylesheets=css, **wide)
        self.fold.append(grid)

    def say(self) -> None:
        """On which samples the checks are."""
        found = self.checker.diagnosis
        mark, sentence = "closed", INTRODUCTION
        if self.state.checks:
            mark, sentence = standing(
                None if found is None else found.n,
                busy=self.checker.busy,
                current=self.checker.current,
            )
        html = (
            f'<div id="massgan-checks" data-state="{mark}" '
            f'data-n="{0 if found is None else found.n}">'
            f'<div class="title">{escape(SECTION)}</div>'
            f'<p class="quiet" role="status">{escape(sentence)}</p></div>'
        )
        if html != self.line.object:
            self.line.object = html

    def update(self) -> None:
        """Show the latest checks."""
        self._fill()
        self.open()

    def _fill(self) -> None:
        found = self.checker.diagnosis
        if found is not self._shown and self.cards:
            self._shown = found
            words = {} if found is None else findings(found)
            sent = {} if found is None else pictures(found)
            for name, card in self.cards.items():
                chart = self.charts[name]
                if name in sent:
                    chart.show(*sent[name])
                else:
                    chart.clear()
                self._words[name].object = caption(words.get(name, ""))
                chart.describe(f"{CHECKS[name][0]}. {words.get(name, '')}")
                self._key(name)
                card.visible = name in words and (name != "settling" or "growth" not in words)

    def paint(self, theme: str) -> None:
        """Take the theme."""
        for name, chart in self.charts.items():
            chart.paint(theme)
            self._key(name)

    def _key(self, name: str) -> None:
        chart = self.charts[name]
        self._legends[name].object = legend(
            [chart.layers[key] for key in chart.shown()], self.state.theme
        )
