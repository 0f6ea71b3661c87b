"""Taking turns at the one sampler of this process.

Every session asks for one batch at a time and asks again when it has it, so a queue is a
round-robin. A session without a picture yet goes first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from queue import PriorityQueue
from threading import Lock, Thread
from typing import Any


class Turns:
    """One worker thread and a fair queue before it."""

    def __init__(self) -> None:
        self._restart()

    def submit(
        self,
        call: Callable[[], Any],
        *,
        first: bool = False,
        given_up: Callable[[], bool] = lambda: False,
    ) -> Future:
        """Run `call` when its turn comes.

        Args:
            call: May ask :meth:`given_up` on its way, and raise when it is true.
            first: Pass those who have had a turn.
            given_up: Whether nobody waits for it any more.
        """
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="massgan-sampling", daemon=True)
                self._thread.start()
            future: Future = Future()
            turn = (0 if first else 1, next(self._ticket), future, call, given_up)
            self._queue.put(turn)
        return future

    def ahead(self, future: Future) -> int:
        """How many others get their turn before the one that `future` waits for."""
        with self._queue.mutex:
            waiting = list(self._queue.queue)
        own = next((turn[:2] for turn in waiting if turn[2] is future), None)
        if own is None:  # under way, or done
            return 0
        before = [turn for turn in waiting if turn[:2] < own]
        wanted = sum(not (turn[2].cancelled() or turn[4]()) for turn in before)
        return wanted + self._busy

    def given_up(self) -> bool:
        """Whether nobody waits for the call under way."""
        return self._given_up()

    def _work(self) -> None:
        while True:
            _, _, future, call, self._given_up = self._queue.get()
            if future.set_running_or_notify_cancel():
                self._busy = True
                try:
                    future.set_result(call())
                except BaseException as error:  # handed to whoever waits, never lost here
                    future.set_exception(error)
            self._given_up, self._busy = lambda: False, False
            del future, call  # while it waits for the next turn it must not hold samples

    def _restart(self) -> None:
        """Threads do not survive a fork: a child starts with an empty queue and no thread."""
        self._queue: PriorityQueue = PriorityQueue()
        self._ticket, self._given_up = count(), lambda: False
        self._thread: Thread | None = None
        self._busy = False  # a turn is under way
        self._lock = Lock()


TURNS = Turns()  #: of this process; holds nothing of any session but the batches it waits for
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TURNS._restart)
