"""The section that measures: shapes on every map, a row a region, a curve along the line."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from explorer import Explorer
from explorer.regions import MOST
from explorer.views.page import Page

CIRCLE = ("circle", 150.05, 2.2, 3.0)
LINE = (150.2, 2.1, 149.8, 2.3)


@pytest.fixture
def page(explorer: Explorer) -> Page:
    """A page whose samples are drawn, with the section open."""
    explorer.state.param.update(measure=True, regions=(CIRCLE,), line=LINE)
    page = Page(explorer)

    async def play() -> None:
        await explorer.open()
        explorer.start()
        await explorer.runner._task
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)

    asyncio.run(play())
    page.measure.update()
    return page


def test_what_is_measured_is_on_the_page(page: Page) -> None:
    found, section = page.explorer.measurer.found, page.measure
    kappa = found.rows[CIRCLE].found.kappa
    words = section._table.object.replace("−", "-")
    assert f"{kappa.mean:.3f} ± {kappa.std:.3f}" in words
    assert f"{kappa.above()} of 4" in words
    assert 'data-state="current" data-n="4"' in section.line.object
    shown = section.along.chart.sources["along_mean"].data["y"]
    np.testing.assert_array_equal(shown, found.section.mean.kappa.numpy())
    assert f"{found.ruler.length:.2f}′" in section.along._facts.object
    assert len(page.maps.sky.shapes._drawn) == len(page.maps.maps)


def test_drawn_shapes_are_kept_and_deleted(page: Page) -> None:
    section, shapes, state = page.measure, page.maps.sky.shapes, page.explorer.state
    shapes.done.data = {"tool": ["box"] * 2, "x": [-3.0, 2.0], "y": [-1.0, 4.0]}
    assert len(state.regions) == 2 and state.regions[1][3:] == (5.0, 5.0)
    section.update()
    assert len(shapes.regions.data["xs"]) == 2
    shapes.regions.selected.indices = [0]
    assert section.choice.value == 0
    page.press("Delete")
    assert [region[0] for region in state.regions] == ["box"]
    section.clear()
    assert state.regions == () and state.line is None


def test_closed_a_drag_moves_the_map(page: Page) -> None:
    state, shapes = page.explorer.state, page.maps.sky.shapes
    plot = shapes.figures[0]
    assert plot.toolbar.active_drag is None and shapes.hand.data["tool"] == ["circle"]
    state.measure = False
    page.measure.open()
    assert plot.toolbar.active_drag is not None and shapes.hand.data["tool"] == ["move"]
    assert not any(part.visible for part in shapes._drawn[0].values())


def test_a_page_keeps_so_many_regions_and_no_more(page: Page) -> None:
    page.measure.add([CIRCLE] * MOST)
    assert len(page.explorer.state.regions) == 1
    assert "at most 20 regions" in page.measure._words.object
