"""Blurred maps on the page: what is shown, what its words say, and when it is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer
from explorer.views.page import Page


@pytest.fixture
def page(explorer: Explorer) -> Page:
    return Page(explorer)


async def settled(explorer: Explorer) -> None:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)
        await asyncio.sleep(0)


def image(page: Page, name: str) -> np.ndarray:
    (found,) = page.maps.maps[name].source.data["image"]
    return found


def check(page: Page, blur: float, *names: str) -> None:
    """These maps are the library's, blurred, and say so."""
    summary, soft = page.explorer.runner.summary, mg.SmoothedSamples(blur)
    for name in names:
        expected = getattr(soft, name)(summary).numpy()
        np.testing.assert_array_equal(image(page, name), expected, err_msg=name)
        assert page.maps.shown()[name][2] == f"of {summary.n} samples, blurred by {blur:g}′"


def test_the_maps_are_blurred_and_sharp_again(page: Page, explorer: Explorer) -> None:
    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)
        explorer.state.blur = 1.5
        sharp = image(page, "mean")
        np.testing.assert_array_equal(sharp, explorer.runner.summary.mean.numpy())  # until then
        await settled(explorer)
        check(page, 1.5, "mean", "std")
        assert page.maps.shown()["sample"][2] == "number 4 of 4, blurred by 1.5′"
        page.maps.player.value = 2
        await settled(explorer)
        assert page.maps.shown()["sample"][2] == "number 2 of 4, blurred by 1.5′"
        second = mg.SmoothedSamples(1.5).sample(explorer.runner.summary, 1)
        np.testing.assert_array_equal(image(page, "sample"), second.numpy())
        explorer.state.blur = 0.0
        await settled(explorer)
        for name in ("mean", "std"):
            expected = getattr(explorer.runner.summary, name).numpy()
            np.testing.assert_array_equal(image(page, name), expected)
            assert "blurred" not in page.maps.shown()[name][2]
        np.testing.assert_array_equal(image(page, "sample"), explorer.runner.summary.sample(1))

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_live_page_gets_blurred_frames_and_ends_with_exact_ones(
    page: Page, explorer: Explorer
) -> None:
    explorer.state.blur, seen = 1.0, []
    explorer.blurring.param.watch(
        lambda e: "mean" in e.new and seen.append(e.new["mean"]), "found"
    )

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)

    asyncio.run(asyncio.wait_for(scene(), 60))
    counts = [soft.of for soft in seen]
    assert counts == sorted(counts) and counts[-1] == 4
    check(page, 1.0, "mean", "std")
    assert image(page, "mean").dtype == np.float32


def test_a_page_that_is_behind_gets_no_frame_between_two(
    page: Page, explorer: Explorer, monkeypatch: Any
) -> None:
    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)
        explorer.state.blur = 1.0
        await settled(explorer)
        before = image(page, "mean")
        monkeypatch.setattr(page, "ready", lambda: False)
        explorer.runner.phase = "running"
        explorer.state.blur = 2.0
        await settled(explorer)
        assert image(page, "mean") is before
        monkeypatch.undo()
        explorer.runner.phase = "stopped"
        await settled(explorer)
        check(page, 2.0, "mean", "std")

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_contours_are_those_of_the_blurred_map(page: Page, explorer: Explorer) -> None:
    async def scene() -> None:
        await explorer.open()
        explorer.state.contours = "snr"  # its map is not on the page
        explorer.state.blur = 1.0
        explorer.start()
        await settled(explorer)
        expected = mg.SmoothedSamples(1.0).snr(explorer.runner.summary).numpy()
        np.testing.assert_array_equal(page.overlays._traced[1], expected)

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_both_samplers_are_blurred_side_by_side(page: Page, explorer: Explorer) -> None:
    field_of = explorer.race.rival

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await settled(explorer)
        *_, other = mg.stream(
            mg.sampler("wiener", explorer.store.field), explorer.store.field, 3, 3, seed=9
        )
        explorer.state.param.sampler.objects = ["wiener", "gan:x"]
        explorer.state.param.beside.objects = ["", "wiener", "gan:x"]
        explorer.state.beside = "gan:x"
        explorer.race.drawn_by = "gan:x"
        field_of.param.update(summary=other, phase="finished")
        explorer.state.blur = 1.0
        await settled(explorer)
        soft = mg.SmoothedSamples(1.0)
        for side, summary in (("a", explorer.runner.summary), ("b", other)):
            (shown,) = page.race.maps[f"std_{side}"].source.data["image"]
            np.testing.assert_array_equal(shown, soft.std(summary).numpy())
        assert "of 3 samples, blurred by 1′" in page.race._words["mean_b"].object

    asyncio.run(asyncio.wait_for(scene(), 60))
