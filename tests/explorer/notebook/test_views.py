"""Views alone: what a cell gives is what is shown, and what a person chooses comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import ClusterInspector, Convergence, MapGrid, SamplePlayer

PART = {"center": (150.1, 2.25), "size": (20.0, 20.0)}


def _summary(field: Any, n: int = 4) -> mg.Summary:
    *_, summary = mg.stream(mg.sampler("wiener", field), field, n, 2, seed=3, keep=n)
    return summary


@pytest.fixture
def summary(small_field: Any) -> mg.Summary:
    return _summary(small_field)


@pytest.fixture(scope="module")
def cosmos() -> mg.Summary:
    return _summary(mg.cosmos(**PART))


def _image(view: Any, name: str) -> np.ndarray:
    (image,) = view.maps.maps[name].source.data["image"]
    return image


def _visible(view: Any) -> set[str]:
    return {name for name, card in view.maps.cards.items() if card.visible}


def test_the_maps_are_the_summarys_own_arrays(summary: mg.Summary) -> None:
    chosen = ["truth", "ks", "mean", "std", "chance", "residual", "fit"]
    view = MapGrid(summary, maps=chosen, threshold=0.02)
    np.testing.assert_array_equal(_image(view, "mean"), summary.mean.numpy())
    np.testing.assert_array_equal(_image(view, "std"), summary.std.numpy())
    ks = mg.KaiserSquires(1.0).map(summary.field).numpy()
    np.testing.assert_array_equal(_image(view, "ks"), ks)
    share = mg.SmoothedSamples(1.0).probability(summary, 0.02)
    np.testing.assert_array_equal(_image(view, "chance"), share.numpy())
    assert set(chosen) <= _visible(view)


def test_a_field_alone_has_maps_without_samples(small_field: Any) -> None:
    view = MapGrid(small_field)
    assert {"truth", "ks"} <= _visible(view) and "mean" not in _visible(view)


def test_choices_change_the_maps_and_none_is_left_behind(summary: mg.Summary) -> None:
    view = MapGrid(summary, maps=["ks"])

    async def scene() -> None:
        view.state.param.update(pictures=["ks", "b_mode"], smoothing=2.0)
        await asyncio.gather(*view._tasks)

    asyncio.run(scene())
    textbook = mg.KaiserSquires(2.0)
    np.testing.assert_array_equal(_image(view, "ks"), textbook.map(summary.field).numpy())
    np.testing.assert_array_equal(_image(view, "b_mode"), textbook.b_mode(summary.field).numpy())


def test_the_blur_is_that_of_the_samples(summary: mg.Summary) -> None:
    chosen = ["sample", "mean", "std", "residual"]
    view = MapGrid(summary, maps=chosen, blur=1.0)

    def check(blur: float, number: int) -> None:
        soft = mg.SmoothedSamples(blur)
        for name in ("mean", "std", "residual"):
            np.testing.assert_array_equal(_image(view, name), getattr(soft, name)(summary).numpy())
        sample = soft.sample(summary, number).numpy()
        np.testing.assert_array_equal(_image(view, "sample"), sample)

    async def scene(change: Callable) -> None:
        change()
        await asyncio.gather(*view._tasks)

    check(1.0, 3)
    asyncio.run(scene(lambda: view.state.param.update(blur=2.0)))
    check(2.0, 3)
    asyncio.run(scene(lambda: view.maps.player.param.update(value=2)))
    check(2.0, 1)
    asyncio.run(scene(lambda: view.state.param.update(blur=0.0)))
    np.testing.assert_array_equal(_image(view, "std"), summary.std.numpy())


def test_the_region_goes_both_ways(summary: mg.Summary) -> None:
    view = MapGrid(summary, maps=["mean"])
    whole = view.region
    view.maps.sky.x_range.start = -1.5  # as a person's drag does
    assert view.region == (-1.5, *whole[1:])
    view.region = (-1.0, -2.0, 1.0, 2.0)
    x, y = view.maps.sky.x_range, view.maps.sky.y_range
    assert (x.start, y.start, x.end, y.end) == view.region == (-1.0, -2.0, 1.0, 2.0)
    view.region = None
    assert view.region == whole


def test_two_views_share_nothing_that_a_person_can_change(summary: mg.Summary) -> None:
    one, two = MapGrid(summary, maps=["mean"]), MapGrid(summary, maps=["mean"])
    before = two.region
    one.region = (-1.0, -1.0, 1.0, 1.0)
    one.state.theme = "dark"
    assert two.region == before and two.state.theme == "light"
    models = [{m.id for m in v.layout.get_root().references()} for v in (one, two)]
    assert not models[0] & models[1]


def test_player_and_sample_are_one(summary: mg.Summary) -> None:
    view = SamplePlayer(summary)
    assert view.sample == 3
    view.sample = 1
    np.testing.assert_array_equal(_image(view, "sample"), summary.sample(1).numpy())
    view.maps.player.value = 1  # the first, as people count
    assert view.sample == 0
    np.testing.assert_array_equal(_image(view, "sample"), summary.sample(0).numpy())
    with pytest.raises(ValueError, match="sample"):
        view.sample = 4


def test_cluster_is_looked_into_and_follows_a_click(cosmos: mg.Summary) -> None:
    names = mg_names(cosmos)
    view = ClusterInspector(cosmos, cluster=names[0])
    assert view.found.kappa.shape == (4,) and view.selected == names[0]

    async def click() -> None:
        view.maps.sky.clusters.selected.indices = [1]
        await asyncio.gather(*view._tasks)

    first = view.found
    asyncio.run(click())
    assert view.cluster == view.maps.inspector.choice.value == names[1]
    assert view.found is not first and view.found.kappa.shape == (4,)


def mg_names(summary: mg.Summary) -> list[str]:
    from explorer.store import circles

    return [str(name) for name in circles(summary.field).name]


def test_a_stream_is_drawn_live_to_what_its_end_shows(small_field: Any) -> None:
    sampler = mg.sampler("wiener", small_field)

    def stream() -> Any:
        return mg.stream(sampler, small_field, 8, 2, seed=3, keep=8)

    async def live() -> Convergence:
        view = Convergence(stream())
        await view.runner._task
        await asyncio.gather(*view._tasks)
        return view

    *_, last = stream()
    seen, still, script = asyncio.run(live()), Convergence(last), Convergence(stream())
    for view in (seen, script):
        assert view.summary.n == 8
        for name in ("growth", "settling"):
            assert view._words[name].object == still._words[name].object
    assert "8 samples" in still._words["settling"].object


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda s: MapGrid(3), TypeError, "ShearField or a Summary, got int"),
        (lambda s: MapGrid(s, maps=["moon"]), ValueError, "unknown map 'moon'"),
        (lambda s: MapGrid(s.field, maps=["mean"]), ValueError, "needs samples"),
        (lambda s: MapGrid(s, maps=["low"]), ValueError, "`interval`"),
        (lambda s: SamplePlayer(s.field), TypeError, "got ShearField"),
        (lambda s: ClusterInspector(s), ValueError, "real field"),
        (lambda s: Convergence(3), TypeError, "got int"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(
    make: Callable, error: type[Exception], said: str, summary: mg.Summary
) -> None:
    with pytest.raises(error, match=said):
        make(summary)
