import json

import pytest
import torch
from safetensors.torch import save_file

from massgan_core.nn.checkpoint import (
    bundled_or_file,
    check_card,
    check_weights,
    load_weights,
    read_card,
    save,
)

CARD = dict.fromkeys(("network", "normalization", "domain", "training", "trained_on"), {})


def test_a_name_is_looked_for_among_the_bundled_and_a_path_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bundled"
    folder.mkdir()
    save(folder / "a.safetensors", {}, CARD)
    (tmp_path / "a").touch()
    assert bundled_or_file("a", folder, ["a"]) == folder / "a.safetensors"
    assert bundled_or_file(tmp_path / "a", folder, ["a"]) == tmp_path / "a"
    for unknown in ("b", "../bundled/a"):
        with pytest.raises(ValueError, match=f"{unknown}.*or one of: a, c"):
            bundled_or_file(unknown, folder, ["a", "c"])
    with pytest.raises(ValueError, match="one of: none is bundled"):
        bundled_or_file("b", folder, [])


def test_weights_come_back_as_halves_and_the_card_as_it_was(tmp_path):
    module, path = torch.nn.Linear(3, 2), tmp_path / "x.safetensors"
    save(path, module.state_dict(), CARD | {"evaluation": {"r": 0.5}})
    weights = load_weights(path)
    for key, value in module.state_dict().items():
        assert torch.equal(weights[key], value.half().float())
    check_weights(module, weights, path)
    with pytest.raises(ValueError, match="2 weights do not fit .* first 'bias'"):
        check_weights(torch.nn.Linear(2, 3), weights, path)
    card = read_card(path)
    check_card(card, path)
    assert card == {"format_version": 1, **CARD, "evaluation": {"r": 0.5}}


def test_metadata_that_is_no_json_is_named(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({}, path, metadata={"massgan": "{"})
    with pytest.raises(ValueError, match="metadata is not JSON"):
        read_card(path)
    save_file({}, path, metadata={"massgan": json.dumps(CARD | {"format_version": 2})})
    with pytest.raises(ValueError, match="format 2; this version of massgan reads format 1"):
        check_card(read_card(path), path)
