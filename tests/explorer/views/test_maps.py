"""The maps show the library's arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer.blurring import Soft
from explorer.elements.colors import picture_limits
from explorer.elements.figures import INK
from explorer.state import State
from explorer.store import Chance, Promise, Store
from explorer.views.maps import Maps
from explorer.views.titles import TITLES


@pytest.fixture
def store(small_field: Any) -> Store:
    made = Store()
    made.take(
        {
            "field": small_field,
            "seen": {"ks": mg.KaiserSquires(1.0).map(small_field).numpy()},
            "truth": small_field.truth.numpy(),
            "footprint": small_field.footprint.numpy(),
            "circles": None,
        }
    )
    return made


@pytest.fixture
def summary(small_field: Any) -> Any:
    *_, last = mg.stream(mg.sampler("wiener", small_field), small_field, 3, 2, seed=1)
    return last


@pytest.fixture
def maps(store: Store) -> Maps:
    made = Maps(State(source="simulated"))
    made.show_field(store)
    return made


def _shown(maps: Maps, name: str) -> np.ndarray:
    (image,) = maps.maps[name].source.data["image"]
    return image


def test_field_brings_truth_and_kaiser_squires(maps: Maps, store: Store) -> None:
    np.testing.assert_array_equal(_shown(maps, "truth"), store.truth)
    np.testing.assert_array_equal(_shown(maps, "ks"), store.seen["ks"])
    assert maps.cards["truth"].visible and not maps.cards["galaxies"].visible
    for name in ("sample", "mean", "std"):
        assert maps.maps[name].source.data["image"] == []
    assert "Press Start" in maps.maps["sample"]._note.text
    assert not maps.maps["sample"].circles.visible and maps.maps["ks"].circles.visible


def test_summary_is_shown_exactly(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=True)
    np.testing.assert_array_equal(_shown(maps, "sample"), summary.samples[-1].numpy())
    np.testing.assert_array_equal(_shown(maps, "mean"), summary.mean.numpy())
    np.testing.assert_array_equal(_shown(maps, "std"), summary.std.numpy())
    assert "number 3" in maps._words["sample"].object
    assert "of 3 samples" in maps._words["mean"].object


def test_one_sample_has_no_spread(maps: Maps, small_field: Any) -> None:
    (one,) = mg.stream(mg.sampler("wiener", small_field), small_field, 1, 1)
    maps.show_summary(one, exact=True)
    assert maps.maps["std"].source.data["image"] == []
    assert "two samples" in maps.maps["std"]._note.text


def test_shared_limits_are_those_of_the_state(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=True)
    maps.state.limit = 0.2
    maps.restretch()
    assert {maps.maps[k].limits for k in ("truth", "ks", "sample", "mean")} == {(-0.2, 0.2)}
    assert (maps.maps["ks"].mapper.low, maps.maps["ks"].mapper.high) == (-0.2, 0.2)
    assert maps.maps["std"].limits[0] >= 0
    maps.state.shared = False
    maps.restretch()
    expected = picture_limits(summary.mean.numpy(), maps._mask, signed=True)
    assert maps.maps["mean"].limits == expected != maps.maps["sample"].limits


def test_restretch_keeps_live_frames_light(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=False)
    maps.restretch()
    assert _shown(maps, "mean").dtype == np.uint8 and _shown(maps, "ks").dtype == np.float32


def test_what_is_not_kept_any_more_is_not_shown(maps: Maps, summary: Any) -> None:
    # Two samples in front have gone: the one left is the third of three.
    maps.show_summary(replace(summary, batches=summary.batches[1:], first=2), exact=True)
    np.testing.assert_array_equal(_shown(maps, "sample"), summary.samples[-1].numpy())
    assert "number 3" in maps._words["sample"].object
    maps.show_summary(replace(summary, batches=(), first=3), exact=True)
    assert maps.maps["sample"].source.data["image"] == []
    np.testing.assert_array_equal(_shown(maps, "mean"), summary.mean.numpy())


def test_another_field_forgets_the_samples(maps: Maps, store: Store, summary: Any) -> None:
    maps.show_summary(summary, exact=True)
    maps.show_field(store)
    assert maps.maps["mean"].source.data["image"] == []


def test_only_maps_that_are_chosen_are_made(maps: Maps, store: Store) -> None:
    assert set(maps.maps) == set(maps.state.pictures)
    maps.state.pictures = ["mean", "b_mode"]
    maps.choose()
    assert set(maps.maps) == {"truth", "ks", "sample", "mean", "std", "b_mode"}
    assert maps.cards["b_mode"].visible and len(maps.cards["b_mode"]) == 3
    assert len(maps.cards["high"]) == 0


def test_a_map_left_out_of_a_link_is_made_when_its_field_comes(store: Store) -> None:
    maps = Maps(State(source="simulated", pictures=["mean"]))
    maps.show_field(store)
    np.testing.assert_array_equal(_shown(maps, "truth"), store.truth)


def test_all_maps_move_together(maps: Maps) -> None:
    assert len({m.figure.x_range.id for m in maps.maps.values()}) == 1
    assert len({m.figure.y_range.id for m in maps.maps.values()}) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_paints_every_figure(maps: Maps, theme: str) -> None:
    maps.state.theme = theme
    maps.paint()
    fills = {m.figure.background_fill_color for m in maps.maps.values()}
    assert len(fills | {maps.galaxies.figure.background_fill_color}) == 1
    # The circles that are not chosen take the colours too.
    for sky_map in maps.maps.values():
        circles = sky_map.circles
        assert (
            circles.nonselection_glyph.line_color == circles.glyph.line_color == INK[theme]["ink"]
        )
    maps.state.clusters = False
    maps.paint()
    assert not any(m.circles.visible for m in maps.maps.values())


def test_the_promise_stands_below_the_spread_and_can_go(maps: Maps) -> None:
    maps.show_promise(Promise("Calibrated <95%>."))
    (words,) = [part for part in maps.cards["std"] if "Calibrated" in str(part.object)]
    assert words.visible and "&lt;95%&gt;" in words.object
    maps.show_promise(None)
    assert not words.visible


def test_only_chosen_maps_are_there(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=True)
    assert not maps.cards["snr"].visible and maps.maps["snr"].source.data["image"] == []
    maps.state.pictures = ["mean", "snr", "chance", "residual"]
    maps.choose()
    seen = {name for name in TITLES if maps.cards[name].visible}
    assert seen == {"mean", "snr", "chance", "residual"}
    np.testing.assert_array_equal(_shown(maps, "snr"), summary.snr.numpy())
    np.testing.assert_array_equal(_shown(maps, "residual"), summary.residual.numpy())
    assert maps.maps["residual"].limits == maps.maps["mean"].limits
    assert maps.maps["snr"].limits[0] == -maps.maps["snr"].limits[1] != maps.maps["mean"].limits[0]


def test_where_no_truth_is_known_there_is_no_map_of_it(store: Store) -> None:
    maps = Maps(State(source="cosmos", pictures=["truth", "mean", "residual"]))
    maps.show_field(store)
    assert [name for name in TITLES if maps.cards[name].visible] == ["mean"]


def test_only_cosmos_has_a_card_of_its_galaxies(store: Store) -> None:
    maps = Maps(State())
    assert maps.cards["galaxies"].visible
    maps.state.source = "file"  # none is open: there is no other field to show
    maps.choose()
    assert not maps.cards["galaxies"].visible


def test_the_chance_is_the_librarys_count(maps: Maps, summary: Any) -> None:
    maps.state.pictures = ["chance"]
    maps.choose()
    maps.show_summary(summary, exact=True)
    assert maps.maps["chance"].source.data["image"] == []
    share = summary.probability(0.05, 1.0).numpy()
    maps.show_chance(Chance(share, 0.05))
    np.testing.assert_array_equal(_shown(maps, "chance"), share)
    assert "of κ &gt; 0.05" in maps._words["chance"].object
    assert maps.maps["chance"].limits == (0.0, 1.0)
    assert "share of samples" in maps._bars["chance"].object
    maps.show_summary(None, exact=True)
    assert maps.maps["chance"].source.data["image"] == []


def test_one_sample_has_no_signal_to_noise(maps: Maps, small_field: Any) -> None:
    (one,) = mg.stream(mg.sampler("wiener", small_field), small_field, 1, 1)
    maps.state.pictures = ["snr"]
    maps.choose()
    maps.show_summary(one, exact=True)
    assert maps.maps["snr"].source.data["image"] == []
    assert "two samples" in maps.maps["snr"]._note.text


def test_samples_are_played_one_by_one_at_rest(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=False)
    assert not maps.player.visible
    maps.show_summary(summary, exact=True)
    assert maps.player.visible and (maps.player.start, maps.player.end) == (1, 3)
    for number in (1, 2, 3):
        maps.player.value = number
        maps.show_sample()
        np.testing.assert_array_equal(_shown(maps, "sample"), summary.samples[number - 1].numpy())
        assert f"number {number} of 3" in maps._words["sample"].object
    maps.player.direction = 1
    maps.player.value = 1
    maps.show_sample()
    assert _shown(maps, "sample").dtype == np.uint8
    maps.show_summary(None, exact=True)
    assert not maps.player.visible and maps.player.direction == 0


def test_the_samples_at_both_ends_of_a_cluster_are_shown(maps: Maps, summary: Any) -> None:
    maps.show_summary(summary, exact=True)
    field = summary.field
    found = mg.inspect_place(summary.samples, field.grid, field.footprint, (0.0, 0.0), 2.0)
    maps.show_inspection(found)
    for most, number in ((True, found.order[0]), (False, found.order[-1])):
        (maps.inspector.most if most else maps.inspector.least).param.trigger("clicks")
        maps.show_sample()
        np.testing.assert_array_equal(_shown(maps, "sample"), summary.samples[number].numpy())
    maps.show_inspection(None)
    at = maps.player.value
    maps.inspector.most.param.trigger("clicks")
    assert maps.player.value == at


def test_the_interval_is_shown_where_it_is_calibrated(maps: Maps, summary: Any) -> None:
    maps.state.pictures = ["low", "high"]
    maps.state.param.sampler.objects = ["wiener", "gan:default"]
    maps.choose()
    assert not maps.cards["low"].visible  # nor is it offered
    maps.state.sampler = "gan:default"
    maps.choose()
    maps.show_summary(summary, exact=True)
    for name in ("low", "high"):
        assert maps.cards[name].visible
        assert maps.maps[name].source.data["image"] == []
        assert "Calibrated networks" in maps.maps[name]._note.text
    low, high = (summary.mean + k * summary.std for k in (-2, 2))
    maps.show_promise(Promise("Calibrated.", low.numpy(), high.numpy()))
    np.testing.assert_array_equal(_shown(maps, "low"), low.numpy())
    np.testing.assert_array_equal(_shown(maps, "high"), high.numpy())
    assert maps.maps["low"].limits == (-maps.state.limit, maps.state.limit)
    maps.show_promise(Promise("Not calibrated: why."))
    assert maps.maps["low"].source.data["image"] == []


def test_hidden_maps_cost_nothing_while_samples_come(maps: Maps, summary: Any) -> None:
    maps.state.pictures = ["mean"]
    maps.choose()
    maps.show_summary(summary, exact=False)
    sent: list[str] = []

    def note(name: str) -> Callable:
        return lambda attr, old, new: sent.append(name)

    for name, one in maps.maps.items():
        one.source.on_change("data", note(name))
    maps.show_summary(summary, exact=False)
    assert sent == ["mean"]


def test_nothing_is_sent_twice(maps: Maps, summary: Any) -> None:
    """Neither the sample that the player starts at, nor maps that another choice leaves alone."""
    sent: list[str] = []

    def note(name: str) -> Callable:
        return lambda attr, old, new: sent.append(name)

    for name in TITLES:  # each is made when it is first asked for
        one = maps.maps[name]
        one.source.on_change("data", note(name))
    maps.show_summary(summary, exact=True)
    maps.show_sample()
    assert sorted(sent) == ["mean", "sample", "std"]
    maps.player.value = 1
    maps.show_sample()
    maps.state.pictures = [*maps.state.pictures, "snr"]
    maps.choose()
    assert sent[3:] == ["sample", "snr"]
    assert maps.player.value == 1  # another choice of maps leaves the player where it was


def _soft(image: np.ndarray, n: int, of: int) -> Soft:
    return Soft(image, 2.0, n, of)


def test_a_blurred_map_says_of_which_samples_it_is(maps: Maps, summary: Any) -> None:
    maps.state.param.update(blur=2.0, pictures=["mean", "std"])
    maps.show_summary(summary, exact=True)
    assert "mean" not in maps.shown() and maps.maps["mean"].note == "Blurring …"
    mean, part, whole = (np.full(summary.mean.shape, k, np.float32) for k in range(3))
    maps.show_blurred({"mean": _soft(mean, 3, 3)})
    assert maps.maps["std"].note == "Blurring …"
    maps.show_blurred({"mean": _soft(mean, 3, 3), "std": _soft(part, 2, 3)})
    assert maps.shown()["mean"][2] == "of 3 samples, blurred by 2′"
    assert maps.shown()["std"][2] == "of 2 of 3 samples, blurred by 2′"
    maps.show_blurred({"mean": _soft(mean, 3, 3), "std": _soft(whole, 3, 3)})
    assert maps.shown()["std"][2] == "of 3 samples, blurred by 2′"
    np.testing.assert_array_equal(_shown(maps, "std"), whole)


def test_no_interval_is_shown_with_a_blur(store: Store, summary: Any) -> None:
    state = State(source="simulated", trained=["gan:x"], pictures=["low", "high"])
    maps = Maps(state)
    maps.show_field(store)
    maps.show_summary(summary, exact=True)
    low, high = summary.mean.numpy() - 0.1, summary.mean.numpy() + 0.1
    maps.show_promise(Promise("Within 0.1", low, high))
    assert "Within 0.1" in maps._promise.object
    assert {*maps.shown()} == {"low", "high"}
    state.blur = 1.0
    maps.show_blurred({})
    assert maps.maps["low"].note == "Calibrated for maps without a blur"
    assert maps.maps["low"].source.data["image"] == []
    assert "Calibrated for maps without a blur." in maps._promise.object
    state.blur = 0.0
    maps.show_blurred({})
    assert "Within 0.1" in maps._promise.object
    np.testing.assert_array_equal(_shown(maps, "high"), high)


def test_without_samples_there_is_a_blurred_mean_and_no_spread(maps: Maps, summary: Any) -> None:
    bare = replace(summary, batches=(), first=3)
    maps.state.blur = 1.0
    maps.show_summary(bare, exact=True, beforehand=True)
    assert maps.maps["std"].note == "Needs samples: press Start"
    maps.show_blurred({"mean": _soft(summary.mean.numpy(), 3, 3)})
    assert maps.shown()["mean"][2] == "of 3 samples drawn beforehand, blurred by 2′"
    assert maps.maps["std"].note == "Needs samples: press Start"
