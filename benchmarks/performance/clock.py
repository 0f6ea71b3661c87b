"""Seconds of work, so that machines and moments can be compared: medians, and works in turn."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch

Work = Callable[[], object]
Times = dict[str, list[float]]  #: seconds of every round, by what was timed


class Clock:
    """Times work on a device, each after one call that only warms up.

    Args:
        device: Waited for before and after.
        repeats: Rounds.
    """

    def __init__(self, device: torch.device | str = "cpu", repeats: int = 5) -> None:
        self.device, self.repeats = torch.device(device), repeats

    def __call__(self, work: Work, times: int = 1) -> float:
        """Median seconds of one call, of rounds of `times` calls."""
        work()
        return median(self.once(work, times) for _ in range(self.repeats))

    def in_turn(self, works: dict[str, Work]) -> Times:
        """Seconds of every work in every round, one after the other, so that all see one load."""
        for work in works.values():
            work()
        rounds = [{k: self.once(w) for k, w in works.items()} for _ in range(self.repeats)]
        return {name: [row[name] for row in rounds] for name in works}

    def once(self, work: Work, times: int = 1) -> float:
        """Seconds of one call, the mean of `times` calls."""
        self._wait()
        start = perf_counter()
        for _ in range(times):
            work()
        self._wait()
        return (perf_counter() - start) / times

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def ratio(times: Times, above: str, below: str) -> float:
    """Seconds of `above` over those of `below`: the median over the rounds of both."""
    return median(a / b for a, b in zip(times[above], times[below], strict=True))


def fastest(clock: Clock, works: dict[int, Work]) -> int:
    """The batch whose samples took least, each tried once: `works` paints batches by size."""
    for work in works.values():
        work()
    return min(works, key=lambda n: clock.once(works[n]) / n)
