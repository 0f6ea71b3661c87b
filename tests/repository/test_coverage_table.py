"""The tables of coverage are what the bundled calibrations and the evaluation's CSV say."""

import csv
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from massgan_core.calibrating import calibration_of
from massgan_core.calibrating.kept import sources
from massgan_core.evaluate.conformal import passes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return runpy.run_path(str(ROOT / "benchmarks" / "coverage_table.py"))


def test_the_page_says_what_was_measured(script):
    text = script["PAGE"].read_text()
    assert script["page"](text) == text


def test_another_coverage_is_another_table(script, monkeypatch):
    """The test above can fail."""
    before = script["held_out"]()
    known = calibration_of("default")
    rows = [dict(c, after=c["after"] + 0.01) for c in known.facts["coverage"]]
    other = replace(known, facts=known.facts | {"coverage": rows})
    monkeypatch.setitem(script["held_out"].__globals__, "calibration_of", lambda name: other)
    assert script["held_out"]() != before


def test_the_bundled_intervals_hold_on_boxes_that_made_them_not():
    found = [c for c in calibration_of("default").facts["coverage"] if c["skies"] == "all"]
    assert len(found) == 4
    for c in found:
        assert passes(1 - c["after"], c["error"], 1 - c["level"]), c


def test_what_was_measured_on_fresh_boxes_are_the_bundled_factors(script):
    made = calibration_of("default")
    with script["FRESH"].open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["checkpoint"] == "default"]
    assert {row["part"] for row in rows} == set(script["FIELDS"].values())
    for row in rows:
        assert row["factors"] == script["fingerprint"](made, row["part"]), row
        behind = sources(made)[row["part"]]
        assert row["seed"] != str(behind["store_seed"]), row


def test_a_part_measured_anew_leaves_the_others(script, tmp_path):
    with script["FRESH"].open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    part = "other fields"
    anew = [{k: v for k, v in row.items() if k != "unweighted"} for row in rows]
    anew = [row | {"covered": "0.5", "new": "1"} for row in anew if row["part"] == part]
    with (tmp_path / "fresh.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(anew[0]))
        table.writeheader()
        table.writerows(anew)
    text = script["joined"](script["FRESH"], tmp_path / "fresh.csv")
    found = list(csv.DictReader(text.splitlines()))
    others = [row | {"new": ""} for row in rows if row["part"] != part]
    assert [row for row in found if row["part"] != part] == others != []
    assert [row for row in found if row["part"] == part] == [r | {"unweighted": ""} for r in anew]
    assert (
        script["joined"](script["FRESH"], script["FRESH"]) == script["FRESH"].read_bytes().decode()
    )


def test_they_hold_on_boxes_that_nothing_was_chosen_on(script):
    """RCPS may break its word in a share δ of draws at most."""
    with script["FRESH"].open(encoding="utf-8") as file:
        known = [row for row in csv.DictReader(file) if row["checkpoint"] == "default"]
    told = [row for row in known if row["table"] == "coverage"]
    assert {(row["part"], row["promised"]) for row in told} == {
        (part, level) for part in ("its own grid", "other fields") for level in ("0.68", "0.95")
    }
    for row in told:
        assert float(row["error"]) <= 0.005 and int(row["boxes"]) >= 50, row
        assert row["passes"] == "True", row
    redrawn = [row for row in known if row["table"] == "rcps"]
    assert redrawn and all(float(row["exceeded"]) <= float(row["delta"]) for row in redrawn)
