"""What a blur and a threshold of the page cost while many samples are held.

    python benchmarks/smoothing.py --samples 512 --side 300 --blur 1.0

With a new blur each time: the mean; the first estimate of std and S/N (from 64 samples or more,
see `explorer.blurring`); std and S/N of all samples. With a new threshold each time: the chance,
counted in samples that are smoothed already. Prints a table, then one line of JSON [s]: the
least of several times, their median, and the least time of the processors, all threads together,
which a busy machine leaves as it is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import massgan_core as mg
from explorer.blurring import FIRST, single, spread

BATCH = 2  #: samples drawn together, as on the page


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=512, help="that are held")
    parser.add_argument("--side", type=int, default=300, help="of a sample [pixels]")
    parser.add_argument("--blur", type=float, default=1.0, help="std [arcmin]")
    parser.add_argument("--repeat", type=int, default=5, help="times each is measured")
    asked = parser.parse_args()
    summary = held(asked.samples, asked.side)
    found = {
        "mean": timed(lambda k: mean(summary, asked.blur + 0.01 * k), asked.repeat),
        "first": timed(lambda k: std(summary, asked.blur + 0.01 * k, FIRST), asked.repeat),
        "all": timed(lambda k: std(summary, asked.blur + 0.01 * k, None), asked.repeat),
    }
    smoothed = mg.SmoothedSamples(asked.blur)
    smoothed.take(summary)
    found["threshold"] = timed(
        lambda k: smoothed.probability(summary, 0.05 + 0.01 * k), asked.repeat
    )
    names = ("", "least [s]", "median [s]", "processors [s]")
    table = Table(*names, title=f"{torch.get_num_threads()} threads")
    for name, times in found.items():
        table.add_row(name, *(f"{seconds:.3f}" for seconds in times))
    Console().print(table)
    print(json.dumps({"threads": torch.get_num_threads(), **vars(asked), **found}))


def held(n: int, side: int) -> mg.Summary:
    """`n` samples of white noise on a field with a hole, all kept."""
    grid, generator = mg.Grid((side, side)), torch.Generator().manual_seed(0)
    mask = torch.ones(grid.shape, dtype=torch.bool)
    mask[side // 5 : side // 4, side // 3 : side // 2] = False
    field = mg.ShearField(
        grid, torch.zeros(grid.shape, dtype=torch.complex64), torch.ones(grid.shape), mask
    )
    moments, batches = mg.RunningMoments(), []
    for _ in range(0, n, BATCH):
        batches.append(0.05 * torch.randn(BATCH, *grid.shape, generator=generator))
        moments = moments.update(batches[-1])
    return mg.Summary(field, moments, tuple(batches))


def mean(summary: mg.Summary, blur: float) -> Any:
    """The blurred mean and the newest sample, as the page asks for them."""
    names = ("sample", "mean")
    return single(mg.SmoothedSamples(blur), summary, names, summary.kept - 1)


def std(summary: mg.Summary, blur: float, least: int | None) -> Any:
    """Std and S/N of `least` blurred samples or more; None: of all."""
    soft = mg.SmoothedSamples(blur)
    for n in soft.steps(summary):
        if least is not None and n >= least:
            break
    return spread(soft, summary)


def timed(call: Callable[[int], Any], repeat: int) -> tuple[float, float, float]:
    """Times of calls with the numbers 1, 2, …; a first one does not count."""
    call(0)
    times, spent = [], []
    for k in range(1, repeat + 1):
        began, used = time.perf_counter(), time.process_time()
        call(k)
        times.append(time.perf_counter() - began)
        spent.append(time.process_time() - used)
    return min(times), statistics.median(times), min(spent)


if __name__ == "__main__":
    main()
