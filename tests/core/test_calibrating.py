"""Calibration from a store of maps: who may take part, what is kept, what comes out."""

import shutil
from dataclasses import fields

import numpy as np
import pytest
import torch

from massgan_core import calibrating, calibrating_fields
from massgan_core.calibrating import calibrate, calibration_of
from massgan_core.calibrating_fields import Survey, Views, choose, unused
from massgan_core.calibrating_ledger import Ledger
from massgan_core.calibrating_terms import Terms, global_factor
from massgan_core.data import MapStore
from massgan_core.evaluate.calibration import calibrated_interval
from massgan_core.evaluate.conformal import missed
from massgan_core.gan import checkpoint, load
from massgan_core.gan.networks import build
from massgan_core.gan.normalize import Normalizer
from massgan_core.gan.sampler import normalization_card
from massgan_core.posterior import stream
from massgan_core.sky import Grid, PowerSpectrum, Sources, gaussian_field, generator

SIDE, BOXES, PER_BOX = 16, 28, 5
POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
NZ = [Sources([0.1, z, 3.0], [0.0, 1.0, 0.0]) for z in (1.5, 0.6)]
SEED = 7
MAPS, HELD_OUT = 48, 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """28 boxes of 5 deep maps and one shallow one; the last box is not made yet."""
    grid = Grid((2 * SIDE, 2 * SIDE), 1.0)
    scale = POWER.std(1.0)
    tables = [
        {"redshift": s.redshift, "density": s.density, "sigma_kappa": scale * f}
        for s, f in zip(NZ, (1, 0.5), strict=True)
    ]
    rows, each = np.arange(BOXES * (PER_BOX + 1)), PER_BOX + 1
    columns = {"omega_m": 0.3, "omega_b": 0.05, "h": 0.7, "sigma8": 0.8, "n_s": 0.96}
    columns |= {"box": rows // each, "seed": rows, "sources": (rows % each == PER_BOX).astype(int)}
    store = MapStore.create(
        tmp_path_factory.mktemp("maps") / "maps.zarr",
        columns,
        shape=grid.shape,
        pixel_scale=1.0,
        kind="nbody",
        sources=tables,
        settings={"seed": SEED},
    )
    for row in rows[:-each].tolist():
        shallow = 0.5 if row % each == PER_BOX else 1.0
        store.write(row, shallow * gaussian_field(POWER, grid, generator(row)))
    return store


@pytest.fixture(scope="module")
def survey():
    sigma = torch.full((SIDE, SIDE), 0.1)
    sigma[:, 13:] = torch.inf
    return Survey(sigma, torch.isfinite(sigma), 1.0, NZ[0])


def save(path, **training):
    network = {"widths": [8, 8], "latent": 2, "shuffle": 2, "bottleneck": 1}
    normalizer = Normalizer(POWER, 1.0, (0.6, 1.5), (0.5 * POWER.std(1.0), POWER.std(1.0)))
    card = {
        "name": "tiny",
        "network": network,
        "normalization": normalization_card(normalizer),
        "domain": {"pixel_scale": [0.9, 1.1]},
        "training": {"config": {"data": {"depth": [5.0, 40.0]}}, **training},
        "trained_on": "nothing: its weights are random numbers, for a test",
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = build(network).state_dict()
    checkpoint.save(path, weights, card)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save(tmp_path_factory.mktemp("weights") / "tiny.safetensors", store=None)


def calibrate_few(*words, **ask):
    """With half the maps that a guarantee takes and few samples, to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrating_fields, "LEAST_MAPS", MAPS)
        return calibrate(*words, **{"samples": 4, "batch": 4, "maps": MAPS} | ask)


@pytest.fixture(scope="module")
def outcome(store, survey, weights):
    """A whole calibration, and how many fields it was told of."""
    told = []
    result = calibrate_few(
        store.path, weights, survey=survey, watch=lambda *counts: told.append(counts)
    )
    return result, told


# What comes out


def test_a_network_of_random_weights_gets_the_coverage_it_lacked(outcome):
    result, _ = outcome
    assert [(c.part, c.level) for c in result.coverage] == [
        (part, level) for part in ("its own grid", "other fields") for level in (0.68, 0.95)
    ]
    for c in result.coverage:
        assert c.before < c.level - 0.2
        assert abs(c.after - c.level) < 0.08, c
        assert 0 < c.error < 0.05 and c.maps == HELD_OUT and 2 <= c.boxes <= 6
    made = result.calibration
    assert (made.maps, made.samples, made.method, made.levels) == (
        100,
        4,
        "residual",
        (0.68, 0.95),
    )
    assert made.boxes + max(c.boxes for c in result.coverage) == BOXES - 1


def test_the_bar_is_told_of_every_field_once(outcome):
    _, told = outcome
    total = (MAPS + HELD_OUT) * (1 + calibrating_fields.LOOKS)
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


def test_a_checkpoint_without_one_has_none(tmp_path):
    assert calibration_of(save(tmp_path / "other.safetensors")) is None


def test_another_checkpoint_s_is_refused(outcome, tmp_path):
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
    assert factor.shape == (len(levels), SIDE, SIDE)
    for c in result.coverage:
        assert c.after > c.level - 3 * c.error
    if method == "rcps":
        assert factor.min() == factor.max() > 0
        assert "90% confidence" in result.calibration.promise(0.68)
    else:
        assert (factor[1] > factor[0]).double().mean() > 0.9


# Who may take part


def test_maps_are_taken_in_turn_from_all_boxes(store):
    chosen = choose(store, store.done())
    calibrate_, test = chosen.rows[:100], chosen.rows[chosen.held_out]
    boxes = store.rows("box")
    assert len(calibrate_) == 100 and len(test) == 25 and len(set(chosen.rows)) == 125
    assert not set(boxes[calibrate_]) & set(boxes[test])
    counts = np.bincount(boxes[calibrate_])
    assert counts.max() == 5 and counts[counts > 0].min() >= 4
    assert BOXES - 1 not in boxes[chosen.rows]  # not simulated yet


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"maps": 99}, "`maps` must be at least 100"),
        ({"per_box": 6}, "`per_box` must lie between 1 and 5"),
        ({"per_box": 3}, "maps to calibrate with, at most 3 a box"),
        ({"maps": 2000}, "and 2000 are wanted: simulate more boxes"),
        ({"held_out": 0.5}, "which leaves fewer than 20"),
        ({"held_out": 0.01}, "1 of them held out: hold out more"),
        ({"held_out": 1.0}, "`held_out` must lie between 0 and 1"),
    ],
)
def test_too_few_maps_or_boxes_are_refused(store, choice, words):
    with pytest.raises(ValueError, match=words):
        choose(store, store.done(), **choice)


def test_too_few_boxes_are_counted(store):
    few = [r for r in store.done() if store.rows("box")[r] < 21]
    with pytest.raises(ValueError, match="21 boxes to choose from; calibration takes at least 20"):
        choose(store, few)


def training(boxes, kind="nbody", seed=SEED):
    return {"training": {"store": {"kind": kind, "seed": seed, "boxes": list(boxes)}}}


def test_boxes_of_the_training_are_left_out(store):
    rows, note = unused(training(range(10)), store)
    assert set(store.rows("box")[rows]) == set(range(10, BOXES - 1))
    assert note.startswith("10 boxes of ") and "left out" in note
    with pytest.raises(ValueError, match="all 27 boxes .* served the checkpoint's training"):
        unused(training(range(BOXES)), store)


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (training(range(BOXES), seed=8), "trained on nbody maps of seed 8: no box is shared"),
        (training(range(BOXES), kind="lognormal"), "no box is shared"),
        ({"training": {"store": None}}, "made on the fly"),
        ({"training": {}}, "does not say which simulation boxes"),
    ],
)
def test_other_stores_are_said_to_be_others(store, card, words):
    rows, note = unused(card, store)
    assert rows == store.done() and words in note


def test_a_training_on_all_boxes_is_refused_before_any_work(store, survey, tmp_path):
    path = save(tmp_path / "a.safetensors", **training(range(BOXES))["training"])
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


def test_maps_of_other_pixels_are_refused(store, survey, tmp_path):
    path = save(tmp_path / "a.safetensors", store=None)
    checkpoint.annotate(path, domain={"pixel_scale": [0.28, 0.3]})
    with pytest.raises(ValueError, match="has pixels of 1′, the checkpoint was trained on 0.28′"):
        calibrate(store.path, path, survey=survey)


# How maps are seen, and what is kept


def test_views_of_a_row_depend_on_the_row_alone(store, survey):
    views = [Views(store, survey, (5.0, 40.0), seed=s) for s in (1, 1, 2)]
    for look in ("as_surveyed", "otherwise"):
        a, b, c = ([f.gamma for f in getattr(v, look)(3)] for v in views)
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        assert not any(torch.equal(x, y) for x, y in zip(a, c, strict=True))
    (own,) = views[0].as_surveyed(3)
    assert torch.equal(own.sigma, survey.sigma) and torch.equal(own.footprint, survey.area)
    others = views[0].otherwise(3)
    noise = [float(f.sigma[f.mask].median()) for f in others]
    assert len(others) == calibrating_fields.LOOKS and noise == sorted(noise, reverse=True)
    large = store.read([3])[0]
    here = slice(SIDE // 2, SIDE // 2 + SIDE)
    for field in (own, *others):
        assert torch.equal(field.kappa, (large - large.mean())[here, here])
        assert field.sources.mean == store.sources[0].mean


def test_every_n_of_z_has_its_share(store):
    """Rows of a box come in random order: the sixth of each is shallow."""
    chosen = choose(store, store.done())
    shallow = (store.rows("sources")[chosen.rows] == 1).mean()
    assert 0.08 < shallow < 0.26
    assert choose(store, store.done()).rows == chosen.rows
    assert choose(store, store.done(), seed=1).rows != chosen.rows


def test_only_maps_as_deep_as_the_survey_serve_its_grid(store, survey):
    rows = Views(store, survey).deep_enough(store.done())
    assert len(rows) == PER_BOX * (BOXES - 1)
    assert (store.rows("sources")[rows] == 0).all()


def test_a_ledger_remembers_and_forgets(tmp_path):
    shapes = {"a": (3, 2), "b": (3,)}
    first = Ledger(tmp_path / "l", {"seed": 1}, shapes)
    first.put(a=[1.0, 2.0], b=3.0)
    again = Ledger(tmp_path / "l", {"seed": 1}, shapes)
    assert again.done == 1 and again["a"][0].tolist() == [1, 2] and again["b"][0] == 3
    again.put(a=[4.0, 5.0], b=6.0)
    assert Ledger(tmp_path / "l", {"seed": 1}, shapes).done == 2
    assert Ledger(tmp_path / "l", {"seed": 2}, shapes).done == 0
    other = Ledger(tmp_path / "l", {"seed": 2}, {"a": (4, 2), "b": (3,)})
    assert other.done == 0 and other["a"].shape == (4, 2)
    other.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_factor_for_all_pixels_depends_on_boxes_not_on_maps(rng):
    """The same maps counted five times, in five times the boxes, would prove more."""
    scores = torch.randn(20, 300, generator=rng).abs()
    one, copies = list(range(20)), scores.repeat_interleave(5, 0)
    alike = [box for box in one for _ in range(5)]
    assert global_factor(copies, alike, 0.32, 0.1) == global_factor(scores, one, 0.32, 0.1)
    assert global_factor(copies, list(range(100)), 0.32, 0.1) < global_factor(
        scores, one, 0.32, 0.1
    )


def test_terms_know_their_units(store):
    chosen = choose(store, store.done())
    ask = {"delta": 0.1, "samples": 4, "batch": 4, "seed": 0}
    maps = Terms("residual", (0.68,), "maps", **ask).unit(chosen)
    boxes = Terms("residual", (0.68,), "boxes", **ask).unit(chosen)
    assert len(maps.unique()) == 100 and boxes.tolist() == chosen.boxes[:100]
    assert {f.name for f in fields(Terms)} >= {"units", "delta"}
    assert calibrating.LEVELS == (0.68, 0.95)
