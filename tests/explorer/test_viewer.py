"""The Explorer: choices in, field and samples out, with no browser."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer, store
from explorer.recipes import BLURRED, BOUNDS, PICTURES
from explorer.store import Promise
from explorer.views.maps import Maps

NFW = {"source": "simulated", "kind": "nfw", "depth": 30.0, "outline": "none"}


def test_nothing_is_opened_before_someone_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that forks after loading the page must not have touched torch."""
    monkeypatch.setattr(store, "read", lambda choice: pytest.fail("opened too early"))
    explorer = Explorer(sampler="wiener")
    explorer.__panel__()
    explorer.state.param.update(source="simulated", kind="nfw")
    assert explorer.phase == "empty" and explorer.store.field is None


def test_open_and_sample_is_the_librarys_stream() -> None:
    explorer = Explorer(**NFW, n=2, batch=2, seed=1, sampler="wiener")

    async def scene() -> None:
        await explorer.open()
        assert explorer.phase == "idle"
        explorer.start()
        assert explorer.phase == "running"
        await explorer.runner._task

    asyncio.run(scene())
    field = mg.simulated("nfw", depth=30.0, mask="none")
    (summary,) = mg.stream(mg.sampler("wiener", field), field, 2, 2, seed=1)
    np.testing.assert_array_equal(explorer.runner.summary.mean.numpy(), summary.mean.numpy())


@pytest.mark.parametrize("blur", [0.0, 1.3])
def test_the_code_it_gives_makes_every_map_on_the_page(blur: float) -> None:
    chosen = {"pictures": list(PICTURES), "threshold": 0.02, "smoothing": 1.5, "blur": blur}
    explorer = Explorer(**NFW, n=3, batch=2, seed=1, sampler="wiener", **chosen)
    asyncio.run(explorer.open())
    scope: dict[str, Any] = {}
    exec(explorer.state.code(), scope)

    async def scene() -> None:
        explorer.start()
        await explorer.runner._task
        await asyncio.gather(*explorer._tasks)

    asyncio.run(scene())
    ours, theirs = explorer.runner.summary, scope["summary"]
    np.testing.assert_array_equal(ours.samples.numpy(), theirs.samples.numpy())
    page = Maps(explorer.state)
    page.show_field(explorer.store)
    page.show_summary(ours, exact=True, chance=explorer.chance)
    page.show_fit(explorer.fit)
    page.show_blurred(explorer.blurring.found)
    assert all("blurred by 1.3′" in page.shown()[name][2] for name in BLURRED if blur)
    assert set(scope["maps"]) == set(PICTURES) - set(BOUNDS)
    for name, image in scope["maps"].items():
        (shown,) = page.maps[name].source.data["image"]
        np.testing.assert_array_equal(shown, image.numpy(), err_msg=name)


