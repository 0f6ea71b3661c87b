"""Tools: what is chosen lies over all maps; what is wrong is said beside the widget."""

from __future__ import annotations

import asyncio

import numpy as np
import panel as pn
import pytest

from explorer import Explorer
from explorer.elements.contours import SIGNAL_LEVELS, contours
from explorer.views.overlays import Overlays, contour_words
from explorer.views.page import Page
from explorer.views.tools import CONTOURS, CROSSED, LESS, SPANS, STRETCHES, Tools


async def _settled(explorer: Explorer) -> None:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)
        await asyncio.sleep(0)


def _over(page: Page) -> Overlays:
    return page.overlays


def test_every_choice_is_offered_in_words(explorer: Explorer) -> None:
    for options, name in ((SPANS, "span"), (STRETCHES, "stretch"), (CONTOURS, "contours")):
        assert set(options.values()) == set(explorer.state.param[name].objects)
    tools = Tools(explorer)
    assert not tools.fold.visible
    tools.more.param.trigger("clicks")
    assert tools.fold.visible and tools.more.label == LESS
    labels = [w.label for w in tools.layout.select(pn.widgets.Widget)]
    assert all(labels) and len(set(labels)) == len(labels)


def test_typed_limits_must_be_in_order(explorer: Explorer) -> None:
    page, state = Page(explorer), explorer.state
    asyncio.run(explorer.open())
    tools, ks = page.sidebar.tools, page.maps.maps["ks"]
    assert not tools.typed.visible
    state.param.update(span="typed", low=-0.02, high=0.2)
    assert tools.typed.visible and not tools.limit_words.visible
    assert ks.limits == (-0.02, 0.2) and ks.mapper.low == -0.02
    state.low = 0.5
    assert tools.limit_words.visible and CROSSED in tools.limit_words.object
    assert ks.limits == (-state.limit, state.limit)


def test_a_share_of_the_pixels_decides_for_each_map(explorer: Explorer) -> None:
    page = Page(explorer)
    asyncio.run(explorer.open())
    ks, highs = page.maps.maps["ks"], []
    for span in ("90", "99", "full"):
        explorer.state.span = span
        highs.append(ks.limits[1])
    assert highs == sorted(highs)
    inside = explorer.store.seen["ks"][explorer.store.footprint]
    assert highs[-1] == pytest.approx(np.abs(inside).max())


def test_a_stretch_changes_colours_and_no_value(explorer: Explorer) -> None:
    page = Page(explorer)
    asyncio.run(explorer.open())
    ks, bar = page.maps.maps["ks"], page.maps._bars["ks"].object
    plain = list(ks.mapper.palette)
    explorer.state.stretch = "asinh"
    (shown,) = ks.source.data["image"]
    np.testing.assert_array_equal(shown, explorer.store.seen["ks"])
    assert ks.source.data["stretch"] == ["asinh"] and list(ks.mapper.palette) != plain
    assert page.maps._bars["ks"].object != bar
    explorer.state.stretch = "linear"
    assert list(ks.mapper.palette) == plain and page.maps._bars["ks"].object == bar


def test_contours_are_those_of_the_map_that_is_there(explorer: Explorer) -> None:
    page, over = Page(explorer), None

    async def scene() -> None:
        nonlocal over
        await explorer.open()
        over = page.overlays.over
        explorer.state.contours = "snr"
        await _settled(explorer)
        assert over.contours.data["xs"] == []
        assert "Waiting for Signal to noise" in page.sidebar.tools.contour_words.object
        explorer.start()
        await explorer.runner._task
        await _settled(explorer)

    asyncio.run(scene())
    summary, field = explorer.runner.summary, explorer.store.field
    expected = contours(summary.snr.numpy(), explorer.store.footprint, field.grid, SIGNAL_LEVELS)
    assert dict(over.contours.data) == expected
    assert contour_words("snr", SIGNAL_LEVELS) in page.sidebar.tools.contour_words.object
    explorer.state.contours = "none"
    assert over.contours.data["xs"] == []


def test_lines_bar_and_hatch_come_and_go(explorer: Explorer) -> None:
    page = Page(explorer)

    async def scene() -> None:
        await explorer.open()
        over = page.overlays.over
        sources = (over.graticule, over.degrees, over.bar, over.length, over.hatch)
        assert not any(source.data["xs" if "xs" in source.data else "x"] for source in sources)
        explorer.state.param.update(graticule=True, scale_bar=True, hatched=True)
        await _settled(explorer)
        assert all(source.data["xs" if "xs" in source.data else "x"] for source in sources)
        before = over.length.data["text"]
        page.maps.sky.x_range.update(start=-2, end=2)
        assert over.length.data["text"] != before
        explorer.state.param.update(graticule=False, scale_bar=False, hatched=False)
        assert not any(source.data["xs" if "xs" in source.data else "x"] for source in sources)

    asyncio.run(scene())


def test_a_place_moves_all_maps_and_a_wrong_one_is_a_sentence(explorer: Explorer) -> None:
    page = Page(explorer)
    tools, sky = page.sidebar.tools, page.maps.sky

    async def scene() -> None:
        await explorer.open()
        whole = page.overlays.view
        tools.place.value = "150.1 2.2"
        await _settled(explorer)
        (x,), (y,) = (sky.overlays.place.data[name] for name in ("x", "y"))
        assert (sky.x_range.start + sky.x_range.end) / 2 == pytest.approx(x, abs=1e-6)
        assert x == pytest.approx(-6, abs=0.01) and y == pytest.approx(0, abs=0.01)
        assert explorer.state.place == "150.1 2.2" and not tools.place_words.visible
        there = page.overlays.view
        for text, said in (("nowhere", "A place must be"), ("10 10", "outside"), ("<", "must")):
            tools.place.value = text
            await _settled(explorer)
            assert said in tools.place_words.object and tools.place_words.visible
            assert page.overlays.view == there
        tools.view.param.trigger("clicks")
        assert page.overlays.view == whole
        tools.place.value = ""
        await _settled(explorer)
        assert not tools.place_words.visible and sky.overlays.place.data["x"] == []

    asyncio.run(scene())


def test_keys_and_buttons_undo_and_reset(explorer: Explorer) -> None:
    page, tools, state = Page(explorer), None, explorer.state
    explorer.history.begin()
    tools = page.sidebar.tools
    assert tools.undo.disabled and tools.redo.disabled
    state.stretch = "sqrt"
    state.n = 9
    assert not tools.undo.disabled
    page.press("z")
    assert (state.n, state.stretch) == (4, "sqrt") and not tools.redo.disabled
    page.press("y")
    assert state.n == 9
    tools.choices.param.trigger("clicks")
    assert state.changed() == {}
    tools.undo.param.trigger("clicks")
    assert (state.n, state.stretch) == (9, "sqrt")
