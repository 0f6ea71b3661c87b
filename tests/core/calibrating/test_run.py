"""Calibration from a store of maps: what comes out, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch

from massgan_core.calibrating import calibrate, calibration_of, fields, guaranteed
from massgan_core.calibrating.fields import LOOKS, Views, choose
from massgan_core.calibrating.kept import sources
from massgan_core.evaluate.calibration import calibrated_interval
from massgan_core.evaluate.calibration_file import load_calibration
from massgan_core.evaluate.conformal import missed
from massgan_core.gan import checkpoint, load
from massgan_core.gan.networks import build, build_moments
from massgan_core.gan.normalize import Normalizer
from massgan_core.gan.sampler import normalization_card
from massgan_core.posterior import stream

MAPS, HELD_OUT = 48, 12  # fewer than a guarantee takes, to be quick


@pytest.fixture(scope="module")
def save(power):
    """Write a small checkpoint with random weights to a path; words are its training."""

    def write(path, **training):
        network = {"widths": [8, 8], "latent": 2, "shuffle": 2, "bottleneck": 1}
        scales = 0.5 * power.std(1.0), power.std(1.0)
        card = {
            "name": "tiny",
            "network": network,
            "normalization": normalization_card(Normalizer(power, 1.0, (0.6, 1.5), scales)),
            "domain": {"pixel_scale": [0.9, 1.1]},
            "training": {"config": {"data": {"depth": [5.0, 40.0]}}, **training},
            "trained_on": "nothing: its weights are random numbers, for a test",
        }
        with torch.random.fork_rng():
            torch.manual_seed(0)
            weights = build(network).state_dict()
        checkpoint.save(path, weights, card)
        return path

    return write


@pytest.fixture(scope="module")
def weights(tmp_path_factory, save):
    return save(tmp_path_factory.mktemp("weights") / "tiny.safetensors", store=None)


def calibrate_few(*words, **ask):
    """With half the maps that a guarantee takes and few samples, to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "LEAST_MAPS", MAPS)
        return calibrate(*words, **{"samples": 4, "batch": 4, "maps": MAPS} | ask)


@pytest.fixture(scope="module")
def outcome(store, survey, weights):
    """A whole calibration, and how many fields it was told of."""
    told = []
    result = calibrate_few(
        store.path, weights, survey=survey, watch=lambda *counts: told.append(counts)
    )
    return result, told


def test_a_network_of_random_weights_gets_the_coverage_it_lacked(outcome, store):
    result, _ = outcome
    assert [(c.part, c.level) for c in result.coverage] == [
        (part, level) for part in ("its own grid", "other fields") for level in (0.68, 0.95)
    ]
    for c in result.coverage:
        assert c.before < c.level - 0.2
        assert abs(c.after - c.level) < 0.08, c
        assert 0 < c.error < 0.05 and c.maps == HELD_OUT and 2 <= c.boxes <= 6
    made = result.calibration
    boxes = len(set(store.rows("box")[store.done()]))
    found = made.maps, made.samples, made.method, made.levels
    assert found == (MAPS, 4, "residual", (0.68, 0.95))
    assert made.boxes + max(c.boxes for c in result.coverage) == boxes


def test_the_bar_is_told_of_every_field_once(outcome):
    _, told = outcome
    total = (MAPS + HELD_OUT) * (1 + LOOKS)
    assert told == [(i, total) for i in range(total + 1)]


def test_the_file_lies_beside_the_checkpoint_and_nothing_else(outcome, weights):
    result, _ = outcome
    assert result.path.name == "tiny.calibration.safetensors"
    assert sorted(p.name for p in weights.parent.iterdir()) == [
        "tiny.calibration.safetensors",
        "tiny.safetensors",
    ]
    found = calibration_of(weights)
    assert torch.equal(found.survey.factor, result.calibration.survey.factor)
    assert torch.equal(found.table.factor, result.calibration.table.factor)
    assert found.table.noise == result.calibration.table.noise


def test_a_checkpoint_without_one_has_none(save, tmp_path):
    assert calibration_of(save(tmp_path / "other.safetensors")) is None


def test_another_checkpoint_s_is_refused(outcome, save, tmp_path):
    other = save(tmp_path / "tiny.safetensors", store=None, steps=1)
    shutil.copy(outcome[0].path, tmp_path)
    with pytest.raises(ValueError, match="calibrates checkpoint .* not "):
        calibration_of(other)


def test_fields_of_boxes_never_seen_are_covered(outcome, store, survey, weights):
    """From the file alone, as a person would use it: the last boxes' held-out rows."""
    made, sampler = calibration_of(weights), load(weights)
    views = Views(store, survey, (5.0, 40.0), seed=99)
    chosen = choose(store, views.deep_enough(store.done()))  # the same boxes are held out
    for number, fields_of in enumerate((views.as_surveyed, views.otherwise)):
        miss = []
        for row in chosen.rows[chosen.held_out]:
            for field in fields_of(row):
                assert made.covers(field) == [], made.covers(field)
                *_, summary = stream(sampler, field, 4, 4, seed=row)
                low, high = calibrated_interval(summary, made, 0.68)
                miss.append(missed(low, high, field.truth, field.footprint))
        assert 0.22 < float(torch.stack(miss).mean()) < 0.40, number


def test_one_part_made_anew_leaves_the_other(outcome, store, survey, weights, tmp_path):
    path = shutil.copy(outcome[0].path, tmp_path / "a.safetensors")
    ask = {"survey": survey, "fields": "survey", "out": path, "overwrite": True}
    result = calibrate_few(store.path, weights, **ask, seed=1)
    found, former = load_calibration(path), outcome[0].calibration
    assert torch.equal(found.table.factor, former.table.factor)
    assert not torch.equal(found.survey.factor, former.survey.factor)
    assert {c.part for c in result.coverage} == {"its own grid"}
    assert "the part for other fields was kept as it was" in result.notes


