"""When a view is in the reader's browser: what is sent to a notebook before is lost.

Between the output of a cell and the view that the browser makes of it nobody listens: a change
sent then is gone, and the next one names models that the browser never heard of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import param
from panel.custom import JSComponent
from panel.viewable import Viewable

PATIENCE = 10.0  #: a browser that says nothing is not waited for any longer [s]


class Arrival(JSComponent):
    """Shows nothing; holds back changes until every view of `layout` has said that it is there."""

    views = param.Integer(default=0, doc="Views that the browser has made.")

    _esm = "export function render({ model }) { model.views += 1 }"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._held: list[Callable[[], None]] = []
        self._expected = 0
        self.param.watch(self._on_view, "views")

    def deliver(self, call: Callable[[], None], layout: Viewable) -> None:
        """Run `call`, now or when the views are there, after those that wait already."""
        self._expected = len(layout._models)
        if self.views >= self._expected:
            self._let_go()
            call()
            return
        self._held.append(call)
        if len(self._held) == 1:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # a plain script: nobody will say anything
                self._let_go()
                return
            loop.call_later(PATIENCE, self._give_up)

    def _on_view(self, _: param.parameterized.Event) -> None:
        if self.views >= self._expected:
            self._let_go()

    def _give_up(self) -> None:
        if self._held:
            self.views = max(self.views, self._expected)  # lets go

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for call in held:
            call()
