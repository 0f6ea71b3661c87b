"""Undo and redo of choices; samples are not kept, for the same choices draw the same ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import param

if TYPE_CHECKING:
    from explorer.state import State

LONGEST = 200  #: steps kept
PAUSE = 1.0  #: changes of one choice that follow each other faster [s] are one: a slider's


class History(param.Parameterized):
    """The choices as they were, one step for all that one click changed.

    Nothing is noted before :meth:`begin`: what a link brings is where a session starts.
    """

    can_undo = param.Boolean(default=False, doc="There is a step to take back.")
    can_redo = param.Boolean(default=False, doc="A step was taken back and nothing done since.")

    def __init__(self, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.state, self._clock = state, clock
        self._steps: list[dict[str, Any]] = []
        self._at, self._waiting = 0, False
        self._last: tuple[frozenset[str], float] = (frozenset(), float("-inf"))

    def begin(self) -> None:
        """Follow the choices from now on; later calls do nothing."""
        if not self._steps:
            self._steps = [self._snapshot()]
            self.state.param.watch(self._on_change, self.state.names())

    def undo(self) -> None:
        """Take back the last step, if there is one."""
        self._go(self._at - 1)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._go(self._at + 1)

    def _snapshot(self) -> dict[str, Any]:
        return {name: getattr(self.state, name) for name in self.state.names()}

    def _on_change(self, *_: param.parameterized.Event) -> None:
        # One click may set off more changes, each in a call of its own, before the loop turns.
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._note()
            return
        if not self._waiting:
            self._waiting = True
            loop.call_soon(self._note)

    def _note(self) -> None:
        self._waiting = False
        now, before = self._snapshot(), self._steps[self._at]
        names = frozenset(name for name in now if now[name] != before[name])
        if not names:
            return  # undone, or changed and changed back
        moment, (last, then) = self._clock(), self._last
        follows = names == last and moment - then < PAUSE and self._at > 0
        self._steps[self._at + (not follows) :] = [now]
        del self._steps[:-LONGEST]
        self._at, self._last = len(self._steps) - 1, (names, moment)
        self._tell()

    def _go(self, to: int) -> None:
        if self._waiting:
            self._note()
            to = min(to, len(self._steps) - 1)
        if not 0 <= to < len(self._steps):
            return
        self._at, self._last = to, (frozenset(), float("-inf"))
        # Twice: what follows from one choice may have moved another, once.
        for _ in range(2):
            self.state.param.update(**self._steps[to])
        self._tell()

    def _tell(self) -> None:
        self.param.update(can_undo=self._at > 0, can_redo=self._at < len(self._steps) - 1)
