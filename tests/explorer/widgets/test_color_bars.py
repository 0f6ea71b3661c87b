"""What the page says of a drag reaches the maps; bars tell which models are theirs."""

from __future__ import annotations

import asyncio
import re

import pytest
from panel.models.esm import DataEvent

from explorer import Explorer
from explorer.views.page import Page


def _bar(page: Page, name: str) -> dict[str, str]:
    return dict(re.findall(r'data-(\w+)="([^"]*)"', page.maps._bars[name].object))


def _say(page: Page, **words: object) -> None:
    page.maps.bars._process_event(DataEvent(model=None, data=words))


@pytest.fixture
def page(explorer: Explorer) -> Page:
    made = Page(explorer)
    asyncio.run(explorer.open())
    return made


def test_a_bar_knows_its_models_and_its_limits(page: Page) -> None:
    ks, said = page.maps.maps["ks"], _bar(page, "ks")
    assert (said["source"], said["mapper"]) == (ks.source.id, ks.mapper.id)
    assert (float(said["low"]), float(said["high"])) == ks.limits
    assert said["kind"] == "kappa" and page.maps.bars.palettes["kappa"] == ks.mapper.palette
    assert _bar(page, "mean") == {}  # shows nothing yet


def test_where_a_bar_is_let_go_all_maps_end(page: Page) -> None:
    _say(page, map="ks", low=-0.03, high=0.2)
    assert {page.maps.maps[name].limits for name in ("ks", "truth")} == {(-0.03, 0.2)}
    assert page.explorer.state.query()["span"] == "typed"
    assert page.sidebar.tools.typed.visible
    _say(page, map="ks")
    assert page.maps.maps["ks"].limits == (-0.1, 0.1)
    assert "span" not in page.explorer.state.query()


@pytest.mark.parametrize(
    "words",
    [None, [], {}, {"map": 1}, {"map": "ks", "low": 0}, {"map": "ks", "low": "0", "high": "1"}],
    ids=str,
)
def test_what_makes_no_sense_is_left_out(page: Page, words: object) -> None:
    before = page.explorer.state.changed()
    page.maps.bars._process_event(DataEvent(model=None, data=words))
    assert page.explorer.state.changed() == before


def test_colours_follow_the_page(page: Page) -> None:
    bars, state = page.maps.bars, page.explorer.state
    before = bars.palettes
    state.theme = "dark"
    assert bars.palettes.keys() == before.keys() and bars.palettes != before
    assert bars.centred
    state.colors = "fire"
    assert not bars.centred and bars.palettes["kappa"] == page.maps.maps["ks"].mapper.palette
