"""What every benchmark gets: rounds in which works take turns, and a place for what they find."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from statistics import median
from time import perf_counter

import psutil
import pytest
import torch

from performance.clock import Clock, Times, Work

VERSIONS = ("massgan", "torch", "numpy", "scipy", "panel", "bokeh")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.addoption("--rounds", type=int, default=5, help="of each measurement")
    parser.addoption("--quick", action="store_true", help="small sizes: does everything run?")


def pytest_configure(config: pytest.Config) -> None:
    torch.set_num_threads(config.getoption("--threads"))


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict) -> None:
    machine_info["threads"] = torch.get_num_threads()
    machine_info["cores"] = os.cpu_count()
    machine_info["memory"] = psutil.virtual_memory().total
    machine_info["load"] = os.getloadavg()[0]
    machine_info["python"] = platform.python_version()
    machine_info["versions"] = {name: version(name) for name in VERSIONS}


class Bench:
    """Times works in turn and keeps what was found of them in pytest-benchmark's JSON."""

    def __init__(self, benchmark, rounds: int, quick: bool) -> None:
        self._benchmark, self.rounds, self.quick = benchmark, rounds, quick
        self.clock = Clock(repeats=rounds)
        self._info = benchmark.extra_info
        self._info["figures"] = []

    def in_turn(
        self, works: dict[str, Work], rounds: int | None = None, *, warm: bool = True
    ) -> Times:
        """Seconds of every work in every round; pytest-benchmark times the first of them.

        The others run before each of its rounds, so that all see one load of the machine.
        """
        (name, first), *others = works.items()
        times: Times = {other: [] for other, _ in others}
        for work in works.values() if warm else ():
            work()

        def before() -> None:
            for other, work in others:
                times[other].append(self.clock.once(work))

        used, start = _seconds_of_others(), perf_counter()
        self._benchmark.pedantic(first, setup=before, rounds=rounds or self.rounds)
        busy = (_seconds_of_others() - used) / (perf_counter() - start)
        times = {name: list(self._benchmark.stats.stats.data)} | times
        self._info["medians"] = {k: median(v) for k, v in times.items()}
        self._info["cores of others"] = max(busy, 0.0)
        return times

    def say(
        self,
        figure: str,
        value: float,
        unit: str = "",
        *,
        least: float | None = None,
        most: float | None = None,
    ) -> None:
        """Keep a figure; with a bar it should reach, from below or above."""
        row = {"figure": figure, "value": float(value), "unit": unit, "least": least, "most": most}
        self._info["figures"].append(row)
        print(f"\n{figure}: {value:.4g} {unit}", end="")


def _seconds_of_others() -> float:
    """Processor time [s] that all but this process and its children have used."""
    all_of, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = all_of.idle + getattr(all_of, "iowait", 0.0)
    mine = own.user + own.system + own.children_user + own.children_system
    # Guests are counted in `user` as well.
    return sum(all_of) - idle - getattr(all_of, "guest", 0.0) - mine


@pytest.fixture
def bench(benchmark, request: pytest.FixtureRequest) -> Bench:
    """See :class:`Bench`."""
    option = request.config.getoption
    quick = option("--quick")
    return Bench(benchmark, 2 if quick else option("--rounds"), quick)
