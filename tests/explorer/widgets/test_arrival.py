"""What is sent to a notebook waits until its view is there."""

from __future__ import annotations

import asyncio

import panel as pn
import pytest

from explorer.widgets import arrival
from explorer.widgets.arrival import Arrival


@pytest.fixture
def shown() -> tuple[Arrival, pn.Column]:
    here = Arrival()
    layout = pn.Column(here)
    layout.get_root()
    return here, layout


def test_before_it_is_shown_nothing_waits() -> None:
    done: list[int] = []
    Arrival().deliver(lambda: done.append(1), pn.Column())
    assert done == [1]


def test_calls_wait_for_the_view_and_keep_their_order(shown: tuple[Arrival, pn.Column]) -> None:
    here, layout = shown
    done: list[int] = []

    async def two() -> None:
        for number in (1, 2):
            here.deliver(lambda number=number: done.append(number), layout)
        assert done == []
        here._process_events({"views": 1})  # the browser
        assert done == [1, 2]
        here.deliver(lambda: done.append(3), layout)

    asyncio.run(two())
    assert done == [1, 2, 3]


def test_a_silent_browser_is_not_waited_for(
    shown: tuple[Arrival, pn.Column], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, layout = shown
    monkeypatch.setattr(arrival, "PATIENCE", 0.01)
    done: list[int] = []

    async def wait() -> None:
        here.deliver(lambda: done.append(1), layout)
        while not done:
            await asyncio.sleep(0.01)
        here.deliver(lambda: done.append(2), layout)

    asyncio.run(asyncio.wait_for(wait(), 20))
    assert done == [1, 2]


def test_a_script_waits_for_nobody(shown: tuple[Arrival, pn.Column]) -> None:
    here, layout = shown
    done: list[int] = []
    here.deliver(lambda: done.append(1), layout)
    assert done == [1]
