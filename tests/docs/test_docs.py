"""The documentation builds without a warning, and its code runs as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MADE = DOCS / "tutorials"  #: of the demos, which have tests of their own
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in DOCS.rglob("*.md")
    if not page.is_relative_to(MADE)
)
QUICK = ("docs/explanation/conventions.md", "docs/reference/files.md")
#: First words of commands that serve, train, or need other machines: read by people alone.
SHOWN = ("make", "massgan", "panel", "pip", "pre-commit", "torchrun", "python")


def blocks(page: str, *languages: str) -> list[str]:
    """The fenced blocks in some languages, as printed; "" is a block that names none."""
    every = re.findall(r"^```(.*)\n((?:(?!```).*\n)*)```$", (ROOT / page).read_text(), flags=re.M)
    return [text for kind, text in every if kind in languages]


def commands(page: str, *languages: str) -> Iterator[list[str]]:
    """The words of each command in these blocks."""
    for line in "\n".join(blocks(page, *languages)).replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield shlex.split(line, comments=True)


def _runs(language: str) -> list[object]:
    return [
        pytest.param(page, marks=() if page in QUICK else pytest.mark.slow)
        for page in PAGES
        if blocks(page, language)
    ]


def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    """Links between pages and to headings, docstrings, the help of every verb."""
    build = [sys.executable, "-m", "sphinx", "-b", "dummy", "-W", "--keep-going", "-q"]
    run = subprocess.run(
        [*build, "-d", str(tmp_path / "read"), str(DOCS), str(tmp_path / "built")],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", _runs("python"))
def test_python_runs_as_printed(page: str, tmp_path: Path) -> None:
    """The blocks of a page are one session."""
    code = "\n".join(blocks(page, "python"))
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", _runs("bash"))
def test_commands_run_as_printed(page: str, tmp_path: Path, catalogue: Path) -> None:
    (tmp_path / "my_catalogue.fits").write_bytes(catalogue.read_bytes())
    for words in commands(page, "bash"):
        assert words[0] == "massgan"
        massgan = Path(sys.executable).parent / "massgan"
        subprocess.run([str(massgan), *words[1:]], cwd=tmp_path, check=True)
        assert (tmp_path / words[words.index("--out") + 1]).exists()


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_every_option_it_names_exists(page: str) -> None:
    """Also in commands that are shown alone: a verb and its options are those of --help."""
    from typer.main import get_command

    from massgan_core.cli.main import app

    verbs = get_command(app).commands
    for words in commands(page, "bash", "console", ""):
        if "massgan" not in words:
            continue
        verb, *rest = words[words.index("massgan") + 1 :]
        options = verbs[verb].params
        known = {name for option in options for name in (*option.opts, *option.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known, " ".join(words)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_alone_is_of_a_kind_that_cannot_run_here(page: str) -> None:
    assert {words[0] for words in commands(page, "console")} <= set(SHOWN)


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_it_names_exists(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)`", (ROOT / page).read_text()))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.M)} == set()


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corner of the bundled catalogue, under the column names of the examples."""
    import numpy as np
    from astropy.table import Table

    import massgan_core as mg

    galaxies = mg.cosmos_catalog()
    near = np.hypot(galaxies.ra - 150.1, galaxies.dec - 2.2) < 0.25
    columns = {"RA": "ra", "DEC": "dec", "G1": "e1", "G2": "e2", "W": "weight"}
    path = tmp_path_factory.mktemp("catalogue") / "my_catalogue.fits"
    Table({k: np.asarray(getattr(galaxies, v))[near] for k, v in columns.items()}).write(path)
    return path
