"""Galaxies to pixels, from arrays in memory; one thread."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
import torch

from massgan_core.sky import Grid
from massgan_core.survey import Catalog, cosmos_catalog
from massgan_core.survey.binning import ROWS, PixelSums
from massgan_core.survey.cosmos import CENTER, SIZE
from massgan_core.survey.gridding import grid_around, pixel_sums
from performance.clock import ratio

WIDE = 10.0  #: side of the made-up survey [deg]


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bench_cosmos(bench, one_thread):
    """417,117 galaxies of COSMOS."""
    _measure(bench, "417k", cosmos_catalog(), grid_around(CENTER, SIZE, 0.29))


def bench_wide(bench, one_thread):
    """10 million galaxies over 100 deg²."""
    _measure(bench, "10M", *_wide(bench.quick), rounds=min(bench.rounds, 3))


def _wide(quick: bool) -> tuple[Catalog, Grid]:
    count, rng = 10**5 if quick else 10**7, np.random.default_rng(1)
    ra = 150 + WIDE * (rng.random(count) - 0.5)
    dec = WIDE * (rng.random(count) - 0.5)
    e1, e2 = rng.normal(0, 0.3, (2, count))
    catalog = Catalog(ra=ra, dec=dec, e1=e1, e2=e2, weight=rng.random(count) + 0.1)
    return catalog, grid_around((150.0, 0.0), 60 * WIDE, 0.29)


def bench_binning(bench, one_thread):
    """The counts and four sums alone, pixels being known: 10 million galaxies on 300²."""
    rng, count = np.random.default_rng(1), 10**5 if bench.quick else 10**7
    grid = grid_around(CENTER, SIZE, 0.29)
    size = grid.shape[0] * grid.shape[1]
    index, value, sums = rng.integers(0, size, count), rng.random(count), PixelSums(grid)

    def work() -> None:
        for start in range(0, count, ROWS):
            part = slice(start, start + ROWS)
            sums._bin(index[part], value[part], value[part], value[part])

    times = bench.in_turn({"binning": work}, min(bench.rounds, 3))
    rate = 1e-6 * count / median(times["binning"])
    bench.say("10M galaxies, one thread: all sums alone", rate, "M galaxies/s", least=30)


def _measure(bench, name: str, catalog: Catalog, grid: Grid, rounds: int | None = None) -> None:
    """With the projection; beside it one sum of NumPy's over as many galaxies and pixels."""
    count, pixels = len(catalog), grid.shape[0] * grid.shape[1]
    x, y = grid.sky_to_pixel(catalog.ra, catalog.dec)
    column, row = (
        np.clip(np.rint(v), 0, n - 1) for v, n in ((x, grid.shape[1]), (y, grid.shape[0]))
    )
    index = (row * grid.shape[1] + column).astype(np.int64)
    weight = np.asarray(catalog.weight, float)
    times = bench.in_turn(
        {
            "gridding": lambda: pixel_sums(catalog, grid),
            "bincount": lambda: np.bincount(index, weight, pixels),
            "copy": lambda: weight.copy(),
        },
        rounds,
    )
    rate = 1e-6 * count / median(times["gridding"])
    bench.say(
        f"{name} galaxies, one thread: projection and all sums", rate, "M galaxies/s", least=2.5
    )
    words = f"{name} galaxies: over one bincount of a weight"
    bench.say(words, ratio(times, "gridding", "bincount"), "×")
    one = 1e-6 * count / median(times["bincount"])
    bench.say(f"{name} galaxies: NumPy's bincount of one weight", one, "M galaxies/s")
