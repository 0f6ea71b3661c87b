"""The whole chain from simulated skies to a checkpoint, at 64² and a few steps."""

import json

import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.config import read_config
from massgan_core.training import make_fields, make_normalizer, train, train_stages

FEW = ["train.validate_every=3", "train.precision=fp32", "data.sky=128"]


def config(*more):
    steps = ["train.regression.steps=6", "train.adversarial.steps=6"]
    return read_config("tiny", [*FEW, *steps, *more])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return train_stages(config(), out), out


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
    rows = [json.loads(x) for x in (out / "adversarial/log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 6]
    assert {"r", "rmse", "ratio", "gain", "beta_sd", "critic", "l1"} <= set(rows[0])


def test_a_stopped_run_resumes_bit_for_bit(run, tmp_path):
    path, out = run
    first = out / "regression" / "regression.safetensors"
    half = config("train.adversarial.steps=6")
    trained = _stop_after(half, tmp_path, 3, first)
    whole, resumed = load(path).network.state_dict(), load(trained).network.state_dict()
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)


def _stop_after(settings, out, steps, start):
    """Kill the adversarial stage after some steps, then resume it."""
    from massgan_core.gan import trainer

    class Killed(Exception):
        pass

    original = trainer.Trainer._compete

    def dies(self, batch):
        if self.step == steps:
            self.save_state()
            raise Killed
        return original(self, batch)

    patch = pytest.MonkeyPatch()
    patch.setattr(trainer.Trainer, "_compete", dies)
    with pytest.raises(Killed):
        train(settings, out, stage="adversarial", start=start)
    patch.undo()
    return train(settings, out, stage="adversarial", start=start, resume=True)


def test_a_run_is_not_overwritten(run):
    _, out = run
    with pytest.raises(ValueError, match="holds the state of a run: give --resume"):
        train(config(), out / "regression", stage="regression")


def test_nan_stops_with_a_sentence(tmp_path):
    broken = config("train.regression.lr=1e30", "train.regression.warmup=1")
    with pytest.raises(FloatingPointError, match="is not finite; the last state"):
        train(broken, tmp_path, stage="regression")


def test_regression_learns(tmp_path):
    settings = config("train.regression.steps=60", "train.validate_every=30")
    train(settings, tmp_path, stage="regression")
    rows = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["r"] > 0.3


def test_unknown_stage(tmp_path):
    with pytest.raises(ValueError, match="`stage` must be both"):
        train_stages(config(), tmp_path, stage="third")
