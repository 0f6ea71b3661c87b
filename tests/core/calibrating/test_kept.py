"""One part of a calibration made anew: what the file keeps of the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from massgan_core.calibrating.kept import NAMES, sources, with_kept
from massgan_core.evaluate.calibration import Calibration, SurveyFactors, TableFactors
from massgan_core.evaluate.calibration_file import load_calibration, save_calibration

LEVELS = (0.68, 0.95)


def whole(factor: float, maps: int, low: float) -> Calibration:
    """Both parts, of the same λ, maps and so on."""
    survey = SurveyFactors(
        torch.ones(4, 5), 0.29, (0.9, 1.1), torch.full((len(LEVELS), 4, 5), factor)
    )
    lam = torch.full((len(LEVELS), 2, 1), factor)
    rows = [
        {"part": part, "level": level, "after": factor, "skies": "all"}
        for part in NAMES.values()
        for level in LEVELS
    ]
    return Calibration(
        method="residual",
        levels=LEVELS,
        checkpoint="deep",
        digest="abc",
        samples=32,
        seed=0,
        maps=maps,
        boxes=maps // 5,
        redshifts=(),
        scales=(),
        home=(1.0, 0.02),
        survey=survey,
        table=TableFactors((1.0, 2.0, 3.0), (), (0.28, 0.3), (0.9, 1.1), lam),
        facts={
            "delta": 0.1,
            "units": "maps",
            "store_seed": maps,
            "parts": {
                part: {"maps": maps, "boxes": maps // 5, "store_seed": maps}
                for part in NAMES.values()
            },
            "coverage": rows,
            "sigma8": [low, 0.9],
            "omega_m": [0.3, 0.3],
        },
    )


def alone(calibration: Calibration, name: str) -> Calibration:
    """Only the part for which fields are asked."""
    (gone,) = NAMES.keys() - {name}
    part = NAMES[name]
    facts = calibration.facts | {
        "parts": {part: calibration.facts["parts"][part]},
        "coverage": [c for c in calibration.facts["coverage"] if c["part"] == part],
    }
    return replace(calibration, facts=facts, **{gone: None})


@pytest.fixture
def former(tmp_path):
    """The file that is replaced: λ = 1, from 100 maps."""
    path = tmp_path / "deep.calibration.safetensors"
    save_calibration(path, whole(1.0, 100, 0.7))
    return path


@pytest.mark.parametrize("anew", NAMES)
def test_the_part_that_was_not_asked_for_stays(former, anew):
    made, notes = with_kept(alone(whole(2.0, 125, 0.6), anew), former)
    (kept,) = NAMES.keys() - {anew}
    save_calibration(former, made)
    found = load_calibration(former)
    assert getattr(found, anew).factor.unique().tolist() == [2.0]
    assert getattr(found, kept).factor.unique().tolist() == [1.0]
    after = {c["part"]: c["after"] for c in found.facts["coverage"]}
    assert after == {NAMES[anew]: 2.0, NAMES[kept]: 1.0}
    parts = [c["part"] for c in found.facts["coverage"]]
    assert parts == [part for part in NAMES.values() for _ in LEVELS]
    maps = {part: one["maps"] for part, one in sources(found).items()}
    assert maps == {NAMES[anew]: 125, NAMES[kept]: 100}
    # What is said of the whole must hold for both.
    assert (found.maps, found.boxes, found.facts["sigma8"]) == (100, 20, [0.6, 0.9])
    assert notes == [f"the part for {NAMES[kept]} was kept as it was"]


def test_both_parts_anew_keep_nothing(former, tmp_path):
    made = whole(2.0, 125, 0.6)
    assert with_kept(made, former) == (made, [])
    one = alone(made, "table")
    assert with_kept(one, tmp_path / "none") == (one, [])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"digest": "other"}, "checkpoint"),
        ({"method": "cqr"}, "method"),
        ({"levels": (0.5, 0.9)}, "set of levels"),
        ({"samples": 64}, "number of samples"),
        ({"facts": {"units": "boxes"}}, "units"),
        ({"facts": {"delta": 0.2}}, "delta"),
    ],
)
def test_a_part_asked_for_otherwise_is_not_kept(former, change, word):
    made = alone(whole(2.0, 125, 0.6), "survey")
    change = change | {"facts": made.facts | change.get("facts", {})}
    made = replace(made, **change)
    found, notes = with_kept(made, former)
    assert found is made
    assert notes == [f"the former part for other fields was not kept: its {word} differs"]


def test_of_a_damaged_file_nothing_is_kept(former):
    former.write_bytes(b"nothing")
    made = alone(whole(2.0, 125, 0.6), "survey")
    found, notes = with_kept(made, former)
    assert found is made and notes == [f"{former} was damaged: nothing of it was kept"]


def test_a_file_from_before_parts_were_told_apart_says_the_same_of_both():
    made = whole(1.0, 100, 0.7)
    facts = {k: v for k, v in made.facts.items() if k != "parts"}
    alike = {"maps": 100, "boxes": 20, "store_seed": 100}
    assert sources(replace(made, facts=facts)) == dict.fromkeys(NAMES.values(), alike)
