"""Imports and the explorer's start, in fresh processes."""

from __future__ import annotations

from performance.clock import ratio
from performance.processes import python

PAGE = """
from explorer import Explorer
Explorer().__panel__()
"""


def bench_import(bench):
    """The package, and with a name of it (names are fetched when first asked for)."""
    works = {
        "ours": python("import massgan_core"),
        "name": python("import massgan_core; massgan_core.Grid"),
        "torch": python("import torch"),
    }
    times = bench.in_turn(works, 2 * bench.rounds)
    for name, words in (("ours", "import massgan_core"), ("name", "… and massgan_core.Grid")):
        bench.say(f"{words}, over import torch", ratio(times, name, "torch"), "×", most=1.5)


def bench_explorer(bench):
    """A process that makes the page, over one that imports what it is made with."""
    works = {"page": python(PAGE), "libraries": python("import torch, panel, holoviews")}
    times = bench.in_turn(works)
    over = ratio(times, "page", "libraries")
    bench.say("the explorer's page over importing torch, panel and holoviews", over, "×")
