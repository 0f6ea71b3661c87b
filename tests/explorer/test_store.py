"""What is known of a field comes from the library, unchanged."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer import store
from explorer.parts import box_of, region_of
from explorer.state import State
from explorer.turns import Turns


def test_cosmos_is_the_librarys() -> None:
    opened = store.open_field(("cosmos", None), 1.0)
    assert opened["field"] is mg.cosmos()
    np.testing.assert_array_equal(
        opened["seen"]["ks"], mg.KaiserSquires(1.0).map(mg.cosmos()).numpy()
    )
    np.testing.assert_array_equal(opened["footprint"], mg.cosmos().footprint.numpy())
    assert opened["truth"] is None


def test_region_is_gridded_about_its_centre() -> None:
    field = store.read(("cosmos", (150.0, 2.4, 20.0, 10.0)))
    other = mg.cosmos(center=(150.0, 2.4), size=(20.0, 10.0))
    np.testing.assert_array_equal(field.gamma.numpy(), other.gamma.numpy())
    np.testing.assert_allclose(field.grid.wcs.wcs.crval, (150.0, 2.4))


def test_simulated_field_has_its_truth_and_no_real_clusters() -> None:
    opened = store.open_field(("simulated", "nfw", 1, 30.0, "none"), 2.0)
    field = mg.simulated("nfw", seed=1, depth=30.0, mask="none")
    np.testing.assert_array_equal(opened["truth"], field.truth.numpy())
    np.testing.assert_array_equal(opened["seen"]["ks"], mg.KaiserSquires(2.0).map(field).numpy())
    assert opened["circles"] is None


def test_circles_stand_where_the_wcs_says() -> None:
    circles, table, grid = store.circles(mg.cosmos()), mg.clusters(), mg.cosmos().grid
    at = list(circles.name).index(table.name[10])
    x, y = grid.plane_to_pixel(circles.x[at], circles.y[at])
    ra, dec = grid.pixel_to_sky(x, y)
    np.testing.assert_allclose((ra, dec), (table.ra[10], table.dec[10]), atol=1e-9)
    half = max(grid.extent) / 2
    assert (np.abs(circles.x) < half).all() and (np.abs(circles.y) < half).all()
    # The z = 0.73 cluster stands West (right) and North (up) of the centre.
    named = np.argmin(np.hypot(table.ra - 149.92, table.dec - 2.51))
    at = list(circles.name).index(table.name[named])
    assert circles.x[at] > 5 and circles.y[at] > 5


def test_region_and_box_are_inverse() -> None:
    grid, box = mg.cosmos().grid, (-20.0, 5.0, 10.0, 17.0)
    region = region_of(grid, box)
    assert region[2:] == (30.0, 12.0)
    # Left of the centre is East: a larger right ascension.
    assert region[0] > grid.wcs.wcs.crval[0] and region[1] > grid.wcs.wcs.crval[1]
    np.testing.assert_allclose(box_of(grid, region), box, atol=0.01)


def test_draw_opens_the_stream_of_the_choices_at_that_moment() -> None:
    field = mg.simulated("nfw", seed=1, depth=30.0, mask="none").crop(100, 100, (32, 32))
    state = State(n=2, batch=2, seed=4)
    begin = store.draw(state, field)
    state.seed = 5
    (summary,) = begin()
    (other,) = mg.stream(mg.sampler("wiener", field), field, 2, 2, seed=4)
    np.testing.assert_array_equal(summary.mean.numpy(), other.mean.numpy())


def test_no_file_given_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="`file` must be one of the INPUT files"):
        store.read(("file", None))


def test_galaxy_picture_holds_every_galaxy() -> None:
    picture = store.galaxy_picture()
    assert picture.number == 417117
    x, y = picture.grid.sky_to_plane(mg.cosmos_catalog().ra, mg.cosmos_catalog().dec)
    inside = (np.abs(x) <= picture.half) & (np.abs(y) <= picture.half)
    assert picture.layers["galaxies"].image.sum(dtype=int) == inside.sum() > 417000
    depth = picture.layers["depth"].image
    assert 60 < np.nanmean(depth) < 80 and np.isnan(depth).any()
    shear = picture.layers["shear"]
    assert len(shear.sticks[0]) > 200 and np.nanmax(shear.image) < 0.3
    assert picture is store.galaxy_picture()


def test_about_says_what_a_sampler_is_for() -> None:
    sampler, words = store.about("wiener", mg.cosmos())
    assert "Gaussian" in sampler and "300 × 300" in words
    for name in mg.checkpoints():
        sampler, _ = store.about(f"gan:{name}", mg.cosmos())
        assert str(mg.load(name).card["trained_on"]) in sampler


@pytest.fixture
def learned(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a learned prior, with weights that mean nothing."""
    from massgan_core.score import checkpoint

    power = mg.cosmos_spectrum()
    table = {"ell": power.ell.tolist(), "power": power.power.tolist(), "pixel_scale": 0.29}
    network = {"widths": [8, 12], "shuffle": 2, "bottleneck": 1, "embedding": 8}
    card = {"name": "tiny", "network": network, "normalization": table, "training": {}}
    card |= {"trained_on": "nothing", "domain": {}, "sampling": {"steps": 3}}
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    checkpoint.save(tmp_path / "tiny.safetensors", checkpoint.build(network).state_dict(), card)
    return "score:tiny"


