"""Ending a long computation on its way, because nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

#: Set or true: what asks it ends with :class:`Stopped`. Asked from the thread that computes.
Stop = Event | Callable[[], bool]


class Stopped(RuntimeError):
    """Ended on its way; nothing of the call is returned."""


def go_on(stop: Stop | None) -> None:
    """Return where the work is still wanted.

    Raises:
        Stopped: By `stop`.
    """
    if stop is not None and (stop.is_set() if isinstance(stop, Event) else stop()):
        raise Stopped("sampling was stopped on its way")
