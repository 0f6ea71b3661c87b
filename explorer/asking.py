"""Asking what takes long: in a thread, one question at a time, until the answer is of now."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import param


class Asking(param.Parameterized):
    """Follows choices and samples, which may overtake an answer while it is worked out.

    A subclass says what it wants to know (:meth:`_wanted`), and takes an answer
    (:meth:`_answer`); it calls :meth:`_look` whenever what it wants may have changed.

    Args:
        spawn: Starts a coroutine on the session's event loop.
        quietly: Awaits a call made in a thread; None, and an alert, if it fails.
    """

    busy = param.Boolean(default=False, doc="An answer is being worked out.")

    def __init__(self, *, spawn: Callable[[Coroutine], None], quietly: Callable[..., Any]) -> None:
        super().__init__()
        self._spawn, self._quietly = spawn, quietly

    def _wanted(self) -> Any:
        """The question of now; None where there is none, or its answer is known."""
        raise NotImplementedError

    async def _answer(self, wanted: Any) -> bool:
        """Work out and take the answer; whether to go on."""
        raise NotImplementedError

    def _look(self, *_: param.parameterized.Event) -> None:
        """See whether there is something to ask."""
        if not self.busy and self._wanted() is not None:
            self._spawn(self._ask())

    async def _ask(self) -> None:
        if self.busy:
            return
        self.busy = True
        try:
            while (wanted := self._wanted()) is not None:
                if not await self._answer(wanted):
                    return
        finally:
            self.busy = False
