"""Many sessions of one process: each is served, none sees another, none stays behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any
from weakref import ref

import pytest

from explorer import Explorer, store
from explorer.runner import Runner
from explorer.turns import TURNS, Turns
from explorer.views.page import Page
from explorer.widgets.texts import waiting

CHOICES = {"source": "simulated", "kind": "nfw", "sampler": "wiener", "batch": 1}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)


def test_everyone_has_a_first_sample_before_anyone_has_a_third_batch() -> None:
    explorers = [Explorer(**CHOICES, n=4, seed=i) for i in range(5)]
    turns, order, seen_waiting = Turns(), [], []
    for number, explorer in enumerate(explorers):
        runner = explorer.runner
        runner._turns = turns
        runner.param.watch(lambda e, i=number: e.new and order.append((e.new.n, i)), "summary")
        runner.param.watch(lambda e: seen_waiting.append(e.new), "ahead")

    async def scene() -> None:
        for explorer in explorers:
            await explorer.open()
        for explorer in explorers:
            explorer.start()
        await asyncio.gather(*[explorer.runner._task for explorer in explorers])

    asyncio.run(scene())
    third = next(place for place, (n, _) in enumerate(order) if n == 3)
    assert {i for n, i in order[:third] if n == 1} == set(range(5))
    assert max(seen_waiting) >= 1  # those who waited were told
    assert all(explorer.runner.ahead == 0 for explorer in explorers)


def test_who_is_ahead_is_said_on_the_progress_line() -> None:
    explorer = Explorer(**CHOICES)
    page = Page(explorer)
    asyncio.run(explorer.open())
    explorer.runner.phase = "running"
    explorer.runner.ahead = 2
    assert "2 sessions ahead of you" in page.status.object
    explorer.runner.ahead = 0
    assert "Drawing the first samples" in page.status.object
    assert waiting(1) == "Waiting: 1 session ahead of you"


def test_a_closed_session_leaves_nothing_alive() -> None:
    async def scene() -> tuple[list, int]:
        before, left = asyncio.all_tasks(), []
        for seed in range(3):
            explorer = Explorer(**CHOICES, n=4096, seed=seed)
            explorer.__panel__()
            (page,) = explorer._pages
            await explorer.open()
            explorer.start()
            while explorer.runner.n < 1:
                await asyncio.sleep(0.01)
            left += [ref(explorer), ref(page), ref(explorer.runner)]
            tasks = {explorer.runner._task, *explorer._tasks}
            explorer.close()
            tasks |= explorer._tasks  # what still ends by itself, in a thread
            await asyncio.gather(*tasks, return_exceptions=True)
            del explorer, page, tasks
        await asyncio.sleep(0)
        return left, len(asyncio.all_tasks() - before)

    left, tasks = asyncio.run(scene())
    TURNS.submit(lambda: None).result()  # the batch that was under way ends by itself
    gc.collect()
    assert tasks == 0
    assert [one() for one in left] == [None] * len(left)


def test_two_sessions_share_no_model_and_no_choice() -> None:
    one, two = Explorer(**CHOICES, n=2, seed=1), Explorer(**CHOICES, n=2, seed=1)
    pages = Page(one), Page(two)

    async def scene() -> None:
        await one.open()
        await two.open()
        one.start()
        await one.runner._task

    asyncio.run(scene())
    assert two.runner.summary is None and two.phase == "idle"
    assert pages[1].maps.maps["mean"].source.data["image"] == []
    one.state.param.update(limit=0.3, theme="dark", cluster="x")
    assert (two.state.limit, two.state.theme, two.state.cluster) == (0.1, "light", "")
    first, second = ({m.id for m in page.layout.get_root().references()} for page in pages)
    assert not first & second


def test_runners_without_a_queue_wait_for_nobody() -> None:
    assert Runner(Turns()).ahead == 0
