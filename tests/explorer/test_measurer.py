"""Regions and the line are measured as the library would, at rest, when they are open."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer import Explorer
from explorer.measurer import LENS
from explorer.regions import outline, to_plane
from explorer.store import Circles
from massgan_core.peaks import (
    aperture_mass,
    circle_mask,
    measure_region,
    profile,
    separation,
)
from massgan_core.sky import inside_polygon

CIRCLE = ("circle", 150.05, 2.2, 3.0)
BOX = ("box", 149.9, 2.2, 6.0, 5.0)
FAR = ("circle", 160.0, 2.2, 3.0)
LINE = (150.2, 2.1, 149.8, 2.3)


def scene(explorer: Explorer, *, run: bool = True, then: Any = None) -> None:
    """Open, draw where asked for, and let all that follows end."""

    async def play() -> None:
        await explorer.open()
        if run:
            explorer.start()
            await explorer.runner._task
        if then is not None:
            then()
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)

    asyncio.run(play())


def test_numbers_are_the_librarys(explorer: Explorer) -> None:
    explorer.state.param.update(measure=True, regions=(CIRCLE, BOX, FAR), line=LINE)
    scene(explorer)
    found, summary = explorer.measurer.found, explorer.runner.summary
    grid, area = summary.field.grid, summary.field.footprint
    assert found.n == 4 and list(found.rows) == [CIRCLE, BOX, FAR]

    place = to_plane(grid, CIRCLE[1:3])
    want = measure_region(summary.samples, grid, area, circle_mask(grid, tuple(place[0]), 3.0))
    got = found.rows[CIRCLE]
    torch.testing.assert_close(got.found.kappa.values, want.kappa.values)
    torch.testing.assert_close(got.found.peak.values, want.peak.values)
    mass = aperture_mass(summary.samples, grid, area, place, 3.0)[:, 0]
    torch.testing.assert_close(got.mass.values, mass)

    inside = inside_polygon(grid, outline(grid, BOX))
    want = measure_region(summary.samples, grid, area, inside)
    torch.testing.assert_close(found.rows[BOX].found.kappa.values, want.kappa.values)
    assert found.rows[BOX].mass is None
    assert found.rows[FAR].found is None and found.rows[FAR].problem == "outside the footprint"

    ends = [tuple(map(float, end)) for end in to_plane(grid, LINE)]
    for name, image in (("mean", summary.mean), ("samples", summary.samples)):
        along = getattr(found.section, name)
        expected = profile(image, grid, area, *ends).kappa
        torch.testing.assert_close(along.kappa, expected, equal_nan=True)
    truth = profile(summary.field.truth, grid, area, *ends).kappa
    torch.testing.assert_close(found.section.truth.kappa, truth, equal_nan=True)
    assert found.section.ks is not None
    assert (found.ruler.length, found.ruler.angle) == separation(LINE[:2], LINE[2:])


def test_nothing_is_measured_while_closed(explorer: Explorer) -> None:
    explorer.state.regions = (CIRCLE,)
    scene(explorer)
    assert explorer.measurer.found is None
    scene(explorer, then=lambda: setattr(explorer.state, "measure", True))
    assert CIRCLE in explorer.measurer.found.rows


def test_without_samples_a_line_is_still_measured(explorer: Explorer) -> None:
    explorer.state.param.update(measure=True, regions=(CIRCLE,), line=LINE)
    scene(explorer, run=False)
    found = explorer.measurer.found
    assert found.rows == {} and found.n == 0 and found.section.mean is None
    assert found.section.truth is not None and found.ruler.length > 0


def test_samples_known_by_their_mean_give_means(explorer: Explorer) -> None:
    *_, last = mg.stream(mg.sampler("wiener", _field(explorer)), _field(explorer), 3, 3)
    moments = mg.Summary(last.field, last.moments)
    explorer.state.param.update(measure=True, regions=(CIRCLE,))
    scene(explorer, run=False, then=lambda: setattr(explorer, "known", moments))
    found = explorer.measurer.found
    assert found.n == 0 and len(found.rows[CIRCLE].found.kappa.values) == 1
    both = measure_region(last.samples, last.field.grid, last.field.footprint, _inside(last))
    kappa = found.rows[CIRCLE].found.kappa
    assert kappa.mean == pytest.approx(both.kappa.mean, abs=1e-7) and np.isnan(kappa.std)


def _field(explorer: Explorer) -> Any:
    from explorer import store

    return store.read(explorer.state.field_choice())


def _inside(summary: Any) -> Any:
    grid = summary.field.grid
    return circle_mask(grid, tuple(to_plane(grid, CIRCLE[1:3])[0]), CIRCLE[3])


def test_a_region_more_leaves_the_others_as_they_are(explorer: Explorer) -> None:
    explorer.state.param.update(measure=True, regions=(CIRCLE,))
    kept = []

    def more() -> None:
        explorer.state.regions = (CIRCLE, BOX)

    scene(explorer)
    kept.append(explorer.measurer.found.rows[CIRCLE])

    async def again() -> None:
        more()
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)

    asyncio.run(again())
    found = explorer.measurer.found
    assert found.rows[CIRCLE] is kept[0] and found.rows[BOX].found is not None


def test_another_field_forgets_what_was_measured(explorer: Explorer) -> None:
    explorer.state.param.update(measure=True, regions=(CIRCLE,))
    scene(explorer)
    explorer.store.clear()
    assert explorer.measurer.found is None


def test_the_redshift_is_chosen_or_that_of_the_cluster(explorer: Explorer) -> None:
    measurer, one = explorer.measurer, np.ones(1)
    assert measurer.redshift() == LENS
    names = np.array(["A"])
    explorer.store.circles = Circles(0 * one, 0 * one, one, names, 0.22 * one, one)
    explorer.state.cluster = "A"
    assert measurer.redshift() == pytest.approx(0.22)
    explorer.state.lens_redshift = 0.7
    assert measurer.redshift() == 0.7
