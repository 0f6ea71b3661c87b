"""Taking turns at what draws samples: this process, or several others.

Every session asks for one batch at a time and asks again when it has it, so a queue is a
round-robin. A session without a picture yet goes first; what is drawn ahead of anyone's asking
goes last.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from queue import PriorityQueue
from threading import Lock, Thread, current_thread, local
from typing import Any, NamedTuple

FIRST, NEXT, SPARE = range(3)  #: whose turn comes before whose


def _never() -> bool:
    return False


class Later(Exception):
    """Raised by a call that wants what another turn is drawing: call again once one has ended."""


class Turn(NamedTuple):
    """A call in the queue, in the order in which it comes out."""

    rank: int
    ticket: int
    future: Future
    call: Callable[[], Any]
    given_up: Callable[[], bool]

    @property
    def wanted(self) -> bool:
        """Whether someone waits for it."""
        return not (self.future.cancelled() or self.given_up())


class Turns:
    """Worker threads, one for each batch that can be drawn at once, and a fair queue before them.

    Attributes:
        slots: Number of threads; with the next calls others begin, or some end.
    """

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self._restart()

    def submit(
        self,
        call: Callable[[], Any],
        *,
        first: bool = False,
        spare: bool = False,
        given_up: Callable[[], bool] = _never,
    ) -> Future:
        """Run `call` when its turn comes.

        Args:
            call: May ask :meth:`given_up` on its way, and raise when it is true; or raise
                :class:`Later`.
            first: Pass those who have had a turn.
            spare: Let everyone pass; given up once it keeps someone from a first picture.
            given_up: Whether nobody waits for it any more.
        """
        with self._lock:
            while len(self._threads) < self.slots:
                thread = Thread(target=self._work, name="massgan-sampling", daemon=True)
                self._threads.append(thread)
                thread.start()
        future: Future = Future()
        if spare:
            asked, given_up = given_up, lambda: asked() or self._in_the_way()
        rank = FIRST if first else SPARE if spare else NEXT
        self._queue.put(Turn(rank, next(self._ticket), future, call, given_up))
        return future

    def ahead(self, future: Future) -> int:
        """How many others get their turn before the one that `future` waits for."""
        waiting = self._waiting()
        own = next((turn for turn in waiting if turn.future is future), None)
        if own is None:  # under way, or done
            return 0
        before = [turn for turn in waiting if turn[:2] < own[:2]]
        return sum(turn.wanted for turn in before) + self._busy

    def given_up(self) -> bool:
        """Whether nobody waits for the call under way in this thread."""
        return getattr(self._own, "given_up", _never)()

    def _in_the_way(self) -> bool:
        if self._busy < len(self._threads):
            return False
        return any(turn.rank == FIRST and turn.wanted for turn in self._waiting())

    def _waiting(self) -> list[Turn]:
        with self._queue.mutex:
            return list(self._queue.queue)

    def _work(self) -> None:
        while True:
            turn = self._queue.get()
            with self._lock:
                if len(self._threads) > self.slots:
                    self._threads.remove(current_thread())
                    self._queue.put(turn)
                    return
            if turn.rank == SPARE and not turn.wanted:
                turn.future.cancel()
            # One that was put off has begun already.
            if turn.future.running() or turn.future.set_running_or_notify_cancel():
                self._do(turn)
            del turn  # while it waits for the next turn it must not hold samples

    def _do(self, turn: Turn) -> None:
        with self._lock:
            self._busy += 1
            ended = self._ended
        self._own.given_up, later = turn.given_up, False
        try:
            turn.future.set_result(turn.call())
        except Later:
            later = True
        except BaseException as error:  # handed to whoever waits, never lost here
            turn.future.set_exception(error)
        self._own.given_up = _never
        with self._lock:
            self._busy -= 1
            if later and ended == self._ended:
                self._put_off.append(turn)
                return
            if later:  # what it waits for may be there by now
                again = [turn]
            else:
                self._ended += 1
                again, self._put_off = self._put_off, []
        for turn in again:
            self._queue.put(turn)

    def _restart(self) -> None:
        """Threads do not survive a fork: a child starts with an empty queue and no thread."""
        self._queue: PriorityQueue = PriorityQueue()
        self._ticket, self._own, self._lock = count(), local(), Lock()
        self._threads: list[Thread] = []
        self._busy = self._ended = 0  # turns under way, and turns that have ended
        self._put_off: list[Turn] = []  # until another turn ends


TURNS = Turns()  #: of this process; holds nothing of any session but the batches it waits for
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TURNS._restart)
