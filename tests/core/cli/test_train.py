"""``massgan train``: settings to a checkpoint, or one sentence."""

import pytest
from typer.testing import CliRunner

from massgan_core.cli.main import app
from massgan_core.gan import load_card

FEW = ["train.regression.steps=2", "train.adversarial.steps=2", "data.sky=128"]
SHORT = [*FEW, "train.validate_every=2", "train.precision=fp32"]


def train(*words):
    return CliRunner().invoke(app, ["train", *map(str, words)])


def test_a_preset_becomes_a_checkpoint_and_resumes(tmp_path):
    out = tmp_path / "run"
    result = train("tiny", *SHORT, "--out", out, "--device", "cpu")
    path = out / "adversarial" / "adversarial.safetensors"
    assert result.exit_code == 0, result.output
    assert load_card(path)["training"]["steps"] == 2
    again = train("tiny", *SHORT, "--out", out, "--device", "cpu", "--resume")
    assert again.exit_code == 0 and str(path) in again.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("huge",), "`preset` must be one of default, mmgan-paper, tiny"),
        (("tiny", "train.sed=1"), "did you mean train.seed?"),
        (("tiny", "--stage", "third"), "`stage` must be both"),
        (("tiny", "--start", "nothing.safetensors"), "unknown checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, tmp_path):
    result = train(*words, "--out", tmp_path / "run")
    assert result.exit_code == 2 and sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
