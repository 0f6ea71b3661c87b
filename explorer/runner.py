"""The one mutable thing of a session: a run that can start, pause and stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import param

from explorer.shelf import Reader
from explorer.turns import TURNS, Turns

if TYPE_CHECKING:
    from concurrent.futures import Future

    from massgan_core.posterior import Summary

PHASES = ("idle", "running", "paused", "finished", "stopped", "failed")
LOOK = 0.5  #: between two looks at the queue [s]
_ENDED = object()


class Runner(param.Parameterized):
    """Draws a posterior stream without blocking the page.

    Parameters change on the event loop's thread alone; only the next batch is drawn elsewhere.
    A stop is known at once and the batch under way thrown away; a sampler that asks on its way
    whether it is still wanted (:meth:`explorer.turns.Turns.given_up`) ends early.
    """

    phase = param.Selector(default="idle", objects=PHASES, doc="Where the run stands.")
    total = param.Integer(default=0, bounds=(0, None), doc="Samples asked for.")
    summary = param.Parameter(default=None, doc="Latest running summary; None before the first.")
    ahead = param.Integer(
        default=0, bounds=(0, None), doc="Sessions that draw before this one's first batch."
    )
    error = param.String(default="", doc="Why the run failed, in one sentence.")
    seconds = param.Number(default=0.0, doc="Time spent sampling, pauses left out [s].")

    def __init__(self, turns: Turns = TURNS, **params: object) -> None:
        super().__init__(**params)
        self._turns, self._runs, self._run = turns, count(1), 0
        self._going: asyncio.Event | None = None
        self._task: asyncio.Task | None = None
        self._stream: Iterator[Summary] | None = None  # whose latest summary is shown

    @property
    def n(self) -> int:
        """Samples drawn so far."""
        return 0 if self.summary is None else self.summary.n

    @property
    def active(self) -> bool:
        """Running or paused: there is something to stop."""
        return self.phase in ("running", "paused")

    @property
    def at_rest(self) -> bool:
        """Samples are there and no others are asked for, or not now."""
        return self.summary is not None and self.phase in ("paused", "finished", "stopped")

    @property
    def rate(self) -> float:
        """Samples per second since Start; 0 before the first."""
        return self.n / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float:
        """Expected time left [s]; infinite while nothing is known."""
        return (self.total - self.n) / self.rate if self.rate else float("inf")

    def start(self, draw: Callable[[], Iterator[Summary]], total: int) -> asyncio.Task:
        """Stop what runs and draw `total` samples from the stream that `draw` opens.

        `draw` is called in the worker thread, so it may load a sampler.
        """
        self.stop()
        self._run, self._going = next(self._runs), asyncio.Event()
        self._going.set()
        self.param.update(phase="running", total=total, summary=None, error="", seconds=0.0)
        self._task = asyncio.get_running_loop().create_task(self._draw(self._run, draw))
        return self._task

    def pause(self) -> None:
        """Hold after the batch under way; its samples still count."""
        if self.phase == "running":
            self._going.clear()
            self.phase = "paused"

    def resume(self) -> None:
        """Go on with the same stream, as if there had been no pause."""
        if self.phase == "paused":
            self._going.set()
            self.phase = "running"

    def stop(self) -> None:
        """End the run now and keep what there is; harmless when nothing runs."""
        self._run = 0
        if self._going is not None:
            self._going.set()
        if self._task is not None and not self._task.done():
            with suppress(RuntimeError):  # the loop is gone already: so is the task
                self._task.cancel()
        if self.active:
            self.phase = "stopped"

    def reset(self) -> None:
        """Stop and forget the samples: another field is shown."""
        self.stop()
        self._stream = None
        self.param.update(phase="idle", total=0, summary=None, error="", seconds=0.0)

    def _dropped(self, loop: asyncio.AbstractEventLoop, reader: Reader) -> None:
        # Said by whichever thread needed the room.
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(self._shorten, reader)

    def _shorten(self, reader: Reader) -> None:
        """Let go of samples that there is no room for any more."""
        if reader is self._stream and self.summary is not None:
            self.summary = reader.shortened(self.summary)

    async def _draw(self, run: int, draw: Callable[[], Iterator[Summary]]) -> None:
        stream: Iterator[Summary] | None = None
        loop, spares = asyncio.get_running_loop(), []

        def batch() -> object:
            nonlocal stream
            if run != self._run:  # stopped while it waited for its turn
                return _ENDED
            if stream is None:
                # The last run's is held until now: an equal one finds its samples there.
                self._stream = stream = draw()
                if isinstance(stream, Reader):
                    stream.on_drop = partial(self._dropped, loop, stream)
            return next(stream, _ENDED)

        try:
            while run == self._run:
                await self._going.wait()
                began = time.monotonic()
                future = self._turns.submit(
                    batch, first=self.summary is None, given_up=partial(self._is_over, run)
                )
                if isinstance(stream, Reader):  # others may be idle meanwhile
                    spares = self._spares(stream, run, spares)
                summary = await self._waited(future)
                if run != self._run:
                    return
                if summary is _ENDED:
                    self.phase = "finished"
                    return
                self.seconds += time.monotonic() - began
                done = summary.n >= self.total
                phase = "finished" if done else self.phase
                self.param.update(summary=summary, phase=phase)
                if done:
                    return
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if run == self._run:
                logging.getLogger(__name__).warning("a run failed", exc_info=error)
                self.param.update(error=sentence(error), phase="failed")

    def _spares(self, stream: Reader, run: int, asked: list[Future]) -> list[Future]:
        """Let those who have nothing else to do draw what this run asks for next."""
        asked = [future for future in asked if not future.done()]
        ahead = partial(stream.draw_ahead, self._turns.slots)
        while len(asked) < self._turns.slots - 1:
            given_up = partial(self._is_over, run)
            asked.append(self._turns.submit(ahead, spare=True, given_up=given_up))
        return asked

    def _is_over(self, run: int) -> bool:
        return run != self._run

    async def _waited(self, future: Future) -> object:
        """The result of a turn; before the first picture, tell how many are ahead."""
        waiter = asyncio.wrap_future(future)
        try:
            while self.summary is None and not waiter.done():
                self.ahead = self._turns.ahead(future)
                await asyncio.wait([waiter], timeout=LOOK)
            return await waiter
        finally:
            waiter.cancel()  # does nothing to one that is done
            self.ahead = 0


def sentence(error: Exception) -> str:
    """What a person is told of `error`: the library's own sentence where there is one."""
    # str() of a KeyError is the repr of its message.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    known = isinstance(error, ValueError | KeyError | OSError | RuntimeError)
    return text if known and text else f"something unexpected happened: {error!r}"
