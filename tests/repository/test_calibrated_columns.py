"""The script that renews the coverage in an evaluation's CSV: it changes that, or nothing."""

import csv
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "evaluation.csv"
NEW = {"calibrated_68": "0.5", "calibrated_95": "0.25", "seconds_of_sample": "9"}


@pytest.fixture
def script():
    return runpy.run_path(str(ROOT / "benchmarks" / "calibrated_columns.py"))


@pytest.fixture
def report(tmp_path):
    """Write the rows there are of one set, changed."""

    def write(change, name="ktng"):
        with KEPT.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["set"] == name]
        rows = [{**row, **change} for row in rows if row["calibrated_95"]]
        path = tmp_path / "report.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return path

    return write


def test_only_the_coverage_of_one_set_is_taken(script, report):
    text = script["renewed"](KEPT, report(NEW), ["ktng"])
    found = list(csv.DictReader(text.splitlines()))
    with KEPT.open(encoding="utf-8", newline="") as file:
        before = list(csv.DictReader(file))
    changed = [
        (new["set"], new["method"]) for old, new in zip(before, found, strict=True) if old != new
    ]
    assert changed == [("ktng", "gan"), ("ktng", "regression")]
    for old, new in zip(before, found, strict=True):
        differ = {key for key in old if old[key] != new[key]}
        assert differ in (set(), {"calibrated_68", "calibrated_95"})


def test_the_same_coverage_leaves_the_file_as_it_is(script, report):
    assert script["renewed"](KEPT, report({}), ["ktng"]).encode() == KEPT.read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [({"r": "0.1"}, "gan on ktng: r is 0.1"), ({"digest": "abc"}, "digest is abc")],
)
def test_other_maps_are_refused(script, report, change, words):
    with pytest.raises(ValueError, match=words):
        script["renewed"](KEPT, report(NEW | change), ["ktng"])


def test_a_set_or_a_row_that_is_not_there_is_refused(script, report):
    with pytest.raises(ValueError, match="has no set mars"):
        script["renewed"](KEPT, report(NEW), ["mars"])
    with pytest.raises(ValueError, match="lacks gan on ktng"):
        script["renewed"](KEPT, report(NEW, "test"), ["ktng"])
