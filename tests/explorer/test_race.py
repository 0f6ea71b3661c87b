"""Two samplers on one field: started, paused, stopped together, and scored by the library."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer, store
from explorer.race import likeness, scores
from massgan_core.evaluate import pearson, rmse


@pytest.fixture
def race(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    """The Wiener filter beside one that expects a quarter of the power, named as a network."""
    real = store.sampler

    def sampler(name: str, field: Any) -> Any:
        return real("wiener", field) if name == "wiener" else mg.Wiener(_spectrum(field))

    monkeypatch.setattr(store, "sampler", sampler)
    monkeypatch.setattr(store, "about", lambda name, field: ("", ""))
    explorer.state.beside = next(n for n in explorer.state.param.sampler.objects if n != "wiener")
    return explorer


def _spectrum(field: Any) -> Any:
    known = mg.spectrum_of(field)
    return mg.PowerSpectrum(known.ell, known.power / 4)


async def _until(true: Any) -> None:
    while not true():
        await asyncio.sleep(0.01)


def _scene(work: Any) -> None:
    asyncio.run(asyncio.wait_for(work, 120))


def test_both_draw_the_librarys_stream(race: Explorer) -> None:
    async def scene() -> None:
        await race.open()
        race.start()
        await _until(lambda: not race.race.active)

    _scene(scene())
    field = race.store.field
    ours = (race.runner.summary, race.race.rival.summary)
    for found, name in zip(ours, ("wiener", race.state.beside), strict=True):
        *_, wanted = mg.stream(store.sampler(name, field), field, 4, 2, seed=3)
        np.testing.assert_array_equal(found.mean.numpy(), wanted.mean.numpy())
    assert not np.array_equal(ours[0].mean.numpy(), ours[1].mean.numpy())
    assert race.race.drawn_by == race.state.beside


def test_turns_are_fair(race: Explorer) -> None:
    order: list[str] = []
    runs = {"own": race.runner, "rival": race.race.rival}
    for name, run in runs.items():
        run.param.watch(lambda event, name=name: event.new and order.append(name), "summary")
    race.state.param.update(n=6, batch=1)

    async def scene() -> None:
        await race.open()
        race.start()
        await _until(lambda: not race.race.active)

    _scene(scene())
    assert sorted(order) == ["own"] * 6 + ["rival"] * 6
    ahead = np.cumsum([1 if name == "own" else -1 for name in order])
    assert abs(ahead).max() <= 2  # no one waits for the other's whole run


def test_pause_stop_and_another_field_act_on_both(race: Explorer) -> None:
    race.state.param.update(n=4096, batch=1)
    own, rival = race.runner, race.race.rival

    async def scene() -> None:
        await race.open()
        race.start()
        await _until(lambda: own.n and rival.n)
        race.pause()
        assert own.phase == rival.phase == "paused"
        race.pause()
        assert own.phase == rival.phase == "running"
        own.stop()
        assert race.race.phase(race.phase) == "running"  # Stop still does something
        race.stop()
        assert own.phase == rival.phase == "stopped" and not race.race.active
        await race.open()
        assert own.phase == rival.phase == "idle" and rival.summary is None

    _scene(scene())


def test_samples_of_who_left_the_race_go(race: Explorer) -> None:
    async def scene() -> None:
        await race.open()
        race.start()
        await _until(lambda: not race.race.active)
        race.state.beside = ""
        assert race.race.rival.summary is None and race.runner.n == 4
        race.start()
        await _until(lambda: not race.race.active)
        assert race.race.rival.phase == "idle"

    _scene(scene())


def test_scores_are_the_librarys(small_field: Any) -> None:
    *_, one = mg.stream(mg.sampler("wiener", small_field), small_field, 2, 2, seed=1)
    *_, other = mg.stream(mg.sampler("wiener", small_field), small_field, 2, 2, seed=9)
    found, area = scores(one, other), small_field.footprint
    for side, summary in enumerate((one, other)):
        truth = small_field.truth
        assert found.r[side] == pearson(summary.mean, truth, area).item()
        assert found.rms[side] == rmse(summary.mean, truth, area).item()
    assert found.between == pearson(one.mean, other.mean, area).item() < 1
    unknown = replace(small_field, kappa=None)
    one, other = (replace(summary, field=unknown) for summary in (one, other))
    assert scores(one, other).r == () and scores(one, other).between == found.between


def test_a_map_is_like_itself_and_its_negative_is_not(small_field: Any) -> None:
    image = small_field.truth.numpy()
    assert likeness(image, image, small_field) == (pytest.approx(1), 0)
    r, rms = likeness(image, -image, small_field)
    assert r == pytest.approx(-1)
    assert rms == pytest.approx(2 * image[small_field.footprint.numpy()].std(), rel=1e-5)


def test_the_code_draws_the_second_samplers_maps_too(explorer: Explorer) -> None:
    state = explorer.state
    name = next(n for n in state.param.sampler.objects if n.startswith("gan:"))
    state.param.update(sampler=name, beside="wiener", pictures=["sample", "mean", "std"], n=2)
    code = state.code().replace(f"mg.sampler('gan', field, checkpoint={name[4:]!r})", "known")
    field = mg.simulated("nfw", depth=30.0, mask="none")
    wiener = mg.sampler("wiener", field)
    scope: dict[str, Any] = {"known": wiener}
    exec(code, scope)
    maps = scope["maps"]
    assert list(maps) == ["sample", "mean", "std", "sample_b", "mean_b", "std_b"]
    for kind in ("sample", "mean", "std"):
        np.testing.assert_array_equal(maps[f"{kind}_b"].numpy(), maps[kind].numpy())
