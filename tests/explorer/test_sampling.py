"""Sessions whose samples others draw: the same ones, shared, in turns, and nothing left over."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from threading import Condition, Event
from typing import Any

import pytest
import torch

import massgan_core as mg
from explorer import Explorer, store
from explorer.runner import Runner
from explorer.sampling import SAMPLING, VARIABLE, Sampling
from explorer.shelf import Reader, Shelf
from explorer.turns import TURNS, Later, Turns
from massgan_core.serving import Request
from massgan_core.serving_worker import Keeper

CHOICES = {"source": "simulated", "kind": "nfw", "sampler": "wiener", "batch": 2}
PATIENCE = 60


class Near:
    """Workers without processes, that say what they were asked for."""

    def __init__(self, slots: int = 1) -> None:
        self.slots, self.keeper, self.asked = slots, Keeper(), []
        self.closed = False

    def draw(self, request: Request, number: int, parcel: Any, given_up: Any) -> Any:
        answer = self.keeper.draw(request, number, parcel.digest, parcel.content, given_up)
        self.asked.append((request.seed, number))
        return answer

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> Iterator[Callable[[int], Near]]:
    """Lets a number of workers draw for all sessions."""
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "SHELF", Shelf())

    def chosen(slots: int = 1) -> Near:
        near = Near(slots)
        monkeypatch.setattr(SAMPLING, "workers", lambda: near)
        TURNS.slots = slots
        return near

    yield chosen
    TURNS.slots = 1


def run(*explorers: Explorer) -> None:
    async def scene() -> None:
        for explorer in explorers:
            await explorer.open()
        for explorer in explorers:
            explorer.start()
        await asyncio.gather(*[explorer.runner._task for explorer in explorers])

    asyncio.run(scene())
    assert [explorer.runner.phase for explorer in explorers] == ["finished"] * len(explorers)


def check_is_the_stream(explorer: Explorer, field: Any) -> None:
    state, summary = explorer.state, explorer.runner.summary
    wiener = mg.sampler("wiener", field)
    *_, last = mg.stream(wiener, field, state.n, state.batch, seed=state.seed, keep=state.n)
    assert torch.equal(summary.samples, last.samples) and torch.equal(summary.mean, last.mean)
    assert summary.provenance == last.provenance


@pytest.mark.parametrize("slots", [1, 3])
def test_sessions_of_one_field_and_seed_share(
    others: Callable[[int], Near], small_field: Any, slots: int
) -> None:
    near = others(slots)
    explorers = [Explorer(**CHOICES, n=n, seed=4) for n in (8, 8, 5)]
    run(*explorers)
    assert sorted(near.asked) == [(4, number) for number in range(4)]
    for explorer in explorers:
        check_is_the_stream(explorer, small_field)
    one, other, _ = (explorer.runner.summary.batches for explorer in explorers)
    assert list(map(id, one)) == list(map(id, other))


def test_other_seeds_are_drawn_apart(others: Callable[[int], Near], small_field: Any) -> None:
    near = others(2)
    explorers = [Explorer(**CHOICES, n=4, seed=seed) for seed in range(3)]
    run(*explorers)
    assert sorted(near.asked) == [(seed, number) for seed in range(3) for number in range(2)]
    for explorer in explorers:
        check_is_the_stream(explorer, small_field)


def test_a_real_process_draws_for_a_session_and_ends(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "SHELF", Shelf())
    SAMPLING.choose("processes:1")
    try:
        explorer = Explorer(**CHOICES, n=4, seed=2)
        run(explorer)
        check_is_the_stream(explorer, small_field)
        (pid,) = SAMPLING.workers().pids
    finally:
        SAMPLING.end()
        SAMPLING.choose("here")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert SAMPLING.workers() is None and TURNS.slots == 1
    SAMPLING.end()


def test_a_closed_session_holds_no_worker(others: Callable[[int], Near]) -> None:
    near = others(1)
    begun, wanted = Event(), []

    def draw(request: Request, number: int, parcel: Any, given_up: Any) -> Any:
        begun.set()
        while not given_up():
            time.sleep(0.001)
        wanted.append(number)
        raise RuntimeError("stopped on its way")

    near.draw = draw

    async def scene() -> None:
        explorer = Explorer(**CHOICES, n=8, seed=1)
        await explorer.open()
        explorer.start()
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        explorer.close()

    asyncio.run(scene())
    assert TURNS.submit(lambda: 3).result(PATIENCE) == 3
    assert wanted == [0]


def test_who_wants_what_is_being_drawn_lets_others_pass() -> None:
    turns, began, go, order = Turns(2), Event(), Event(), []

    def draws() -> None:
        began.set()
        go.wait(PATIENCE)
        order.append("drawn")

    def wants() -> None:
        if "drawn" not in order:
            order.append("asked")
            raise Later
        order.append("read")

    first = turns.submit(draws)
    assert began.wait(PATIENCE)
    second = turns.submit(wants)
    third = turns.submit(lambda: order.append("another"))
    third.result(PATIENCE)
    assert not second.done()
    go.set()
    for future in (first, second):
        future.result(PATIENCE)
    assert order[-2:] == ["drawn", "read"] and order.count("read") == 1
    assert order[0] == "asked" and "another" in order


def test_what_is_drawn_ahead_is_given_up_for_whoever_waits() -> None:
    turns, began, order = Turns(1), Event(), []

    def ahead() -> None:
        began.set()
        while not turns.given_up():
            time.sleep(0.001)
        order.append("ahead")

    spare = turns.submit(ahead, spare=True)
    assert began.wait(PATIENCE)
    turns.submit(lambda: order.append("wanted"), first=True).result(PATIENCE)
    spare.result(PATIENCE)
    assert order == ["ahead", "wanted"]
    late = turns.submit(lambda: order.append("never"), spare=True, given_up=lambda: True)
    turns.submit(lambda: None, spare=True).result(PATIENCE)
    assert late.cancelled() and "never" not in order


def test_a_lone_session_has_all_workers(small_field: Any, others: Callable[[int], Near]) -> None:
    """While one batch is drawn another worker draws the next: both must be under way."""
    near, both = others(2), Condition()
    together: set[int] = set()
    real = near.draw

    def draw(request: Request, number: int, parcel: Any, given_up: Any) -> Any:
        with both:
            together.add(number)
            both.notify_all()
            if number in (1, 2):
                assert both.wait_for(lambda: {1, 2} <= together, PATIENCE)
        return real(request, number, parcel, given_up)

    near.draw = draw
    explorer = Explorer(**CHOICES, n=6, seed=3)
    run(explorer)
    check_is_the_stream(explorer, small_field)
    assert sorted(number for _, number in near.asked) == [0, 1, 2]  # and none beyond what is asked


def test_fewer_threads_are_left_when_there_are_fewer_workers() -> None:
    turns = Turns(3)
    turns.submit(lambda: None).result(PATIENCE)
    assert len(turns._threads) == 3
    turns.slots = 1
    for _ in range(3):
        turns.submit(lambda: None).result(PATIENCE)
    assert len(turns._threads) == 1


def test_samples_drawn_ahead_are_dropped_with_their_tape(
    small_field: Any, others: Callable[[int], Near]
) -> None:
    others(2)
    explorer = Explorer(**CHOICES, n=6, seed=3)
    run(explorer)
    shelf = store.SHELF
    assert shelf.size > 0
    explorer.close()
    del explorer
    gc.collect()
    assert shelf.size == 0


def test_the_setting_is_an_option_or_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Sampling()
    monkeypatch.setenv(VARIABLE, "processes:none")
    with pytest.raises(ValueError, match=f"`sampling` must be here.*--sampling, or {VARIABLE}"):
        made.workers()
    made.choose("here")
    assert made.workers() is None


def test_runners_take_turns_at_several(small_field: Any) -> None:
    turns, wiener = Turns(2), mg.sampler("wiener", small_field)
    shelf, runners = Shelf(), [Runner(turns) for _ in range(3)]

    def begin(seed: int) -> Callable[[], Reader]:
        from explorer.shelf import Drawn

        return lambda: Reader(
            shelf.tape((seed,), small_field, lambda: Drawn(wiener, small_field, 1, seed)), 4
        )

    async def scene() -> None:
        await asyncio.gather(*[one.start(begin(seed), 4) for seed, one in enumerate(runners)])

    asyncio.run(scene())
    for seed, one in enumerate(runners):
        *_, last = mg.stream(wiener, small_field, 4, 1, seed=seed)
        assert torch.equal(one.summary.samples, last.samples)
