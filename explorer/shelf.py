"""The samples that all sessions of this process keep, within one budget.

A **tape** holds the samples of one request – field, sampler, batch, seed – drawn once, whoever
asks. A session reads it from the first sample; what is not there yet is drawn. Over budget the
oldest samples of all go, from the front of their tapes; moments have seen them and go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, WeakValueDictionary

import massgan_core as mg

if TYPE_CHECKING:
    from torch import Tensor

    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField

Draw = Callable[[int], "Drawn"]
BUDGET = 2 * 10**9  #: bytes of samples that all sessions keep
MOST_HELD = 64  #: tapes that stay for those who come later


class Shelf:
    """All tapes that a session still reads, or shows.

    Args:
        budget: Bytes of samples, at most; what is on the way is not counted.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget, self.lock, self.clock = budget, RLock(), count()
        self._tapes: WeakValueDictionary[tuple, Tape] = WeakValueDictionary()
        self._all: WeakSet[Tape] = WeakSet()
        self._held: deque[Tape] | None = None

    def hold(self) -> None:
        """From now on hold the latest tapes that no session reads any more, too.

        A class is at one step of a lesson, but not at one time.
        """
        self._held = deque(maxlen=MOST_HELD)

    @property
    def size(self) -> int:
        """Bytes kept now."""
        with self.lock:
            return sum(tape.size for tape in self._all)

    def tape(self, request: tuple, field: ShearField, draw: Draw) -> Tape:
        """The tape of a request, from its first sample.

        Args:
            request: What the samples depend on beside the field.
            field: The field itself: an equal one of another session is not the same.
            draw: Opens the samples from a batch on.
        """
        key = (id(field), *request)
        with self.lock:
            tape = self._tapes.get(key)
            if tape is None or tape.first > 0:
                tape = self._tapes[key] = self._new(field, draw)
            if self._held is not None:
                with suppress(ValueError):
                    self._held.remove(tape)
                self._held.append(tape)  # the last asked for goes last
            return tape

    def again(self, tape: Tape, number: int) -> Tape:
        """Another tape of the same request, from batch `number` on."""
        with self.lock:
            return self._new(tape.field, tape.draw, number)

    def _new(self, *given: Any) -> Tape:
        tape = Tape(self, *given)
        self._all.add(tape)
        return tape

    def make_room(self) -> None:
        """Drop the oldest samples of all until the rest is within the budget."""
        with self.lock:
            while self.size > self.budget:
                oldest = min((t for t in self._all if t.size), key=lambda t: t.age)
                oldest.drop()
                if self._held is not None and not oldest.size:
                    with suppress(ValueError):
                        self._held.remove(oldest)


class Drawn:
    """Samples without end from batch `number` on, and their provenance."""

    def __init__(
        self, sampler: Any, field: ShearField, batch: int, seed: int, number: int = 0
    ) -> None:
        from massgan_core.posterior import endless, provenance

        self.provenance = provenance(sampler, batch, seed)
        self.batches = endless(sampler, field, batch, seed=seed, first=number * batch)


class Tape:
    """Batches of one request, in order; see :meth:`Shelf.tape`.

    Only the one thread that samples asks for batches; they may go at any time.
    """

    def __init__(self, shelf: Shelf, field: ShearField, draw: Draw, first: int = 0) -> None:
        self.shelf, self.field, self.first = shelf, field, first
        self.readers: WeakSet[Reader] = WeakSet()
        self.draw, self._drawn = draw, None
        self._batches: list[tuple[int, Tensor]] = []  # with the time of their arrival

    @property
    def size(self) -> int:
        """Bytes of what is kept."""
        return sum(batch.nbytes for _, batch in self._batches)

    @property
    def age(self) -> int:
        """When the oldest batch came; smaller is older."""
        return self._batches[0][0]

    @property
    def provenance(self) -> dict[str, Any]:
        """Of the samples."""
        return self._opened().provenance

    def batch(self, number: int) -> Tensor | None:
        """A batch, drawn if it is the next one; None if it is gone."""
        with self.shelf.lock:
            at = number - self.first
            if at < len(self._batches):
                return self._batches[at][1] if at >= 0 else None
        try:
            fresh = next(self._opened().batches)  # not under the lock: it takes long
        except Exception:
            self._drawn = None  # a generator that raised is over: open another
            raise
        with self.shelf.lock:
            self._batches.append((next(self.shelf.clock), fresh))
            self.shelf.make_room()
        return fresh

    def drop(self) -> None:
        """Let the oldest batch go."""
        del self._batches[0]
        self.first += 1
        for reader in list(self.readers):
            reader.on_drop()

    def _opened(self) -> Drawn:
        if self._drawn is None:
            self._drawn = self.draw(self.first + len(self._batches))
        return self._drawn


class Reader:
    """One session's way along a tape: a stream of summaries, as ``mg.stream`` gives them.

    Args:
        tape: Read from its first sample.
        n: Number of samples.
    """

    def __init__(self, tape: Tape, n: int) -> None:
        self.n = n
        self.on_drop: Callable[[], None] = lambda: None  #: the tape has lost its oldest batch
        self._moments, self._number = mg.RunningMoments(), 0
        self._kept: dict[int, Tensor] = {}  # by number of the batch
        self._follow(tape)

    def __iter__(self) -> Iterator[Summary]:
        return self

    def __next__(self) -> Summary:
        left = self.n - self._moments.n
        if left <= 0:
            raise StopIteration
        batch = self.tape.batch(self._number)
        if batch is None:  # it went before this session came to it: draw it again
            self._follow(self.tape.shelf.again(self.tape, self._number))
            batch = self.tape.batch(self._number)
        part = batch if len(batch) <= left else batch[:left]
        with self.tape.shelf.lock:
            self._moments = self._moments.update(part)
            self._kept[self._number] = part
            self._number += 1
            return self._summary()

    def shortened(self, summary: Summary) -> Summary:
        """`summary`, one that this reader gave, without the batches that are gone."""
        with self.tape.shelf.lock:
            there = {id(part) for part in self._there()}
        parts = tuple(part for part in summary.batches if id(part) in there)
        if len(parts) == len(summary.batches):
            return summary
        return replace(summary, batches=parts, first=summary.n - sum(map(len, parts)))

    def _summary(self) -> Summary:
        from massgan_core.posterior import Summary

        parts = self._there()
        first = self._moments.n - sum(map(len, parts))
        return Summary(self.tape.field, self._moments, parts, self.tape.provenance, first)

    def _there(self) -> tuple[Tensor, ...]:
        first = self.tape.first
        self._kept = {number: part for number, part in self._kept.items() if number >= first}
        return tuple(self._kept.values())

    def _follow(self, tape: Tape) -> None:
        self.tape = tape
        tape.readers.add(self)


SHELF = Shelf()  #: of this process
