import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from massgan_core.gan import load, load_card
from massgan_core.gan.checkpoint import digest, save


def test_saving_and_loading_changes_nothing_but_the_precision(saved, card, weights):
    sampler = load(saved)
    for key, value in sampler.network.state_dict().items():
        assert torch.equal(value, weights[key].half().float())
    assert sampler.card["network"] == card["network"]
    assert sampler.provenance["digest"] == digest(saved) and len(digest(saved)) == 12


def test_unknown_names_list_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown checkpoint 'nonsense': give a .safetensors"):
        load("nonsense")


def test_bundled_checkpoints_are_listed_by_kind(tmp_path, card, weights, monkeypatch):
    from massgan_core.gan import checkpoint

    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    for name, stage in (("b", "adversarial"), ("default", ""), ("mean", "regression")):
        save(tmp_path / f"{name}.safetensors", weights, card | {"training": {"stage": stage}})
    assert checkpoint.checkpoints() == ["default", "b"]
    assert checkpoint.checkpoints("regression") == ["mean"]
    assert load("mean").name == "regression" and load("b").name == "gan"
    with pytest.raises(ValueError, match="or one of: default, b, mean"):
        load("other")


def test_a_calibration_beside_a_checkpoint_is_no_checkpoint(tmp_path, card, weights, monkeypatch):
    from massgan_core.gan import checkpoint

    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path)
    save(tmp_path / "default.safetensors", weights, card)
    save_file(weights, tmp_path / "default.calibration.safetensors")
    for kind in (*checkpoint.KINDS, None):
        assert checkpoint.checkpoints(kind) == ([] if kind == "regression" else ["default"])
    with pytest.raises(ValueError, match="not a MassGAN checkpoint"):
        load("default.calibration")


def test_truncated_files_are_named(saved):
    data = saved.read_bytes()
    for size in (0, 7, 100, len(data) // 2):
        saved.write_bytes(data[:size])
        with pytest.raises(ValueError, match="not a whole .safetensors file"):
            load(saved)


def test_another_format_version_is_refused(tmp_path, weights, card):
    path = tmp_path / "old.safetensors"
    metadata = {"massgan": json.dumps({**card, "format_version": 999})}
    save_file(weights, path, metadata=metadata)
    with pytest.raises(ValueError, match="checkpoint format 999; this version of massgan reads"):
        load(path)


class Bomb:
    """Unpickling this would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_in_disguise_is_refused_and_not_run(tmp_path):
    path, mark = tmp_path / "evil.safetensors", tmp_path / "ran"
    for dump in (lambda f: pickle.dump(Bomb(mark), f), lambda f: torch.save({"a": 1}, f)):
        with path.open("wb") as file:
            dump(file)
        with pytest.raises(ValueError, match="this is a pickle"):
            load(path)
    assert not mark.exists()


def test_foreign_safetensors_and_missing_facts_are_refused(tmp_path, weights, card):
    path = tmp_path / "foreign.safetensors"
    save_file(weights, path)
    with pytest.raises(ValueError, match="not a MassGAN checkpoint"):
        load(path)
    save(path, weights, {k: v for k, v in card.items() if k != "network"})
    with pytest.raises(ValueError, match="lacks network"):
        load_card(path)


def test_weights_of_another_network_are_refused(tmp_path, weights, card):
    path = tmp_path / "mixed.safetensors"
    save(path, {k: v for k, v in weights.items() if k != "leave.bias"}, card)
    with pytest.raises(ValueError, match="1 weights do not fit .* first 'leave.bias'"):
        load(path)


def test_nothing_is_left_of_a_failed_save(tmp_path, weights):
    with pytest.raises(TypeError):
        save(tmp_path / "x.safetensors", weights, {"bad": object()})
    assert list(tmp_path.iterdir()) == []
