"""The whole chain from simulated skies to a checkpoint, at 64² and a few steps."""

import csv
import json
import shutil
import subprocess
import sys
from math import log

import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.checkpoint import load_weights
from massgan_core.gan.config import read_config
from massgan_core.gan.state import under
from massgan_core.training import make_fields, make_normalizer, train, train_stages

FEW = ["train.validate_every=3", "train.precision=fp32", "data.sky=128"]


def config(*more):
    steps = [f"train.{stage}.steps=6" for stage in ("regression", "adversarial", "variance")]
    return read_config("tiny", [*FEW, *steps, *more])


def read_log(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return train_stages(config(), out), out


@pytest.fixture(scope="module")
def mean(run):
    """Checkpoint of the regression."""
    return run[1] / "regression" / "regression.safetensors"


@pytest.fixture(scope="module")
def spread(mean, tmp_path_factory):
    """Checkpoint of mean and variance."""
    return train_stages(config(), tmp_path_factory.mktemp("v"), stage="variance", start=mean)


def test_both_stages_leave_a_checkpoint_that_samples(run):
    path, _ = run
    sampler, normalizer = load(path), make_normalizer()
    (field,) = make_fields(config(), normalizer, 1, seed=99)
    samples = sampler.sample(field, 3, 1)
    assert samples.shape == (3, 64, 64) and (samples[0] - samples[1]).std() > 0
    assert sampler.card["training"]["steps"] == 6
    assert "lognormal" in sampler.card["trained_on"]


def test_log_holds_scores_of_every_validation(run):
    _, out = run
    rows = read_log(out / "adversarial")
    assert [row["step"] for row in rows] == ["3", "6"]
    assert {"r", "rmse", "ratio", "gain", "beta_sd", "critic", "l1"} <= set(rows[0])


def test_the_variance_stage_leaves_one_checkpoint_of_two_networks(spread, mean):
    assert spread.name == "variance.safetensors" and spread.parent.name == "variance"
    sampler, weights, first = load(spread), load_weights(spread), load_weights(mean)
    kept = under(weights, "mean")
    assert set(kept) == set(first) and all(torch.equal(kept[k], first[k]) for k in first)
    assert set(weights) == {f"mean.{k}" for k in first} | {
        f"variance.{k}" for k in under(weights, "variance")
    }
    (field,) = make_fields(config(), make_normalizer(), 1, seed=99)
    std = sampler.moments(field)[1]
    assert std.min() > 0 and std.std() > 0
    assert sampler.card["kind"] == "regression"
    training = sampler.card["training"]
    assert training["stage"] == "variance" and training["mean"]["stage"] == "regression"


def test_log_tells_spread_over_skill_by_decile(spread):
    rows = read_log(spread.parent)
    assert [row["step"] for row in rows] == ["3", "6"]
    for row in rows:
        every, *deciles = (float(row[k]) for k in ("ratio", *(f"ratio_{i}" for i in range(1, 11))))
        assert min(deciles) < every < max(deciles)
    best = load(spread).card["training"]["best"]
    assert best["score"] == pytest.approx(min(float(row["score"]) for row in rows), abs=1e-6)


@pytest.mark.parametrize("stage", ["adversarial", "variance"])
def test_a_stopped_run_resumes_bit_for_bit(stage, run, mean, spread, tmp_path):
    path = {"adversarial": run[0], "variance": spread}[stage]
    trained = _stop_after(config(), tmp_path, 3, mean, stage)
    whole, resumed = load_weights(path), load_weights(trained)
    assert set(whole) == set(resumed)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def _stop_after(settings, out, steps, start, stage):
    """Kill a stage after some steps, then resume it."""
    from massgan_core.gan import trainer

    class Killed(Exception):
        pass

    name = {"adversarial": "_compete", "variance": "_spread"}[stage]
    original = getattr(trainer.Trainer, name)

    def dies(self, batch):
        if self.step == steps:
            self.save_state()
            raise Killed
        return original(self, batch)

    patch = pytest.MonkeyPatch()
    patch.setattr(trainer.Trainer, name, dies)
    with pytest.raises(Killed):
        train(settings, out, stage=stage, start=start)
    patch.undo()
    train(settings, out, stage=stage, start=start, resume=True)
    return out / f"{stage}.safetensors"


def test_a_run_is_not_overwritten(run):
    _, out = run
    with pytest.raises(ValueError, match="holds the state of a run: give --resume"):
        train(config(), out / "regression", stage="regression")


def test_settings_of_other_stages_are_free(run, tmp_path):
    """Also of stages that the version which began the run did not know."""
    folder = shutil.copytree(run[1] / "regression", tmp_path / "regression")
    old = json.loads((folder / "config.json").read_text())
    del old["train"]["variance"]
    (folder / "config.json").write_text(json.dumps(old))
    assert train(config("train.adversarial.lr=1"), folder, stage="regression", resume=True)
    with pytest.raises(ValueError, match=r"was begun with train.regression.lr=0.001, now it is"):
        train(config("train.regression.lr=1"), folder, stage="regression", resume=True)


def test_a_variance_needs_its_own_mean(run, mean, spread, tmp_path):
    with pytest.raises(ValueError, match="`start` must be a checkpoint of the regression .* None"):
        train(config(), tmp_path, stage="variance")
    with pytest.raises(ValueError, match="`start` must be a .* got one of kind 'gan'"):
        train(config(), tmp_path, stage="variance", start=run[0])
    assert not list(tmp_path.iterdir())
    other = tmp_path / "other.safetensors"
    train(config("train.regression.steps=3"), tmp_path / "r", stage="regression")
    (tmp_path / "r/regression.safetensors").rename(other)
    with pytest.raises(ValueError, match="was begun with start="):
        train(config(), spread.parent, stage="variance", start=other, resume=True)


def test_a_mean_with_a_variance_starts_other_stages(spread, mean, tmp_path):
    """As the mean alone does."""
    few = config("train.regression.steps=3")
    for name, start in (("a", mean), ("b", spread)):
        train(few, tmp_path / name, stage="regression", start=start)
    one, two = (load_weights(tmp_path / n / "regression.safetensors") for n in ("a", "b"))
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_nan_stops_with_a_sentence(tmp_path):
    broken = config("train.regression.lr=1e30", "train.regression.warmup=1")
    with pytest.raises(FloatingPointError, match="is not finite; the last state"):
        train(broken, tmp_path, stage="regression")


def test_regression_learns(tmp_path):
    settings = config("train.regression.steps=60", "train.validate_every=30")
    train(settings, tmp_path, stage="regression")
    assert float(read_log(tmp_path)[-1]["r"]) > 0.3


def test_variance_learns(mean, tmp_path):
    """Better than the best constant variance, whose score is log e² + 1."""
    settings = config("train.variance.steps=40", "train.validate_every=20")
    train(settings, tmp_path, stage="variance", start=mean)
    row = read_log(tmp_path)[-1]
    constant = 2 * log(float(row["rmse"]) / make_normalizer().fiducial) + 1
    assert float(row["score"]) < constant
    assert 0.8 < float(row["ratio"]) < 1.2


def test_unknown_stage(tmp_path):
    with pytest.raises(ValueError, match="`stage` must be both"):
        train_stages(config(), tmp_path, stage="third")


@pytest.mark.slow  # 40 s; tests/core/test_together.py kills and resumes shorter ones
def test_a_run_killed_at_any_moment_ends_bit_for_bit_the_same(tmp_path):
    """SIGKILL, twice, wherever it strikes; the log has every validation once."""
    whole = _run_killed(tmp_path / "whole", kills=0)
    broken = _run_killed(tmp_path / "broken", kills=2)
    first, second = (
        load(p / "run/adversarial.safetensors").network.state_dict() for p in (whole, broken)
    )
    assert all(torch.equal(first[k], second[k]) for k in first)
    rows = [read_log(p / "run") for p in (whole, broken)]
    for row in (*rows[0], *rows[1]):
        del row["minutes"]
    assert rows[0] == rows[1]


def _run_killed(folder, kills):
    """Train in a child process that dies after the 2nd, 4th … save, mostly amid a step."""
    folder.mkdir()
    (folder / "run.py").write_text(KILLED)
    for k in range(kills + 1):
        limit = str(2 * k + 2) if k < kills else "1000"
        done = subprocess.run(
            [sys.executable, str(folder / "run.py"), str(folder / "run"), limit],
            capture_output=True,
            text=True,
        )
        assert done.returncode == (-9 if k < kills else 0), done.stderr
    return folder


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from massgan_core.gan import trainer
from massgan_core.gan.config import read_config
from massgan_core.training import train

save, limit = trainer.Trainer.save_state, int(sys.argv[2])

def counted(self):
    save(self)
    if self.step >= limit:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()

trainer.Trainer.save_state = counted
settings = ["train.validate_every=3", "train.precision=fp32", "data.sky=128"]
settings += ["train.adversarial.steps=9", "train.save_minutes=0", "train.adversarial.crps=0.5"]
train(read_config("tiny", settings), Path(sys.argv[1]), stage="adversarial", resume=True)
"""


def test_a_time_limit_leaves_a_checkpoint_and_a_state(tmp_path):
    path = train_stages(config(), tmp_path, minutes=0)
    assert path == tmp_path / "regression/regression.safetensors"
    assert load(path).card["training"]["steps"] == 0
    path = train_stages(config(), tmp_path, resume=True)
    assert path == tmp_path / "adversarial/adversarial.safetensors"
    assert load(path).card["training"]["steps"] == 6
