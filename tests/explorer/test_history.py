"""Undo and redo: what one click changed is one step."""

from __future__ import annotations

import asyncio

import pytest

from explorer.history import LONGEST, History
from explorer.state import State


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def state() -> State:
    return State(source="simulated")


def _of(state: State) -> dict:
    return {name: getattr(state, name) for name in state.names()}


def test_back_and_forth_is_the_same(state: State) -> None:
    history = History(state)
    history.begin()
    seen = [_of(state)]
    for change in ({"kind": "nfw", "depth": 30.0}, {"n": 7}, {"theme": "dark"}):
        state.param.update(**change)
        seen.append(_of(state))
    for expected in seen[-2::-1]:
        history.undo()
        assert _of(state) == expected
    history.undo()
    assert _of(state) == seen[0] and not history.can_undo and history.can_redo
    for expected in seen[1:]:
        history.redo()
        assert _of(state) == expected
    assert history.can_undo and not history.can_redo


def test_a_new_choice_ends_what_could_be_redone(state: State) -> None:
    history = History(state)
    history.begin()
    state.n = 7
    history.undo()
    state.seed = 3
    assert not history.can_redo
    history.redo()
    assert (state.n, state.seed) == (64, 3)


def test_what_one_click_sets_off_is_one_step(state: State) -> None:
    history, seen = History(state), []
    state.param.watch(lambda event: state.param.update(seed=event.new), "n")

    async def scene() -> None:
        history.begin()
        state.n = 7
        state.graticule = True
        await asyncio.sleep(0)
        state.param.watch(lambda *events: seen.extend(events), ["graticule"])
        history.undo()

    asyncio.run(scene())
    assert (state.n, state.seed, state.graticule) == (64, 0, False) and len(seen) == 1
    assert not history.can_undo


def test_a_slider_that_is_dragged_is_one_step(state: State) -> None:
    clock = Clock()
    history = History(state, clock)
    history.begin()
    for value in (0.2, 0.3, 0.4):
        state.limit = value
    clock.now = 5.0
    state.limit = 0.5
    history.undo()
    assert state.limit == 0.4
    history.undo()
    assert state.limit == 0.1 and not history.can_undo


def test_what_a_link_brings_is_no_step_and_memory_is_bounded(state: State) -> None:
    clock = Clock()
    history = History(state, clock)
    state.n = 9
    history.begin()
    assert not history.can_undo
    for seed in range(1, 2 * LONGEST):
        clock.now += 10
        state.seed = seed
    assert len(history._steps) == LONGEST
    history.undo()
    assert state.seed == 2 * LONGEST - 2 and state.n == 9
