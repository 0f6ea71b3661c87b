"""From skies to the checkpoint of a learned prior, at 64² and a few steps."""

import csv

import pytest
import torch

from massgan_core.data import MapStore
from massgan_core.score.checkpoint import load
from massgan_core.score.config import ScoreConfig
from massgan_core.simulating import simulate
from massgan_core.training_score import ScoreTraining, train_score
from massgan_core.training_score_skies import StoredSkies

TINY = {
    "widths": [8, 16],
    "bottleneck": 1,
    "embedding": 16,
    "side": 64,
    "sky": 128,
    "stretch": [1.0],
    "sigma8": [0.81],
    "lr": 5e-3,
    "ema": 0.9,
    "warmup": 10,
    "validate_maps": 8,
    "ratio_levels": [0.1, 1.0],
    "ratio_bands": 4,
    "ratio_maps": 8,
}


def read_log(out):
    with (out / "log.csv").open(newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return train_score(out, steps=80, validate_every=40, name="tiny", **TINY), out


def test_a_learned_denoiser_beats_the_gaussian_one_on_skewed_skies(run):
    rows = read_log(run[1])
    assert [row["step"] for row in rows] == [40, 80]
    assert rows[1]["ratio"] < 0.99
    assert rows[1]["ratio_1.5"] < 0.97


def test_the_checkpoint_samples_and_tells_its_story(run, small_field):
    sampler = load(run[0], steps=2)
    samples = sampler.sample(small_field, 2, 1)
    assert samples.shape == (2, 24, 33) and (samples[0] - samples[1]).std() > 0
    card = sampler.card
    assert card["training"]["best"]["step"] in (40, 80) and card["training"]["steps"] == 80
    assert "lognormal" in card["trained_on"] and sampler.provenance["checkpoint"] == "tiny"
    assert len(sampler.ratio.ratio) == 3 and len(sampler.ratio.ell) == 4
    assert "pixel scale" in sampler.in_domain(small_field)[0]


def test_a_run_is_not_overwritten_nor_resumed_with_other_settings(run):
    with pytest.raises(ValueError, match="holds the state of a run: resume it or choose another"):
        train_score(run[1], steps=80, validate_every=40, **TINY)
    with pytest.raises(ValueError, match=r"begun with lr=0.005, now it is 0.1: resume with the"):
        train_score(run[1], resume=True, steps=80, validate_every=40, **{**TINY, "lr": 0.1})


class Killed(Exception):
    pass


def test_a_killed_run_ends_bit_for_bit_the_same(tmp_path, monkeypatch):
    settings = {**TINY, "steps": 6, "validate_every": 2, "validate_maps": 2, "save_minutes": 0.0}
    whole = train_score(tmp_path / "whole", **settings)
    step = ScoreTraining._descend

    def dies(self):
        if self.step == 3:
            raise Killed
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(ScoreTraining, "_descend", dies)
        with pytest.raises(Killed):
            train_score(tmp_path / "part", **settings)
    part = train_score(tmp_path / "part", resume=True, **settings)
    a, b = (load(p).network.state_dict() for p in (whole, part))
    assert all(torch.equal(a[k], b[k]) for k in a)
    logs = [read_log(tmp_path / name) for name in ("whole", "part")]
    for row in (*logs[0], *logs[1]):
        del row["minutes"]
    assert logs[0] == logs[1] and len(logs[0]) == 3


def test_a_time_limit_leaves_a_checkpoint_and_a_state(tmp_path):
    path = train_score(tmp_path, minutes=0, steps=6, **{**TINY, "ratio_maps": 2})
    assert load(path).card["training"]["steps"] == 0
    assert (tmp_path / "state.safetensors").is_file()


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(ScoreTraining, "_descend", lambda self: float("nan"))
    with pytest.raises(FloatingPointError, match="step 0: the loss is not finite"):
        train_score(tmp_path, steps=3, **TINY)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"side": 62}, "`side` must be a multiple of 4 and at most half of the maps' "),
        ({"side": 68}, "`side` must be a multiple of 4 and at most half of the maps' "),
        ({"step": 3}, "unknown setting 'step'; did you mean steps"),
    ],
)
def test_bad_settings_write_nothing(change, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        train_score(tmp_path / "run", **{**TINY, **change})
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.zarr"
    simulate(path, n=18, side=64, per_box=3, prior={"sigma8": (0.7, 0.9)}, stretch=(0.5, 1.0))
    return path


def stored(path, **settings):
    return StoredSkies(ScoreConfig(held_out=0.3, batch=2, **settings), MapStore.open(path))


def test_maps_to_validate_on_come_from_other_boxes(maps):
    skies = stored(maps)
    box = skies.store.rows("box")
    train, validate = (set(box[skies.rows[k]].tolist()) for k in ("train", "validate"))
    assert train and validate and not train & validate
    assert sum(len(kappa) for kappa, _ in skies.held_out(4)) == 4


def test_every_map_trains_once_an_epoch_and_a_batch_has_one_depth(maps):
    skies = stored(maps)
    number, seen = skies.store.rows("sources"), []
    for index in range(len(skies.rows["train"])):
        rows = skies._chosen(index)
        kappa, own = skies.train(index)
        torch.testing.assert_close(kappa.float(), skies.store.read(rows))
        assert set(number[rows].tolist()) == {own}
        seen += rows
    assert set(seen) == set(skies.rows["train"].tolist())


def test_train_on_a_store(maps, tmp_path):
    settings = {**TINY, "steps": 2, "held_out": 0.3, "validate_maps": 2, "ratio_maps": 2}
    card = load(train_score(tmp_path, maps, **settings)).card
    assert "lognormal κ maps of" in card["trained_on"]
    (origin,) = card["training"]["stores"]
    assert origin == {"kind": "lognormal", "seed": 0, "boxes": MapStore.open(maps).boxes()}
    low, high = card["domain"]["sigma8"]
    assert 0.7 <= low < high <= 0.9


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(19, "`maps` must be at most the store's 18 rows, got 19"), (1, "hold no box to")],
)
def test_too_many_or_too_few_maps(maps, number, sentence):
    with pytest.raises(ValueError, match=sentence):
        stored(maps, maps=number)
