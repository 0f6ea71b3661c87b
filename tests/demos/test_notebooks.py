"""The demos as files: stripped, short, each with a question, linked one to the next."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "demos"
BOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST = 12  # lines of code in a cell, blank ones not counted
MINUTES = (5, 15)  # of reading
PACE = 100  # words a minute, of a text that has to be thought about


def read(path: Path) -> list[dict]:
    return json.loads(path.read_text())["cells"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def texts(path: Path) -> str:
    return "\n".join(source(c) for c in read(path) if c["cell_type"] == "markdown")


def test_there_are_eight_and_one_for_a_survey_of_one_s_own():
    assert [p.stem[:2] for p in BOOKS] == [f"0{k}" for k in range(1, 9)] + ["yo"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_it_is_a_valid_notebook_without_outputs(path):
    import nbformat

    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    cells = read(path)
    code = [c for c in cells if c["cell_type"] == "code"]
    assert code and all(c["outputs"] == [] and c["execution_count"] is None for c in code)
    assert len({c["id"] for c in cells}) == len(cells)
    assert set(book.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_cells_are_short(path):
    code = [source(c).splitlines() for c in read(path) if c["cell_type"] == "code"]
    assert max(len([line for line in lines if line.strip()]) for lines in code) <= LONGEST


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_it_asks_one_question_and_folds_the_answer(path):
    text = texts(path)
    assert text.startswith("# ") and text.count("\n# ") == 0
    assert text.count("## Question") == 1
    question, _, answer = text.partition("## Question")[2].partition("<details>")
    assert "?" in question and len(answer.split()) > 40 and "</details>" in answer


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_it_takes_some_minutes_to_read(path):
    low, high = MINUTES
    words = len(texts(path).split()) + sum(
        len(source(c).split()) for c in read(path) if c["cell_type"] == "code"
    )
    assert low * PACE <= words <= high * PACE


def test_each_leads_to_the_next():
    links = [re.findall(r"\]\(([\w.]+\.ipynb)\)", texts(p)) for p in BOOKS]
    following = [p.name for p in BOOKS[1:]]
    assert [found[-1] for found in links[:-1]] == following
    assert {link for found in links for link in found} <= {p.name for p in BOOKS}


def test_the_page_of_demos_names_them_all():
    page = (FOLDER / "README.md").read_text()
    assert set(re.findall(r"\]\(([\w.]+\.ipynb)\)", page)) == {p.name for p in BOOKS}
