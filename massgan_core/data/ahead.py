"""Batches loaded by a background thread a few numbers ahead of the one asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """``ahead(i)`` is ``load(i)``, for any order of calls; i + 1 … i + depth are begun.

    At most ``depth`` results wait. An error of `load` is raised where its number is asked for.

    Args:
        load: Function of a batch number alone.
        depth: How many numbers to run ahead; 0 loads when asked, without a thread.
    """

    def __init__(self, load: Callable[[int], T], depth: int = 2) -> None:
        self._load, self._depth = load, depth
        self._coming: dict[int, Future[T]] = {}
        self._pool = ThreadPoolExecutor(1, "maps-ahead") if depth > 0 else None

    def __call__(self, index: int) -> T:
        """The result for `index`."""
        if self._pool is None:
            return self._load(index)
        wanted = range(index, index + self._depth + 1)
        for number in [n for n in self._coming if n not in wanted]:
            self._coming.pop(number).cancel()
        for number in wanted:
            if number not in self._coming:
                self._coming[number] = self._pool.submit(self._load, number)
        return self._coming.pop(index).result()
