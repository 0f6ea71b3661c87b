"""Pictures of the page that the documentation shows are those that the script makes."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "make_screenshots.py"))
SHOTS = SCRIPT["SHOTS"]
PLOTS = {"simulations"}  #: pictures in docs that do not show the page
LARGEST = 250_000  # bytes of a picture: every version stays in history for ever


def shown() -> set[Path]:
    """The PNG files that the README and the pages of docs show."""
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    return {
        (text.parent / link).resolve()
        for text in texts
        for link in re.findall(r"\]\(([^)#\s:]+\.png)\)", text.read_text())
    }


def test_what_is_shown_is_what_the_script_makes() -> None:
    names = {path.stem for path in shown()} - PLOTS
    assert names == {*SHOTS}
    assert {path.stem for path in (ROOT / "docs").glob("*.png")} - PLOTS == names


@pytest.mark.parametrize("name", SHOTS)
def test_a_picture_is_small_and_as_large_as_its_window(name: str) -> None:
    path = ROOT / "docs" / f"{name}.png"
    assert path.stat().st_size <= LARGEST
    with Image.open(path) as picture:
        assert picture.size == (SCRIPT["WIDTH"], SHOTS[name].height)
        assert picture.mode == "P"


@pytest.mark.parametrize("name", SHOTS)
def test_a_link_of_the_script_holds_choices_that_there_are(name: str) -> None:
    from explorer import store
    from explorer.state import State

    state = State(trained=store.trained())
    assert state.restore(SHOTS[name].choices) == []
    assert {*SHOTS[name].choices} <= {*state.names()}