def test_all_anew_keeps_nothing_even_where_a_part_cannot_be_made(
    outcome, store, weights, tmp_path
):
    path = shutil.copy(outcome[0].path, tmp_path / "a.safetensors")
    result = calibrate_few(store.path, weights, out=path, overwrite=True)  # COSMOS has 0.29′
    assert load_calibration(path).survey is None
    assert any("own grid is not calibrated" in note for note in result.notes)
    assert not any("kept" in note for note in result.notes)


def test_an_interval_says_how_many_maps_are_behind_its_part(outcome, store, survey, weights):
    made, sampler = outcome[0].calibration, load(weights)
    behind = {part: dict(one) for part, one in sources(made).items()}
    behind["other fields"] |= {"maps": 60, "boxes": 24}
    made = replace(made, facts=made.facts | {"parts": behind})
    views = Views(store, survey, (5.0, 40.0), seed=99)
    row, own = store.done()[0], behind["its own grid"]["boxes"]
    for fields_of, found in ((views.as_surveyed, (MAPS, own)), (views.otherwise, (60, 24))):
        *_, summary = stream(sampler, fields_of(row)[0], 4, 4, seed=0)
        interval, reasons = guaranteed(summary, made, 0.68, [])
        assert reasons == []
        facts = interval.facts
        assert (facts["calibration_maps"], facts["calibration_boxes"]) == found


def test_a_regression_checkpoint_is_calibrated_alike(store, survey, save, tmp_path):
    path = save(tmp_path / "mean.safetensors", store=None)
    card = checkpoint.load_card(path)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        both = build_moments(card["network"]).state_dict()
    checkpoint.save(path, both, card | {"kind": "regression"})
    result = calibrate_few(store.path, path, survey=survey, fields="survey")
    assert all(c.after > c.level - 0.08 for c in result.coverage)
    assert calibration_of(path).digest == checkpoint.digest(path)


def test_a_killed_run_goes_on_and_comes_to_the_same(outcome, store, survey, weights, tmp_path):
    class Killed(Exception):
        pass

    def die(done, total):
        if done == 40:
            raise Killed

    ask = {"survey": survey, "fields": "survey", "out": tmp_path / "a.safetensors"}
    with pytest.raises(Killed):
        calibrate_few(store.path, weights, **ask, watch=die)
    assert not (tmp_path / "a.safetensors").exists()
    told = []
    again = calibrate_few(store.path, weights, **ask, watch=lambda done, _: told.append(done))
    assert told[0] == 40 and told[-1] == MAPS + HELD_OUT
    assert torch.equal(again.calibration.survey.factor, outcome[0].calibration.survey.factor)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    with pytest.raises(FileExistsError, match="--overwrite"):
        calibrate(store.path, weights, **ask)


@pytest.mark.parametrize("method", ["cqr", "rcps"])
def test_other_methods(method, store, survey, weights, tmp_path):
    """λ may be negative with cqr; rcps has one λ, and 27 boxes are enough at 68 %."""
    levels = (0.68,) if method == "rcps" else (0.5, 0.9)
    result = calibrate_few(
        store.path,
        weights,
        method=method,
        levels=levels,
        survey=survey,
        fields="survey",
        out=tmp_path / "a.safetensors",
    )
    factor = result.calibration.survey.factor
    assert factor.shape == (len(levels), *survey.sigma.shape)
    for c in result.coverage:
        assert c.after > c.level - 3 * c.error
    if method == "rcps":
        assert factor.min() == factor.max() > 0
        assert "90% confidence" in result.calibration.promise(0.68)
    else:
        assert (factor[1] > factor[0]).double().mean() > 0.9


def test_a_training_on_all_boxes_is_refused_before_any_work(store, survey, save, tmp_path):
    used = {"kind": store.kind, "seed": store.settings["seed"], "boxes": store.boxes()}
    path = save(tmp_path / "a.safetensors", stores=[used])
    with pytest.raises(ValueError, match="served the checkpoint's training"):
        calibrate(store.path, path, survey=survey)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"method": "bayes"}, "`method` must be one of residual, cqr, rcps"),
        ({"units": "pixels"}, "`units` must be one of maps, boxes"),
        ({"fields": "mine"}, "`fields` must be one of all, survey, other"),
        ({"levels": (0.95, 1.0)}, "`levels` must lie between 0 and 1"),
        ({"samples": 1}, "`samples` must be at least 2"),
        ({"out": "a.fits"}, "`out` must end in .safetensors, got 'a.fits'"),
        ({"delta": 0.0}, "`delta` must lie between 0 and 1"),
        ({"levels": (0.995,)}, "a level of 0.995 by residual takes at least 199 maps, got 100"),
        ({"units": "boxes", "levels": (0.97,)}, "takes at least 33 boxes, got 2"),
        ({"method": "rcps"}, "a level of 0.95 by rcps takes at least 48 boxes"),
        ({"survey": None, "fields": "survey"}, "its pixels are 0.29′, not 1′"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    store, survey, weights, tmp_path, choice, words
):
    ask = {"survey": survey, "out": tmp_path / "a.safetensors"} | choice
    with pytest.raises(ValueError, match=words):
        calibrate(store.path, weights, **ask)
    assert list(tmp_path.iterdir()) == []


def test_maps_of_other_pixels_are_refused(store, survey, save, tmp_path):
    path = save(tmp_path / "a.safetensors", store=None)
    checkpoint.annotate(path, domain={"pixel_scale": [0.28, 0.3]})
    with pytest.raises(ValueError, match="has pixels of 1′, the checkpoint was trained on 0.28′"):
        calibrate(store.path, path, survey=survey)
