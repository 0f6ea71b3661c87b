"""Several processes that train one network do what one process does."""

import csv
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from massgan_core.gan.checkpoint import load_card, load_weights

STAGES = ("regression", "adversarial", "variance", "score", "published/regression")


SCRIPT = Path(__file__).with_name("together.py")
SETTINGS = runpy.run_path(str(SCRIPT))["SETTINGS"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of runs: alone, shared by two processes, broken and gone on with by others."""
    out = tmp_path_factory.mktemp("together")
    done = subprocess.run(
        [sys.executable, SCRIPT, out],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out


def curve(folder):
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: float(v) for k, v in row.items() if k != "minutes"} for row in rows]


def check_same(one, other):
    """All columns of all steps: losses, scores, β_SD; the log has six decimals."""
    assert len(one) == len(other) == 4
    for row, same in zip(one, other, strict=True):
        assert row == pytest.approx(same, rel=1e-4, abs=2e-6, nan_ok=True)


@pytest.mark.parametrize("stage", STAGES)
def test_two_halves_of_a_batch_train_as_the_whole(stage, runs):
    check_same(curve(runs / "shared" / stage), curve(runs / "alone" / stage))
    file = f"{stage}/{stage.rpartition('/')[2]}.safetensors"
    one, two = (load_weights(runs / name / file) for name in ("alone", "shared"))
    assert set(one) == set(two)
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-3, atol=1e-5)


def test_all_end_with_the_same_weights_and_the_first_alone_writes(runs):
    first, second = ((runs / f"shared/said_2_{rank}").read_text() for rank in (0, 1))
    digests = [re.findall(r"^\w+ [0-9a-f]{64}$", text, re.MULTILINE) for text in (first, second)]
    assert digests[0] == digests[1] and len(digests[0]) == 4
    assert "Error" not in first + second


@pytest.mark.parametrize("stage", ["adversarial", "score"])
def test_a_run_broken_twice_goes_on_with_any_number_of_processes(stage, runs):
    """Two, one of which is killed; three, whose parts of a batch of four differ; one."""
    check_same(curve(runs / "broken" / stage), curve(runs / "alone" / stage))
    card = load_card(runs / "broken" / stage / f"{stage}.safetensors")
    assert card["training"]["steps"] == 4


def test_who_loses_another_process_says_one_sentence(runs):
    for name in ("2_0", "3_0", "3_1"):
        said = (runs / f"broken/said_{name}").read_text()
        assert "Traceback" not in said
        lines = [line for line in said.splitlines() if line.startswith("Error:")]
        assert len(lines) == 2 and len(set(lines)) == 1  # once a stage
        assert "has lost another one: what the run has saved is good, go on with" in lines[0]


@pytest.mark.slow
def test_torchrun_starts_the_command_line(runs, tmp_path):
    """As the page on GPUs says, but for the device."""
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d"]
    launch += ["--rdzv-endpoint", "localhost:0", "-m", "massgan_core.cli.main"]
    words = ["train", "tiny", *SETTINGS, "--stage", "regression", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, *launch, *words, "--out", tmp_path / "run"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote ") == 1
    check_same(curve(tmp_path / "run/regression"), curve(runs / "alone/regression"))
