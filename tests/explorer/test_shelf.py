"""One budget for the samples of all sessions, and each drawn once."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
import torch

import massgan_core as mg
from explorer.runner import Runner
from explorer.shelf import Drawn, Reader, Shelf
from explorer.turns import Turns

BATCH = 2


class Counted:
    """A sampler that says what it was asked for."""

    name = "counted"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def sample(self, field: Any, n: int, generator: Any = None) -> torch.Tensor:
        draws = mg.Draws.of(generator)
        self.asked.append(draws.next)
        return draws.normal(n, field.grid.shape)


@pytest.fixture
def sampler() -> Counted:
    return Counted()


@pytest.fixture
def ask(small_field: Any, sampler: Counted) -> Any:
    """Opens a reader on a shelf, as a session does."""

    def reader(shelf: Shelf, n: int, seed: int = 3, field: Any = small_field) -> Reader:
        def drawn() -> Drawn:
            return Drawn(sampler, field, BATCH, seed)

        return Reader(shelf.tape(("counted", BATCH, seed), field, drawn), n)

    return reader


def _bytes(field: Any, samples: int) -> int:
    return 4 * samples * field.grid.shape[0] * field.grid.shape[1]


def check_is_the_stream(summaries: list, field: Any, n: int, seed: int = 3) -> None:
    expected = list(mg.stream(Counted(), field, n, BATCH, seed=seed, keep=n))
    assert [s.n for s in summaries] == [s.n for s in expected]
    for ours, theirs in zip(summaries, expected, strict=True):
        assert torch.equal(ours.mean, theirs.mean)
        assert torch.equal(ours.samples, theirs.samples[ours.first :])
        assert ours.first + ours.kept == ours.n
        assert ours.provenance == theirs.provenance


def test_a_reader_gives_the_librarys_stream(ask: Any, small_field: Any) -> None:
    summaries = list(ask(Shelf(), 5))
    check_is_the_stream(summaries, small_field, 5)
    assert summaries[-1].kept == 5


def test_equal_requests_share_their_samples(ask: Any, sampler: Counted, small_field: Any) -> None:
    shelf = Shelf()
    one, two = ask(shelf, 6), ask(shelf, 8)
    first = list(one)
    check_is_the_stream(list(two), small_field, 8)
    assert sampler.asked == [0, 2, 4, 6]
    assert shelf.size == _bytes(small_field, 8)
    shared = {id(batch) for _, batch in two.tape._batches.values()}
    assert {id(batch) for batch in first[-1].batches} <= shared


def test_other_seeds_and_other_fields_share_nothing(ask: Any, small_field: Any) -> None:
    from dataclasses import replace

    shelf = Shelf()
    mine, theirs = ask(shelf, 2), ask(shelf, 2, seed=4)
    twin = ask(shelf, 2, field=replace(small_field))
    assert len({id(reader.tape) for reader in (mine, theirs, twin)}) == 3


def test_over_budget_the_oldest_go_and_moments_go_on(ask: Any, small_field: Any) -> None:
    shelf = Shelf(_bytes(small_field, 6))
    old, new = ask(shelf, 4), ask(shelf, 8, seed=4)
    (*_, before) = old
    told: list[str] = []
    old.on_drop = lambda: told.append("old")
    summaries = list(new)
    check_is_the_stream(summaries, small_field, 8, seed=4)
    assert shelf.size <= shelf.budget
    # First the four of the older run went, then the first two of the new one.
    assert told == ["old", "old"]
    assert (summaries[-1].first, summaries[-1].kept) == (2, 6)
    after = old.shortened(before)
    assert (after.n, after.kept, after.first) == (4, 0, 4)
    assert torch.equal(after.mean, before.mean) and after.samples.shape[0] == 0
    assert new.shortened(summaries[-1]) is summaries[-1]


def test_who_comes_too_late_draws_again(ask: Any, sampler: Counted, small_field: Any) -> None:
    shelf = Shelf(_bytes(small_field, 4))
    slow, quick = ask(shelf, 8), ask(shelf, 8)
    summaries = [next(slow)]
    list(quick)
    sampler.asked.clear()
    summaries += slow
    check_is_the_stream(summaries, small_field, 8)
    assert sampler.asked == [2, 4, 6]


def test_a_failure_leaves_the_tape_whole(
    ask: Any, sampler: Counted, small_field: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, sample = ask(Shelf(), 6), sampler.sample
    summaries = [next(reader)]

    def fails(*given: Any) -> None:
        raise RuntimeError("stopped on its way")

    monkeypatch.setattr(sampler, "sample", fails)
    with pytest.raises(RuntimeError, match="on its way"):
        next(reader)
    monkeypatch.setattr(sampler, "sample", sample)
    check_is_the_stream([*summaries, *reader], small_field, 6)


def test_samples_that_no_session_shows_are_gone(ask: Any) -> None:
    shelf = Shelf()
    reader = ask(shelf, 4)
    last = list(reader)[-1]
    assert shelf.size > 0
    del reader, last
    gc.collect()
    assert shelf.size == 0


def test_a_resting_session_lets_go_of_what_has_no_room(ask: Any, small_field: Any) -> None:
    shelf, runner = Shelf(_bytes(small_field, 4)), Runner(Turns())

    async def scene() -> None:
        await runner.start(lambda: ask(shelf, 4), 4)
        assert runner.phase == "finished" and runner.summary.kept == 4
        await asyncio.to_thread(lambda: next(ask(shelf, 2, seed=9)))
        while runner.summary.kept == 4:
            await asyncio.sleep(0.001)

    asyncio.run(scene())
    assert (runner.n, runner.summary.kept, runner.summary.first) == (4, 2, 2)
    runner.reset()
    gc.collect()
    assert shelf.size == 0
