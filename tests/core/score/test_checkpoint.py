import json

import pytest
import torch
from safetensors.torch import save_file

from massgan_core.score.checkpoint import load, load_card, ratio_card, save


@pytest.fixture
def saved(tmp_path, card, network):
    path = tmp_path / "test.safetensors"
    save(path, network.state_dict(), card)
    return path


def test_saving_and_loading_changes_nothing_but_the_precision(saved, card, network, power):
    sampler = load(saved, steps=7)
    for key, value in sampler.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[key].half().float())
    assert sampler.card["kind"] == "score" and sampler.steps == 7
    assert ratio_card(sampler.ratio) == card["normalization"]["error_ratio"]
    assert sampler.fiducial == pytest.approx(power.std(1.0))
    assert len(sampler.provenance["digest"]) == 12


def test_others_may_read_it(saved, tmp_path):
    (tmp_path / "plain").touch()
    assert saved.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_file_alone_makes_samples(saved, masked_field, power):
    samples = load(saved, steps=2).sample(masked_field, 1, 0)
    assert torch.equal(load(saved, power, steps=2).sample(masked_field, 1, 0), samples)


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="unknown checkpoint 'nonsense': give a .safetensors"):
        load("nonsense")


def test_truncated_files_are_named(saved):
    data = saved.read_bytes()
    for size in (0, 7, 100, len(data) // 2):
        saved.write_bytes(data[:size])
        with pytest.raises(ValueError, match="not a whole .safetensors file"):
            load(saved)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "unet"}, "of kind 'unet', not of a learned prior"),
        ({"format_version": 999}, "checkpoint format 999; this version of massgan reads format 1"),
        ({"domain": None}, "metadata lacks domain"),
    ],
)
def test_other_cards_are_refused(change, sentence, tmp_path, card, network):
    path = tmp_path / "other.safetensors"
    card = {"format_version": 1, "kind": "score", **card, **change}
    card = {k: v for k, v in card.items() if v is not None}
    save_file(network.state_dict(), path, metadata={"massgan": json.dumps(card)})
    with pytest.raises(ValueError, match=sentence):
        load_card(path)


def test_a_file_of_something_else(tmp_path, network):
    path = tmp_path / "other.safetensors"
    save_file(network.state_dict(), path)
    with pytest.raises(ValueError, match="but not a MassGAN checkpoint"):
        load(path)


def test_weights_of_another_network(tmp_path, card, network):
    path = tmp_path / "odd.safetensors"
    save(path, network.state_dict(), {**card, "network": {**card["network"], "widths": [8, 16]}})
    with pytest.raises(ValueError, match="weights do not fit the network its metadata describes"):
        load(path)
