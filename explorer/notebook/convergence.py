"""Do more samples help: ``Convergence(summary)``, or live, ``Convergence(mg.stream(…))``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import panel as pn
import param

from explorer.diagnostics import settled
from explorer.notebook.alone import Alone
from explorer.runner import Runner
from explorer.views import charts, findings
from explorer.widgets.calm import sheet
from explorer.widgets.cards import card
from explorer.widgets.checks import explained, legend, pane
from explorer.widgets.texts import caption, text
from massgan_core.posterior import Summary

NAMES = ("growth", "settling")
ENDLESS = 2**31 - 1  #: a stream says by itself when it ends
FEW = "Needs two samples that are kept."


class Convergence(Alone):
    """How the mean of the samples settles, and how much closer to the truth it comes.

    ``.summary`` is the latest; ``stop()`` ends a stream that is drawn live.

    Args:
        given: A Summary, or an iterable of ever longer ones, drawn in the background.
        choices: Any parameter of :class:`explorer.state.State`.

    Raises:
        TypeError: `given` is something else.
    """

    summary = param.ClassSelector(class_=Summary, doc="What is shown; None before the first.")

    def __init__(self, given: Summary | Iterable[Summary], **choices: Any) -> None:
        if not isinstance(given, Summary | Iterable):
            raise TypeError(
                f"the view takes a Summary or an iterable of them, got {type(given).__name__}"
            )
        made = charts.charts()
        self.charts = {name: made[name] for name in NAMES}
        self._words = {name: text(caption(FEW)) for name in NAMES}
        self._legends = {name: pane() for name in NAMES}
        self.cards = {
            name: card(
                pane(explained(*findings.CHECKS[name])),
                self.charts[name].figure,
                self._legends[name],
                self._words[name],
                kind="mg-data",
            )
            for name in NAMES
        }
        super().__init__(choices)
        grid = pn.Column(
            *self.cards.values(),
            css_classes=["mg-maps"],
            stylesheets=[sheet("page")],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.layout.append(grid)
        self.runner = Runner()
        self.paint(self.state.theme)
        if isinstance(given, Summary):
            self._take(given, settled(given))
        else:
            self._draw(given)

    def stop(self) -> None:
        """End the stream and keep what it gave."""
        self.runner.stop()

    def replaced(self) -> None:
        """End what runs: the cell that made this was run again."""
        self.stop()
        super().replaced()

    def paint(self, theme: str) -> None:
        """Take the theme."""
        for name, chart in self.charts.items():
            chart.paint(theme)
            self._key(name)

    def _draw(self, stream: Iterable[Summary]) -> None:
        self.runner.param.watch(self._on_summary, "summary")
        self.runner.param.watch(lambda event: self._say(event.new), "error")
        try:
            self.runner.start(lambda: iter(stream), ENDLESS)
        except RuntimeError:  # a plain script: nothing waits, so all of it is drawn now
            *_, last = stream
            self._take(last, settled(last))

    def _on_summary(self, event: param.parameterized.Event) -> None:
        summary = event.new
        if summary is not None:
            self._later(lambda: settled(summary), lambda found: self._take(summary, found))

    def _take(self, summary: Summary, found: Any) -> None:
        self.summary = summary
        for name, card_ in self.cards.items():
            card_.visible = name != "growth" or summary.field.truth is not None
        if found is None:
            return
        words = {"settling": findings.settled(found.settling)}
        if found.growth is not None:
            words["growth"] = findings.growth(found.growth, found.spread_skill)
        for name, sent in charts.convergence(found).items():
            self.charts[name].show(*sent)
            self._words[name].object = caption(words[name])
            self.charts[name].describe(f"{findings.CHECKS[name][0]}. {words[name]}")
            self._key(name)

    def _key(self, name: str) -> None:
        chart = self.charts[name]
        self._legends[name].object = legend(
            [chart.layers[key] for key in chart.shown()], self.state.theme
        )
