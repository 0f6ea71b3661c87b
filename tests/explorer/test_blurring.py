"""Blurred maps follow samples and choices: the library's arrays, from some samples, then all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np

import massgan_core as mg
from explorer import Explorer
from explorer.blurring import SPREAD
from explorer.recipes import BLURRED

EVERY = {"pictures": list(BLURRED)}


async def settled(explorer: Explorer) -> dict:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)
        await asyncio.sleep(0)
    return explorer.blurring.found


def check_all(found: dict, summary: Any, blur: float, number: int | None = None) -> None:
    """Every map is the library's own, of all samples kept."""
    soft, newest = mg.SmoothedSamples(blur), summary.kept - 1
    wanted = {name: getattr(soft, name)(summary) for name in ("mean", "std", "snr", "residual")}
    at = newest if number is None else number
    wanted["sample"] = soft.sample(summary, at)
    for name, image in wanted.items():
        np.testing.assert_array_equal(found[name].image, image.numpy(), err_msg=name)
        assert (found[name].blur, found[name].of) == (blur, summary.n)
        assert found[name].n == (at + 1 if name == "sample" else summary.n)


def test_the_maps_follow_samples_blur_and_the_player(explorer: Explorer) -> None:
    state, blurring = explorer.state, explorer.blurring

    async def scene() -> None:
        await explorer.open()
        state.param.update(EVERY)
        explorer.start()
        assert await settled(explorer) == {}  # no blur: nothing is made
        for blur in (1.0, 2.5):
            state.blur = blur
            check_all(await settled(explorer), explorer.runner.summary, blur)
        blurring.play(1)
        check_all(await settled(explorer), explorer.runner.summary, 2.5, number=1)
        state.seed = 8
        explorer.start()
        check_all(await settled(explorer), explorer.runner.summary, 2.5, number=1)
        state.blur = 0.0
        assert await settled(explorer) == {}
        assert blurring._soft._blocks == {}

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_only_what_is_on_the_page_is_made(explorer: Explorer, monkeypatch: Any) -> None:
    monkeypatch.setattr(mg.SmoothedSamples, "steps", lambda *_: 1 / 0)

    async def scene() -> None:
        await explorer.open()
        explorer.state.param.update(pictures=["mean"], blur=1.0)
        explorer.start()
        assert set(await settled(explorer)) == {"mean"}
        assert explorer.alert == ""

    asyncio.run(asyncio.wait_for(scene(), 60))


def many(field: Any, n: int = 160) -> Any:
    *_, summary = mg.stream(mg.sampler("wiener", field), field, n, 16, seed=3, keep=n)
    return summary


def test_a_first_estimate_is_of_a_part_and_the_mean_comes_before_it(
    explorer: Explorer, small_field: Any
) -> None:
    summary, seen = many(small_field), []
    explorer.blurring.param.watch(lambda event: seen.append(event.new), "found")

    async def scene() -> None:
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.runner.param.update(summary=summary, phase="finished")
        check_all(await settled(explorer), summary, 1.0)

    asyncio.run(asyncio.wait_for(scene(), 60))
    mean, part, whole = seen
    assert set(mean) == {*BLURRED} - {*SPREAD}
    assert (part["std"].n, part["std"].of) == (64, 160) and whole["std"].n == 160
    newest = replace(summary, batches=summary.batches[-4:], first=96)
    expected = mg.SmoothedSamples(1.0).std(newest)
    np.testing.assert_array_equal(part["std"].image, expected.numpy())
    assert part["mean"] is whole["mean"]


def test_another_blur_does_not_wait_for_the_last(
    explorer: Explorer, small_field: Any, monkeypatch: Any
) -> None:
    summary, steps, stepped = many(small_field), mg.SmoothedSamples.steps, []

    def counted(self: Any, of: Any) -> Any:
        for n in steps(self, of):
            stepped.append(self.smoothing)
            if self.smoothing == 1.0:
                loop.call_soon_threadsafe(setattr, explorer.state, "blur", 2.0)
            yield n

    monkeypatch.setattr(mg.SmoothedSamples, "steps", counted)

    async def scene() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.runner.param.update(summary=summary, phase="finished")
        found = await settled(explorer)
        monkeypatch.undo()
        check_all(found, summary, 2.0)

    loop: Any = None
    asyncio.run(asyncio.wait_for(scene(), 60))
    assert stepped.count(1.0) < 5 and stepped.count(2.0) == 5  # blocks of 32


def test_what_the_last_run_left_does_not_come_back(
    explorer: Explorer, small_field: Any, monkeypatch: Any
) -> None:
    summary, spread = many(small_field, 32), mg.SmoothedSamples.spread

    def late(self: Any, of: Any) -> Any:
        loop.call_soon_threadsafe(explorer.runner.reset)
        return spread(self, of)

    monkeypatch.setattr(mg.SmoothedSamples, "spread", late)

    async def scene() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.runner.param.update(summary=summary, phase="finished")
        assert await settled(explorer) == {}

    loop: Any = None
    asyncio.run(asyncio.wait_for(scene(), 60))


def test_samples_that_went_are_not_counted(explorer: Explorer, small_field: Any) -> None:
    summary = many(small_field)
    short = replace(summary, batches=summary.batches[6:], first=96)

    async def scene() -> None:
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.runner.param.update(summary=summary, phase="finished")
        await settled(explorer)
        # The std is not on the page any more, and its samples go: nothing holds them.
        explorer.state.pictures = ["mean"]
        explorer.runner.summary = short
        await settled(explorer)
        assert explorer.blurring._made == {"mean": (short, 1.0)}
        explorer.state.pictures = ["mean", "std"]
        found = await settled(explorer)
        assert (found["std"].n, found["std"].of) == (64, 160)
        assert found["mean"].n == 160
        assert len(explorer.blurring._soft._blocks) == 2  # of 32 samples

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_what_was_drawn_beforehand_has_a_blurred_mean_alone(
    explorer: Explorer, small_field: Any
) -> None:
    known = replace(many(small_field, 4), batches=(), first=4)

    async def scene() -> None:
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.known = known
        found = await settled(explorer)
        assert set(found) == {"mean", "residual"}
        expected = mg.SmoothedSamples(1.0).mean(known).numpy()
        np.testing.assert_array_equal(found["mean"].image, expected)

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_failure_is_said_and_not_repeated(explorer: Explorer, monkeypatch: Any) -> None:
    asked = []
    monkeypatch.setattr(mg.SmoothedSamples, "mean", lambda *_: asked.append(1) or 1 / 0)

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)
        explorer.state.param.update(pictures=["mean"])
        explorer.state.blur = 1.0
        assert await settled(explorer) == {}
        assert explorer.alert and not explorer.blurring.busy and len(asked) == 1

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_the_second_sampler_is_blurred_too(explorer: Explorer, small_field: Any) -> None:
    summary = many(small_field, 32)

    async def scene() -> None:
        await explorer.open()
        explorer.state.param.update(EVERY)
        explorer.state.blur = 1.0
        explorer.race.rival.param.update(summary=summary, phase="finished")
        await settled(explorer)
        check_all(explorer.blurring_beside.found, summary, 1.0)
        assert explorer.blurring.found == {}

    asyncio.run(asyncio.wait_for(scene(), 60))
