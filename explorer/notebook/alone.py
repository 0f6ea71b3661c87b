"""What the views of a notebook have in common: a look, an alert, and no server behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
import param
from panel.io.notebook import push_on_root
from panel.viewable import Viewer

from explorer.notebook import cells
from explorer.runner import sentence
from explorer.state import State
from explorer.widgets.arrival import Arrival
from explorer.widgets.calm import Calm, sheet, tokens
from explorer.widgets.texts import alert, text


class Alone(Viewer):
    """A part of the page that is shown by itself.

    Args:
        choices: Any parameter of :class:`explorer.state.State`, e.g. ``theme="dark"``.
    """

    state = param.ClassSelector(class_=State, constant=True, doc="Choices: theme, limits, …")

    def __init__(self, choices: dict[str, Any], **params: Any) -> None:
        # "file": neither the galaxies of COSMOS nor the words of a simulation belong here.
        super().__init__(state=State(source="file", **choices), **params)
        self._tasks: set[asyncio.Task] = set()
        self._order = asyncio.Lock()  # one work after the other: the last choice is shown last
        self._alert, self._arrival = text("", visible=False), Arrival()
        self.layout = pn.Column(
            self._arrival,
            self._alert,
            css_classes=["mg-root", f"mg-{self.state.theme}"],
            stylesheets=[tokens(), sheet("page")],
            design=Calm,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._follow(self._update_theme, "theme", "colors", "clusters")
        cells.register(self)

    def replaced(self) -> None:
        """End what runs: the cell that made this was run again."""
        for task in list(self._tasks):
            task.cancel()

    def paint(self, theme: str) -> None:
        """Take the theme."""
        raise NotImplementedError

    def _update_theme(self) -> None:
        self.layout.css_classes = ["mg-root", f"mg-{self.state.theme}"]
        self.paint(self.state.theme)

    def _follow(self, call: Callable[[], None], *names: str) -> None:
        """Have `call` change the view whenever one of these choices changes."""
        self.state.param.watch(lambda *_: self._deliver(call), list(names))

    def _deliver(self, call: Callable[[], None]) -> None:
        """Run `call` and send what it changed, once the view is there to take it."""
        self._arrival.deliver(partial(self._push, call), self.layout)

    def _push(self, call: Callable[[], None]) -> None:
        call()
        for ref in list(self.layout._models):
            push_on_root(ref)  # Bokeh's models do not send themselves

    def _later(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Hand the result of `work` to `then`; in a thread where an event loop can wait."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script
            self._deliver(lambda: then(work()))
            return

        async def wait() -> None:
            try:
                async with self._order:
                    found = await asyncio.to_thread(work)
            except Exception as problem:
                self._deliver(partial(self._say, sentence(problem)))
            else:
                self._deliver(lambda: then(found))

        task = loop.create_task(wait())
        self._tasks.add(task)  # the loop holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    def _say(self, error: str) -> None:
        self._alert.param.update(object=alert(error), visible=bool(error))

    def __panel__(self) -> pn.viewable.Viewable:
        return self.layout

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        # Nothing shows in a notebook before Panel is loaded; inline, so from no other host.
        if not pn.extension._loaded:
            pn.extension(inline=True)
        return super()._repr_mimebundle_(include, exclude)
