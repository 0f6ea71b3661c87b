"""A calibration on disk: the same as in memory, and of one checkpoint alone."""

import json
from dataclasses import fields

import pytest
import torch
from safetensors.torch import save_file

from massgan_core.evaluate.calibration import Calibration, SurveyFactors, TableFactors
from massgan_core.evaluate.calibration_file import beside, load_calibration, save_calibration


def calibration(side=12, survey=True, table=True):
    sigma = torch.full((side, side), 0.125)
    sigma[:3] = torch.inf
    factor = torch.rand(2, side, side, generator=torch.Generator().manual_seed(1))
    cells = torch.rand(2, 3, 4) + 1
    cells[0, 0, 0] = torch.inf
    return Calibration(
        "residual",
        (0.68, 0.95),
        checkpoint="deep",
        digest="0123456789ab",
        samples=32,
        seed=4,
        maps=100,
        boxes=20,
        redshifts=(0.5, 1.4),
        scales=(0.01, 0.03),
        home=(1.41, 0.028),
        survey=SurveyFactors(sigma, 0.29, (1.38, 1.44), factor) if survey else None,
        table=TableFactors((1.0, 2.0, 3.0, 9.0), (1.0, 3.0, 5.0), (0.28, 0.3), (0.5, 1.5), cells)
        if table
        else None,
        facts={"delta": 0.1, "coverage": [{"level": 0.68}], "sigma8": [0.7, 0.9]},
    )


def same(a, b):
    if isinstance(a, (SurveyFactors, TableFactors)):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize(("survey", "table"), [(True, True), (True, False), (False, True)])
def test_what_is_saved_is_loaded(tmp_path, survey, table):
    want, path = calibration(survey=survey, table=table), tmp_path / "a.safetensors"
    save_calibration(path, want)
    have = load_calibration(path, digest="0123456789ab")
    for item in fields(want):
        if not item.name.startswith("_"):
            assert same(getattr(have, item.name), getattr(want, item.name)), item.name
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    other = tmp_path / "b.safetensors"
    save_calibration(other, have)
    assert path.read_bytes() == other.read_bytes()


def test_it_is_small_at_the_size_of_cosmos(tmp_path):
    save_calibration(tmp_path / "a.safetensors", calibration(300))
    assert (tmp_path / "a.safetensors").stat().st_size < 2e6


def test_it_lies_beside_its_checkpoint():
    assert str(beside("runs/deep.safetensors")) == "runs/deep.calibration.safetensors"


def test_another_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_calibration(path, calibration())
    with pytest.raises(ValueError, match="calibrates checkpoint 0123456789ab, not ba9876543210"):
        load_calibration(path, digest="ba9876543210")
    assert load_calibration(path).digest == "0123456789ab"


def test_what_is_no_calibration_is_said_in_one_sentence(tmp_path):
    path = tmp_path / "a.safetensors"
    with pytest.raises(FileNotFoundError, match="there is no calibration here"):
        load_calibration(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="not a whole calibration file"):
        load_calibration(path)
    save_file({"a": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="but not a calibration"):
        load_calibration(path)
    for card, words in (
        ({"format_version": 99}, "reads calibrations of format 1"),
        ({"format_version": 1, "survey": None}, "metadata is incomplete"),
    ):
        save_file({"a": torch.ones(2)}, path, metadata={"massgan-calibration": json.dumps(card)})
        with pytest.raises(ValueError, match=words):
            load_calibration(path)
    save_calibration(path, calibration())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole calibration file"):
        load_calibration(path)
