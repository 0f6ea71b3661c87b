"""The whole chain from simulated skies to a checkpoint, at 64² and a few steps."""

import csv
import os
import subprocess
import sys

import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.config import read_config
from massgan_core.training import make_fields, make_normalizer, train, train_stages

FEW = ["train.validate_every=3", "train.precision=fp32", "data.sky=128"]


def config(*more):
    steps = ["train.regression.steps=6", "train.adversarial.steps=6"]
    return read_config("tiny", [*FEW, *steps, *more])


def read_log(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


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
    rows = read_log(out / "adversarial")
    assert [row["step"] for row in rows] == ["3", "6"]
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
    train(settings, out, stage="adversarial", start=start, resume=True)
    return out / "adversarial.safetensors"


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
    assert float(read_log(tmp_path)[-1]["r"]) > 0.3


def test_unknown_stage(tmp_path):
    with pytest.raises(ValueError, match="`stage` must be both"):
        train_stages(config(), tmp_path, stage="third")


def test_two_processes_share_a_step(tmp_path):
    """Launched by torchrun, they end with the same weights, and one of them writes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    script = tmp_path / "two.py"
    script.write_text(TWO)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(script), str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    digests = {(tmp_path / f"digest_{rank}").read_text() for rank in (0, 1)}
    assert len(digests) == 1
    assert (
        load(tmp_path / "run/adversarial/adversarial.safetensors").card["training"]["steps"] == 4
    )
    assert [row["step"] for row in read_log(tmp_path / "run/adversarial")] == ["3", "4"]


TWO = """
import hashlib, os, sys
from pathlib import Path
from massgan_core.gan import trainer
from massgan_core.gan.config import read_config
from massgan_core.training import train_stages

out, rank = Path(sys.argv[1]), os.environ["RANK"]
run = trainer.Trainer.run

def watched(self, until):
    done = run(self, until)
    parts = [p.detach().numpy().tobytes() for p in self.network.parameters()]
    (out / f"digest_{rank}").write_text(hashlib.sha256(b"".join(parts)).hexdigest())
    return done

trainer.Trainer.run = watched
settings = ["train.validate_every=3", "train.precision=fp32", "data.sky=128"]
settings += ["train.regression.steps=4", "train.adversarial.steps=4", "train.adversarial.crps=0.5"]
train_stages(read_config("tiny", settings), out / "run")
"""


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
