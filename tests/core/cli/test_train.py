"""``massgan train``: settings to a checkpoint, or one sentence."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from typer.testing import CliRunner

from massgan_core.cli.main import app
from massgan_core.gan import load_card
from massgan_core.score.checkpoint import load_card as load_prior

FEW = [f"train.{stage}.steps=2" for stage in ("regression", "adversarial", "variance")]
FEW += ["data.sky=128"]
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


def test_a_mean_is_given_a_variance(tmp_path):
    words = ["tiny", *SHORT, "--out", tmp_path / "run", "--device", "cpu"]
    assert train(*words, "--stage", "regression").exit_code == 0
    mean = tmp_path / "run/regression/regression.safetensors"
    result = train(*words, "--stage", "variance", "--start", mean)
    path = tmp_path / "run/variance/variance.safetensors"
    assert result.exit_code == 0 and str(path) in result.stdout, result.output
    assert load_card(path)["kind"] == load_card(mean)["kind"] == "regression"


def test_a_prior_is_learned_and_resumes(tmp_path):
    words = ["score", "steps=2", "widths=[8,8]", "bottleneck=1", "embedding=8", "side=32"]
    words += ["sky=64", "stretch=[1.0]", "sigma8=[0.8]", "batch=2", "validate_maps=1"]
    words += ["ratio_levels=[1.0]", "ratio_bands=2", "ratio_maps=1", "precision=fp32"]
    words += ["--out", tmp_path / "run", "--device", "cpu"]
    result = train(*words)
    path = tmp_path / "run" / "score.safetensors"
    assert result.exit_code == 0 and str(path) in result.stdout, result.output
    assert load_prior(path)["training"]["steps"] == 2
    assert train(*words, "--resume").exit_code == 0
    result = train(*words, "--resume", "--stage", "regression")
    assert result.exit_code == 2 and "the preset score has one stage" in result.stderr
    result = train("score", "step=2", "--out", tmp_path / "other")
    assert result.exit_code == 2 and "did you mean steps?" in result.stderr
    assert not (tmp_path / "other").exists()


def test_simulation_and_training_are_one_command(tmp_path):
    """The maps are there for the next call, which goes on where a time limit stopped it."""
    words = ["tiny", *SHORT, "data.held_out=0.4", "--out", tmp_path / "run", "--device", "cpu"]
    words += ["--simulate", "lognormal", "--maps", 12, "--per-box", 3]
    result = train(*words, "--minutes", 0)
    assert result.exit_code == 0, result.output
    assert load_card(tmp_path / "run/regression/regression.safetensors")["training"]["steps"] == 0
    result = train(*words, "--resume")
    assert result.exit_code == 0, result.output
    card = load_card(tmp_path / "run/adversarial/adversarial.safetensors")
    assert "lognormal κ maps" in card["trained_on"]


def test_the_recipes_are_presets_that_run(tmp_path):
    for preset in ("default", "gpu-hour"):
        small = ["network.widths=[8,8,8]", "network.critic_widths=[8,8]", "data.side=64"]
        small += ["train.regression.batch=2", "train.adversarial.batch=2", "data.sky=128"]
        small += ["train.validate_maps=2", "train.validate_samples=4", "data.stretch=[1.0]"]
        small += ["data.sigma8=[0.8]"]
        result = train(preset, *SHORT, *small, "--out", tmp_path / preset, "--device", "cpu")
        assert result.exit_code == 0, result.output


def test_maps_are_not_simulated_by_several_processes_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = train("tiny", "--simulate", "lognormal", "--out", tmp_path / "run")
    assert result.exit_code == 2 and "make the maps by `massgan simulate`" in result.stderr
    assert not (tmp_path / "run").exists()


def recipe(root):
    """The script that packs runs, as a module."""
    spec = spec_from_file_location("gpu_recipe", root / "benchmarks/gpu_recipe.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_packed_run_is_unpacked_bit_for_bit(tmp_path, root):
    packer = recipe(root)
    packer.PIECE = 1000
    run = tmp_path / "run/regression"
    run.mkdir(parents=True)
    (run / "state.safetensors").write_bytes(bytes(range(256)) * 10)
    (run / "log.csv").write_text("step\n1\n")
    pieces = packer.pack(tmp_path / "run", tmp_path / "out")
    assert len(pieces) == 4
    packer.unpack(tmp_path / "out", tmp_path / "back")
    for name in ("state.safetensors", "log.csv"):
        assert (tmp_path / "back/regression" / name).read_bytes() == (run / name).read_bytes()
    pieces[-1].write_bytes(b"lost")
    with pytest.raises(ValueError, match="came back damaged"):
        packer.unpack(tmp_path / "out", tmp_path / "other")


@pytest.mark.slow
def test_a_lease_ends_with_all_checkpoints_packed(tmp_path, root):
    """Each stage takes the steps that fit, from the weights of the one before."""
    maps, out = tmp_path / "maps.zarr", tmp_path / "out"
    words = ["--n", "12", "--per-box", "3", "--side", "64", "--sigma8", "0.7:0.9"]
    result = CliRunner().invoke(app, ["simulate", str(maps), *words, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    script = [
        sys.executable,
        root / "benchmarks/gpu_lease.py",
        maps,
        out,
        "--run",
        tmp_path / "run",
    ]
    script += ["--minutes", "0.5", "--preset", "tiny", "--start", "", "--device", "cpu"]
    script += ["--trial", "1", "--set", "data.held_out=0.3", "train.validate_maps=2"]
    done = subprocess.run(list(map(str, script)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {path.name: path for path in recipe(root).unpack(out, tmp_path / "back")}
    assert load_card(found["variance.safetensors"])["kind"] == "regression"
    assert load_card(found["adversarial.safetensors"])["training"]["steps"] > 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("huge",), "`preset` must be one of default, gpu-hour, mmgan-paper, tiny"),
        (("tiny", "train.sed=1"), "did you mean train.seed?"),
        (("tiny", "--data", "a.zarr", "--simulate", "small"), "give `--data` or `--simulate`"),
        (("tiny", "--data", "nothing.zarr"), "nothing.zarr"),
        (("tiny", "--stage", "third"), "`stage` must be both"),
        (("tiny", "--stage", "variance"), "train one with --stage regression"),
        (("tiny", "--start", "nothing.safetensors"), "unknown checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, tmp_path):
    result = train(*words, "--out", tmp_path / "run")
    assert result.exit_code == 2 and sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()
