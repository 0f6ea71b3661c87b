"""Imports and the explorer's start, in fresh processes."""

from __future__ import annotations

from performance.clock import ratio
from performance.processes import python

PAGE = """
from explorer import Explorer
Explorer().__panel__()
"""


def bench_import(bench):
    """`import massgan_core` over `import torch`."""
    times = bench.in_turn(
        {"ours": python("import massgan_core"), "torch": python("import torch")}, 2 * bench.rounds
    )
    bench.say(
        "import massgan_core over import torch", ratio(times, "ours", "torch"), "×", most=1.5
    )


def bench_explorer(bench):
    """A process that makes the page, over one that imports what it is made with."""
    works = {"page": python(PAGE), "libraries": python("import torch, panel, holoviews")}
    times = bench.in_turn(works)
    over = ratio(times, "page", "libraries")
    bench.say("the explorer's page over importing torch, panel and holoviews", over, "×")
