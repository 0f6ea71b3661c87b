"""Tools of the field, by setting their widgets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import param
import pytest

from explorer import Explorer, parts
from explorer import store as library
from explorer.elements.sky import Sky
from explorer.state import State
from explorer.views.field_tools import BY_HAND, WHOLE, Depth, HolesCard, Regions

TRIANGLE = [[-8.0, -8.0], [8.0, -8.0], [0.0, 9.5]]


def drawn(final: bool = True, kind: str = "poly") -> Any:
    x, y = zip(*TRIANGLE, strict=True)
    return SimpleNamespace(final=final, geometry={"type": kind, "x": x, "y": y})


def slide(depth: Depth, value: float) -> None:
    with param.edit_constant(depth.slider):
        depth.slider.param.update(value=value, value_throttled=value)


def test_a_hole_is_drawn_taken_back_and_closed() -> None:
    state = State(source="simulated")
    card = HolesCard(state, Sky())
    state.param.watch(lambda _: card.update(), "cut")
    assert card.undo.disabled
    card.on_drawn(drawn(final=False))
    card.on_drawn(drawn(kind="rect"))
    assert state.cut == []
    card.on_drawn(drawn())
    card.on_drawn(drawn())
    assert state.cut == [TRIANGLE, TRIANGLE] and not card.undo.disabled
    assert card.map.holes.data["xs"] == [[-8.0, 8.0, 0.0]] * 2
    card.undo.param.trigger("clicks")
    assert state.cut == [TRIANGLE]
    card.clear.param.trigger("clicks")
    assert state.cut == [] and card.undo.disabled


def test_the_thirteenth_hole_is_refused_in_a_sentence() -> None:
    state = State(source="simulated", cut=[TRIANGLE] * 12)
    card = HolesCard(state, Sky())
    card.on_drawn(drawn())
    assert len(state.cut) == 12 and "the most" in card._words.object


def test_the_slider_is_logarithmic_and_follows_the_presets(explorer: Explorer) -> None:
    depth = Depth(explorer)
    slide(depth, 2.0)
    assert explorer.state.depth == 100.0
    explorer.state.depth = 10.0
    assert depth.slider.value == pytest.approx(1.0)
    explorer.state.depth = None
    assert 10**depth.slider.value == pytest.approx(library.COSMOS_DEPTH)


@pytest.mark.parametrize(("redraw", "n"), [(True, 4), (False, 0)])
def test_samples_are_drawn_anew_where_there_were_some(
    explorer: Explorer, redraw: bool, n: int
) -> None:
    async def journey() -> None:
        explorer.state.redraw = redraw
        await explorer.open()
        explorer.deepen(50.0)
        await settled(explorer)
        assert explorer.runner.n == 0  # none were there
        explorer.start()
        await settled(explorer)
        assert explorer.runner.n == 4
        explorer.deepen(90.0)
        await settled(explorer)
        assert explorer.state.depth == 90.0 and explorer.runner.n == n

    asyncio.run(journey())


def test_another_choice_ends_the_drawing_anew(explorer: Explorer) -> None:
    async def journey() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)
        explorer.deepen(90.0)
        explorer.state.sky_seed = 5
        await settled(explorer)
        assert explorer.runner.n == 0 and explorer.phase == "idle"

    asyncio.run(journey())


def test_named_regions_and_a_box_beside_them() -> None:
    state = State()
    regions = Regions(state)
    assert regions.choice.visible and regions.choice.value == "None"
    name, region = next(iter(parts.regions().items()))
    regions.choice.value = regions.choice.options[name]
    assert state.region == region and region[2:] == (20.0, 20.0)
    state.region = (150.1, 2.2, 10.0, 10.0)
    assert BY_HAND in regions.choice.options
    regions.choice.value = regions.choice.options[WHOLE]
    assert state.region is None and BY_HAND not in regions.choice.options
    state.source = "simulated"
    assert not regions.choice.visible


async def settled(explorer: Explorer) -> None:
    """Until nothing that was begun is under way."""
    await asyncio.sleep(0)
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)
        await asyncio.sleep(0)
