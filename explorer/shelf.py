"""The samples that all sessions of this process keep, within one budget.

A **tape** holds the samples of one request – field, sampler, batch, seed – drawn once, whoever
asks. A session reads it from the first sample; what is not there yet is drawn. Over budget the
oldest samples of all go, from the front of their tapes; moments have seen them and go on.
Several threads may draw for one tape, each another batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet, WeakValueDictionary

import massgan_core as mg
from explorer.turns import Later

if TYPE_CHECKING:
    from torch import Tensor

    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField

Draw = Callable[[], "Batches"]
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
            draw: Opens its batches.
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


class Batches(Protocol):
    """The batches of one request, by number."""

    provenance: dict[str, Any]  #: of the samples, once there are any

    def __call__(self, number: int) -> Tensor:
        """Batch `number`, as often as one asks."""


class Drawn:
    """Batches that are drawn in this process."""

    def __init__(self, sampler: Any, field: ShearField, batch: int, seed: int) -> None:
        from massgan_core.posterior import endless, provenance

        self.provenance = provenance(sampler, batch, seed)
        self._from = lambda number: endless(sampler, field, batch, seed=seed, first=number * batch)

    def __call__(self, number: int) -> Tensor:
        return next(self._from(number))


class Tape:
    """Batches of one request; see :meth:`Shelf.tape`.

    Batches may go at any time, the earlier before the later.
    """

    def __init__(self, shelf: Shelf, field: ShearField, draw: Draw, first: int = 0) -> None:
        self.shelf, self.field, self.first = shelf, field, first
        self.readers: WeakSet[Reader] = WeakSet()
        self.draw, self._drawn = draw, None
        self._batches: dict[int, tuple[int, Tensor]] = {}  # with the time of their arrival
        self._under_way: set[int] = set()

    @property
    def size(self) -> int:
        """Bytes of what is kept."""
        return sum(batch.nbytes for _, batch in self._batches.values())

    @property
    def age(self) -> int:
        """When the batch that goes first came; smaller is older."""
        return self._batches[min(self._batches)][0]

    @property
    def provenance(self) -> dict[str, Any]:
        """Of the samples."""
        return self._opened().provenance

    def batch(self, number: int) -> Tensor | None:
        """A batch, drawn if it is not there yet; None if it is gone.

        Raises:
            Later: Another thread draws it.
        """
        with self.shelf.lock:
            if number < self.first:
                return None
            if number in self._batches:
                return self._batches[number][1]
            if number in self._under_way:
                raise Later
            self._under_way.add(number)
        try:
            fresh = self._opened()(number)  # not under the lock: it takes long
            with self.shelf.lock:
                if number >= self.first:
                    self._batches[number] = next(self.shelf.clock), fresh
                    self.shelf.make_room()
        finally:
            self._under_way.discard(number)
        return fresh

    def draw_ahead(self, numbers: range) -> None:
        """Draw the first of the batches `numbers` that nobody has drawn, if there is one."""
        with self.shelf.lock:
            there = self._batches.keys() | self._under_way
        number = next((number for number in numbers if number not in there), None)
        if number is not None:
            with suppress(Later):
                self.batch(number)

    def drop(self) -> None:
        """Let the earliest batch go."""
        gone = min(self._batches)
        del self._batches[gone]
        self.first = gone + 1
        for reader in list(self.readers):
            reader.on_drop()

    def _opened(self) -> Batches:
        if self._drawn is None:
            self._drawn = self.draw()
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

    def draw_ahead(self, batches: int) -> None:
        """Draw one of the next `batches` that this session will ask for, in its stead."""
        left = self.n - self._moments.n
        size = len(next(iter(self._kept.values()))) if self._kept else 0
        if size and left > 0:
            last = self._number + min(batches, -(-left // size))
            self.tape.draw_ahead(range(self._number, last))

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
