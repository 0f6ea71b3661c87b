"""The tables of coverage are what the bundled calibrations and the evaluation's CSV say."""

import csv
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from massgan_core.calibrating import calibration_of
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


def test_they_hold_on_boxes_that_nothing_was_chosen_on(script):
    """On the survey's own grid; RCPS may break its word in a share δ of draws at most."""
    with script["FRESH"].open(encoding="utf-8") as file:
        known = [row for row in csv.DictReader(file) if row["checkpoint"] == "default"]
    own = [row for row in known if row["part"] == "its own grid"]
    assert {row["promised"] for row in own} == {"0.68", "0.95"}
    for row in own:
        covered, error = float(row["covered"]), float(row["error"])
        assert passes(1 - covered, error, 1 - float(row["promised"])), row
    redrawn = [row for row in known if row["table"] == "rcps"]
    assert redrawn and all(float(row["exceeded"]) <= float(row["delta"]) for row in redrawn)
