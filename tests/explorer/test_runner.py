"""The run: what it draws is what the library streams, however it is paused, stopped, shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
import torch

import massgan_core as mg
from explorer.runner import Runner, sentence
from explorer.turns import Turns

PATIENCE = 60


@pytest.fixture
def draw(small_field: Any) -> Callable[..., Callable[[], Iterator]]:
    """Opens a Wiener stream of the small field."""

    def with_(n: int = 5, batch: int = 2, seed: int = 3) -> Callable[[], Iterator]:
        return lambda: mg.stream(_wiener(), small_field, n, batch, seed=seed)

    return with_


def _wiener() -> mg.Wiener:
    ell = torch.logspace(1, 5, 50).double().numpy()
    return mg.Wiener(mg.PowerSpectrum(ell, 1e-9 * (ell / 1000) ** -1.0))


def _last(stream: Iterator) -> Any:
    *_, last = stream
    return last


async def _until(runner: Runner, holds: Callable[[], bool]) -> None:
    """Wait for the runner to change until `holds`."""
    changed = asyncio.Event()
    watcher = runner.param.watch(lambda *_: changed.set(), ["phase", "summary"])
    try:
        while not holds():
            changed.clear()
            await asyncio.wait_for(changed.wait(), PATIENCE)
    finally:
        runner.param.unwatch(watcher)


def _equal(one: Any, other: Any) -> None:
    assert one.n == other.n
    for name in ("mean", "std", "samples"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=0, atol=0)


def test_a_run_is_the_librarys_stream(draw: Any) -> None:
    runner, seen = Runner(Turns()), []
    runner.param.watch(lambda event: event.new and seen.append(event.new.n), "summary")
    asyncio.run(_run(runner, draw(5, 2), 5))
    assert (runner.phase, runner.n, seen) == ("finished", 5, [2, 4, 5])
    _equal(runner.summary, _last(draw(5, 2)()))
    assert runner.rate > 0 and runner.remaining == 0


async def _run(runner: Runner, draw: Any, total: int) -> None:
    await runner.start(draw, total)


def test_pause_and_go_on_change_nothing(draw: Any) -> None:
    runner = Runner(Turns())

    async def scene() -> None:
        task = runner.start(draw(6, 2), 6)
        await _until(runner, lambda: runner.n >= 2)
        runner.pause()
        assert runner.phase == "paused" and runner.active
        runner.pause()
        runner.resume()
        assert runner.phase == "running"
        await task

    asyncio.run(scene())
    assert runner.phase == "finished"
    _equal(runner.summary, _last(draw(6, 2)()))


def test_paused_run_draws_nothing_more() -> None:
    runner, drawn = Runner(Turns()), []

    def numbers() -> Iterator:
        for n in range(1, 100):
            drawn.append(n)
            yield Count(n)

    async def scene() -> None:
        runner.start(numbers, 99)
        await _until(runner, lambda: runner.n >= 1)
        runner.pause()
        await asyncio.sleep(0.2)  # time for a batch that was under way
        before = len(drawn)
        await asyncio.sleep(0.2)
        assert len(drawn) == before == runner.n
        runner.stop()
        assert runner.phase == "stopped"

    asyncio.run(scene())


class Count:
    def __init__(self, n: int) -> None:
        self.n = n


def test_stop_is_known_at_once_and_its_batch_thrown_away() -> None:
    runner, begun, gate, drawn = Runner(Turns()), Event(), Event(), []

    def numbers() -> Iterator:
        yield Count(1)
        begun.set()
        gate.wait(PATIENCE)
        drawn.append(2)
        yield Count(2)
        drawn.append(3)
        yield Count(3)

    async def scene() -> None:
        task = runner.start(numbers, 3)
        await asyncio.to_thread(begun.wait, PATIENCE)
        runner.stop()
        assert (runner.phase, runner.n) == ("stopped", 1)
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wrap_future(runner._turns.submit(lambda: None))
        assert (runner.phase, runner.n, drawn) == ("stopped", 1, [2])

    asyncio.run(scene())


def test_start_again_ends_the_run_before(draw: Any) -> None:
    runner = Runner(Turns())

    async def scene() -> None:
        runner.start(draw(50, 1, seed=1), 50)
        await _until(runner, lambda: runner.n >= 1)
        await runner.start(draw(4, 2, seed=9), 4)

    asyncio.run(scene())
    assert runner.phase == "finished"
    _equal(runner.summary, _last(draw(4, 2, seed=9)()))


def test_two_sessions_take_turns_and_keep_to_themselves(draw: Any) -> None:
    turns, order = Turns(), []
    one, two = Runner(turns), Runner(turns)
    one.param.watch(lambda event: event.new and order.append("one"), "summary")
    two.param.watch(lambda event: event.new and order.append("two"), "summary")

    async def scene() -> None:
        await asyncio.gather(one.start(draw(6, 1, 1), 6), two.start(draw(6, 1, 2), 6))

    asyncio.run(scene())
    _equal(one.summary, _last(draw(6, 1, 1)()))
    _equal(two.summary, _last(draw(6, 1, 2)()))
    # Nobody draws twice while the other waits, but for the start and the end.
    pairs = [order[i] == order[i + 1] for i in range(1, len(order) - 2)]
    assert sum(pairs) <= 2, order


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("`n` must be at least 1, got 0"), "`n` must be at least 1, got 0"),
        (
            KeyError("unknown checkpoint 'x'; known: default"),
            "unknown checkpoint 'x'; known: default",
        ),
        (FileNotFoundError(2, "No such file or directory", "a.fits"), "a.fits"),
        (ZeroDivisionError("division by zero"), "something unexpected happened: Zero"),
    ],
)
def test_failure_is_one_sentence_and_the_runner_goes_on(
    error: Exception, said: str, draw: Any
) -> None:
    assert said in sentence(error)
    runner = Runner(Turns())

    def fails() -> Iterator:
        raise error

    asyncio.run(_run(runner, fails, 4))
    assert runner.phase == "failed" and said in runner.error
    asyncio.run(_run(runner, draw(2, 2), 2))
    assert runner.phase == "finished" and runner.error == ""


def test_reset_forgets(draw: Any) -> None:
    runner = Runner(Turns())
    asyncio.run(_run(runner, draw(2, 2), 2))
    runner.reset()
    assert (runner.phase, runner.n, runner.total, runner.summary) == ("idle", 0, 0, None)
