"""The README's table of methods is what the evaluation's CSV says."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "benchmarks" / "readme_table.py"))


def test_the_readme_says_what_was_measured(script):
    text = (ROOT / "README.md").read_text()
    assert script["written"](text, script["table"](script["rows"]())) == text


def test_another_figure_is_another_table(script):
    """The test above can fail."""
    found = script["rows"]()
    changed = [dict(row, r=str(float(row["r"]) + 0.01)) for row in found]
    assert script["table"](changed) != script["table"](found)


def test_every_method_has_its_row(script):
    lines = script["table"](script["rows"]()).splitlines()
    assert sum(line.startswith("| ") for line in lines) == 2 + len(script["rows"]())
    assert {"ks", "wiener", "gan"} <= {row["method"] for row in script["rows"]()}
