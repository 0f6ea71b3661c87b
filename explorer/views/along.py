"""The card of the line: κ along it, and how long it is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from explorer.views.measured import chart, curves, facts
from explorer.widgets.checks import legend, pane
from explorer.widgets.measure import column, measured, put
from explorer.widgets.texts import heading, text

if TYPE_CHECKING:
    from explorer.measurer import Measurer
    from explorer.state import State

TITLE = ("Along a line", "κ from one end of the line to the other; gaps were not observed.")
NO_LINE = "No line yet. Choose Line above, then drag on any map from one end to the other."
EVERYWHERE_OUT = "Nothing was observed along this line."


class Along:
    """A figure of all maps along the State's line, a ruler, and the redshift of its lengths."""

    def __init__(self, state: State, measurer: Measurer) -> None:
        self.state, self.measurer, self.chart = state, measurer, chart()
        wide = {"sizing_mode": "stretch_width", "margin": 0}
        self._legend, self._facts, self._none = pane(), measured(), measured()
        self.redshift = pn.widgets.FloatInput(
            label="Redshift of the lens",
            start=0.001,
            end=10,
            step=0.05,
            format="0.[000]",
            description="Where lengths are in Mpc. Empty: that of the chosen cluster, else 0.4.",
            **wide,
        )
        self.redshift.param.watch(self._on_redshift, "value")
        self.erase = pn.widgets.Button(label="Delete line", **wide)
        self.erase.on_click(lambda _: setattr(self.state, "line", None))
        figure = pn.pane.Bokeh(self.chart.figure, **wide)
        self.curve = column(figure, self._legend, kind="mg-stack")
        aside = column(self._facts, self.redshift, self.erase, kind="mg-stack")
        grid = column(column(self._none, self.curve, kind="mg-stack"), aside, kind="mg-along")
        # The grid's own display rule would win over its being hidden.
        self._there = pn.Column(grid, **wide)
        self._empty = measured(f'<div class="empty">{escape(NO_LINE)}</div>')
        self.layout = column(text(heading(*TITLE)), self._empty, self._there, kind="mg-card")

    def update(self) -> None:
        """Show what was measured along the line."""
        there, found = self.state.line is not None, self.measurer.found
        section = found.section if there and found is not None else None
        drawn = None if section is None else curves(section)
        if drawn is None:
            self.chart.clear()
        else:
            self.chart.show(*drawn)
        words = "Measuring …" if section is None else section.problem or EVERYWHERE_OUT
        put(self._none, f'<div class="empty">{escape(words)}</div>')
        ruler = found.ruler if there and found is not None else None
        said = "" if ruler is None else facts(ruler)
        put(self._facts, said)
        self.chart.describe(f"{TITLE[0]}. {TITLE[1]}")
        self.redshift.value = self.measurer.redshift()
        self._none.visible, self.curve.visible = drawn is None, drawn is not None
        self._there.visible, self._empty.visible = there, not there
        self._update_legend()

    def paint(self, theme: str) -> None:
        """Take the theme."""
        self.chart.paint(theme)
        self._update_legend()

    def _update_legend(self) -> None:
        layers = [self.chart.layers[key] for key in self.chart.shown()]
        put(self._legend, legend(layers, self.state.theme))

    def _on_redshift(self, event: Any) -> None:
        if event.new is None:
            self.state.lens_redshift = None
            self.redshift.value = self.measurer.redshift()
        elif event.new != self.measurer.redshift():
            self.state.lens_redshift = event.new