def test_a_learned_prior_is_offered_and_says_that_it_is_slow(
    learned: str, small_field: Any
) -> None:
    assert store.trained()[-1] == learned
    told, _ = store.about(learned, small_field)
    assert "3 rounds" in told and "seconds a sample" in told and told.endswith("nothing.")
    *_, summary = mg.stream(store.sampler(learned, small_field), small_field, 2, 2)
    assert "Not calibrated" in store.promise(learned, summary).words


def test_a_slow_sampler_is_asked_on_its_way(learned: str, small_field: Any) -> None:
    from massgan_core.sky import Stopped

    state = State(trained=[learned], n=4, batch=2)
    assert state.sampler == learned
    turns = Turns()
    reader = store.draw(state, small_field)()
    sampler = store.sampler(learned, small_field)
    sampler.stop = turns.given_up
    wanted = [True]
    job = partial(sampler.sample, small_field, 1, 0)
    turns.submit(job, given_up=lambda: not wanted[0]).result(60)
    wanted.clear()
    wanted.append(False)
    with pytest.raises(Stopped):
        turns.submit(job, given_up=lambda: not wanted[0]).result(60)
    turns.submit(job).result(60)  # the next call is not given up
    assert next(reader).n == 2


@pytest.fixture
def judged(small_field: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Samples of one field, by a stand-in for a checkpoint calibrated on that very survey."""
    from massgan_core.evaluate.calibration import Calibration, SurveyFactors

    wiener = mg.sampler("wiener", small_field)
    *_, summary = mg.stream(wiener, small_field, 4, 2, seed=1)
    factor = torch.full((1, *small_field.grid.shape), 3.0)
    survey = SurveyFactors(small_field.sigma, small_field.grid.pixel_scale, (0.0, 9.0), factor)
    # Of the whole file, and of the part that serves this field.
    behind = {"parts": {"its own grid": {"maps": 120, "boxes": 24}}}
    known = Calibration(
        *("residual", (0.95,), "x", "y", 4, 0, 100, 20, (), (), (1.0, 0.01)),
        survey=survey,
        facts=behind,
    )
    monkeypatch.setattr(wiener, "in_domain", lambda field: [], raising=False)
    monkeypatch.setattr(store, "sampler", lambda name, field: wiener)
    monkeypatch.setattr(store, "calibration", lambda name: known)
    return summary, wiener


def test_inside_the_domain_the_interval_is_called_calibrated(judged: Any) -> None:
    summary, _ = judged
    found = store.promise("gan:x", summary)
    words = found.words
    np.testing.assert_allclose(found.high - found.low, 6 * summary.std.numpy(), rtol=1e-4)
    half = 3 * summary.std[summary.field.footprint].median().item()
    assert words.startswith("Calibrated 95%") and f"±{half:.2g} " in words
    assert "120 maps of 24 boxes" in words


@pytest.mark.parametrize("why", ["field", "noise", "samples", "none"])
def test_outside_of_it_the_page_says_why_not(
    judged: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, network = judged
    if why == "field":
        monkeypatch.setattr(network, "in_domain", lambda field: ["the sky is green"])
    if why == "noise":
        noisy = replace(summary.field, sigma=2 * summary.field.sigma)
        summary = replace(summary, field=noisy)
    if why == "samples":
        *_, summary = mg.stream(network, summary.field, 2, 2, seed=1)
    if why == "none":
        monkeypatch.setattr(store, "calibration", lambda name: None)
    found = store.promise("gan:x", summary)
    words = found.words
    assert words.startswith("Not calibrated: ") and found.low is None is found.high
    said = {"field": "green", "noise": "own grid, mask, noise", "samples": "2 samples", "none": ""}
    assert said[why] in words


def test_an_exact_sampler_needs_no_calibration(judged: Any) -> None:
    assert store.promise("wiener", judged[0]) is None