def test_the_last_choice_wins(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> None:
    gate, slow, quick = Event(), small_field, small_field.crop(0, 0, (20, 20))

    def read(choice: tuple) -> Any:
        if choice[1] == "nfw":
            gate.wait(60)
            return slow
        return quick

    monkeypatch.setattr(store, "read", read)
    explorer = Explorer(**NFW, sampler="wiener")

    async def scene() -> None:
        first = asyncio.ensure_future(explorer.open())
        await asyncio.sleep(0)
        explorer.state.kind = "gaussian"  # opens by itself
        while explorer.store.field is None:
            await asyncio.sleep(0.01)
        gate.set()
        await first

    asyncio.run(scene())
    assert explorer.store.field is quick and not explorer.opening


def test_another_field_ends_the_run(small_field: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    explorer = Explorer(**NFW, n=500, batch=1, sampler="wiener")

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        explorer.state.sky_seed = 1  # opens by itself
        await asyncio.gather(*explorer._tasks, return_exceptions=True)

    asyncio.run(scene())
    assert explorer.phase == "idle" and explorer.runner.n == 0


def test_smoothing_remakes_kaiser_squires(small_field: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    explorer = Explorer(**NFW, sampler="wiener")

    async def scene() -> None:
        await explorer.open()
        explorer.state.smoothing = 3.0
        await asyncio.gather(*explorer._tasks)

    asyncio.run(scene())
    expected = mg.KaiserSquires(3.0).map(small_field).numpy()
    np.testing.assert_array_equal(explorer.store.seen["ks"], expected)


def test_maps_of_the_field_are_made_when_they_are_chosen(
    small_field: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    explorer = Explorer(**NFW, sampler="wiener", pictures=["mean", "wiener"])

    async def scene() -> None:
        await explorer.open()
        assert set(explorer.store.seen) == {"wiener"}
        explorer.state.pictures = ["b_mode", "ks", "mean"]
        await asyncio.gather(*explorer._tasks)
        wiener = explorer.store.seen["wiener"]
        explorer.state.smoothing = 2.0
        await asyncio.gather(*explorer._tasks)
        assert explorer.store.seen["wiener"] is wiener  # no blur changes it

    asyncio.run(scene())
    textbook = mg.KaiserSquires(2.0)
    seen = explorer.store.seen
    np.testing.assert_array_equal(seen["ks"], textbook.map(small_field).numpy())
    np.testing.assert_array_equal(seen["b_mode"], textbook.b_mode(small_field).numpy())


def test_the_fit_is_judged_at_rest_by_who_drew(small_field: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    chosen = {"n": 2, "batch": 2, "pictures": ["fit"], "smoothing": 0.0}
    explorer = Explorer(**NFW, sampler="wiener", **chosen)

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await explorer.runner._task
        await asyncio.gather(*explorer._tasks)

    asyncio.run(scene())
    samples = explorer.runner.summary.samples
    # Without a blur one pixel would say nothing; the Wiener filter knows no reduced shear.
    expected = mg.predictive_map(samples, small_field, 1.0, linear=True)
    np.testing.assert_array_equal(explorer.fit, expected.numpy())


def test_box_picks_a_region_of_cosmos() -> None:
    explorer = Explorer(sampler="wiener")
    asyncio.run(explorer.open())
    explorer.pick((-10.0, 5.0, 10.0, 25.0))
    np.testing.assert_allclose(explorer.region_box(), (-10.0, 5.0, 10.0, 25.0), atol=0.01)
    asyncio.run(explorer.open())
    assert explorer.store.field.grid.extent == pytest.approx((20, 20), abs=0.3)


def test_box_without_galaxies_is_a_sentence_and_the_app_goes_on() -> None:
    explorer = Explorer(sampler="wiener", region=(10.0, -60.0, 5.0, 5.0))
    asyncio.run(explorer.open())
    assert explorer.phase == "empty" and len(explorer.alert) > 20
    explorer.state.region = None
    asyncio.run(explorer.open())
    assert explorer.phase == "idle" and explorer.alert == ""


def test_two_explorers_share_no_choice_and_no_result(
    small_field: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    one, two = Explorer(**NFW, n=2, sampler="wiener"), Explorer(sampler="wiener")

    async def scene() -> None:
        await one.open()
        one.start()
        await one.runner._task

    asyncio.run(scene())
    assert two.runner.n == 0 and two.store.field is None
    assert two.state.source == "cosmos" and two.runner is not one.runner


def test_samples_at_rest_are_judged_and_a_new_run_forgets_it(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(
        store, "promise", lambda name, summary: Promise(f"{name}: {summary.n} are fine")
    )
    explorer, seen = Explorer(**NFW, n=3, batch=4, sampler="wiener"), []
    explorer.param.watch(lambda event: seen.append(event.new and event.new.words), "promise")

    async def scene() -> None:
        await explorer.open()
        for _ in range(2):
            explorer.start()
            assert explorer.promise is None
            await explorer.runner._task
            while explorer.promise is None:
                await asyncio.sleep(0.01)
        explorer.state.kind = "gaussian"
        await explorer.open()

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert seen == ["wiener: 3 are fine", None, "wiener: 3 are fine", None]


def test_samples_are_judged_by_the_sampler_that_drew_them(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "about", lambda name, field: ("", ""))
    monkeypatch.setattr(
        store, "promise", lambda name, summary: Promise(f"{name}: {summary.n} are fine")
    )
    explorer = Explorer(**NFW, n=3, batch=4, sampler="wiener")
    other = next(name for name in explorer.state.param.sampler.objects if name != "wiener")

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        explorer.state.sampler = other
        await explorer.runner._task
        while explorer.promise is None:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert explorer.promise.words == "wiener: 3 are fine"


def test_samples_that_come_after_the_pause_are_judged_too(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "promise", lambda name, summary: Promise(f"{summary.n} are fine"))
    explorer, drawn, wanted = Explorer(**NFW, n=8, batch=2, sampler="wiener"), [], Event()
    draw = store.draw

    def slowly(*choices: Any) -> Any:
        def begin() -> Any:
            for summary in draw(*choices)():
                drawn.append(summary.n)
                if summary.n == 4:  # the second batch is under way until the page has paused
                    assert wanted.wait(20)
                yield summary

        return begin

    monkeypatch.setattr(store, "draw", slowly)

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        while drawn != [2, 4]:
            await asyncio.sleep(0.01)
        explorer.pause()
        while explorer.promise is None or explorer.promise.words != "2 are fine":
            await asyncio.sleep(0.01)
        wanted.set()
        while explorer.promise is None or explorer.promise.words != "4 are fine":
            await asyncio.sleep(0.01)
        assert explorer.phase == "paused"
        explorer.close()

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_the_chosen_cluster_is_inspected_at_rest(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    names = np.array(["Near", "Far"])
    around = (np.array([0.0, 99.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
    circles = store.Circles(*around, names, np.array([0.3, 0.3]), np.array([5.0, 5.0]))
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "circles", lambda field: circles)
    explorer = Explorer(**NFW, n=3, batch=4, sampler="wiener", cluster="Near")

    async def told() -> Any:
        while explorer.inspection is None:
            await asyncio.sleep(0.01)
        return explorer.inspection

    async def scene() -> None:
        await explorer.open()
        assert explorer.inspection is None
        explorer.start()
        assert len((await told()).kappa) == 3
        explorer.state.cluster = "Far"
        assert explorer.inspection is None
        assert (await told()).startswith("`place` must have 50% of the circle")
        explorer.state.cluster = "Unheard of"
        assert await told() == "Unheard of is not in this field."
        explorer.state.cluster = ""
        await asyncio.gather(*explorer._tasks)
        assert explorer.inspection is None

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_the_chance_follows_samples_threshold_and_smoothing(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    explorer = Explorer(**NFW, n=5, batch=2, sampler="wiener", pictures=["mean"])
    state = explorer.state

    async def settled() -> Any:
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)
            await asyncio.sleep(0)
        return explorer.chance

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        assert await settled() is None  # not on the page: not counted
        state.pictures = ["chance"]
        for threshold, smoothing in ((0.05, 1.0), (0.01, 1.0), (0.01, 2.0)):
            state.param.update(threshold=threshold, smoothing=smoothing)
            found = await settled()
            wanted = explorer.runner.summary.probability(threshold, smoothing)
            np.testing.assert_array_equal(found.image, wanted.numpy())
            assert found.threshold == threshold
        await explorer.open()
        assert explorer.chance is None

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_library_that_fails_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "chance", lambda *_: 1 / 0)
    explorer = Explorer(**NFW, n=2, batch=2, sampler="wiener", pictures=["chance"])

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        while not explorer.alert:
            await asyncio.sleep(0.01)
        await asyncio.gather(*explorer._tasks)
        assert explorer.chance is None and not explorer._counting

    asyncio.run(asyncio.wait_for(scene(), 60))


@pytest.mark.slow
def test_the_code_gives_the_calibrated_interval_of_the_page() -> None:
    explorer = Explorer(n=32, batch=8, pictures=["low", "high"])
    scope: dict[str, Any] = {}
    exec(explorer.state.code(), scope)

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await explorer.runner._task
        await asyncio.gather(*explorer._tasks)

    asyncio.run(scene())
    assert explorer.promise.words.startswith("Calibrated 95%")
    for name in BOUNDS:
        ours, theirs = getattr(explorer.promise, name), scope["maps"][name].numpy()
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
