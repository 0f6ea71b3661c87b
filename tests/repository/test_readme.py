"""The README's words are true: its code runs as printed, its files and targets exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.io import fits

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, as printed."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


def lines(language: str) -> list[str]:
    """The command lines of the blocks of one language, continuation lines joined."""
    joined = "\n".join(blocks(language)).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and line[0] != "#"]


def test_the_python_example_runs_as_printed(tmp_path):
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    written = re.findall(r'"(\S+\.fits)"', example)
    assert written
    for name in written:
        with fits.open(tmp_path / name) as out:
            assert {"MEAN", "STD"} <= {hdu.name for hdu in out}


@pytest.mark.slow
def test_the_command_lines_run_as_printed(tmp_path):
    commands = [shlex.split(line, comments=True) for line in lines("bash")]
    ours = [words for words in commands if words[:2] == ["massgan", "reconstruct"]]
    assert ours
    for words in ours:
        if "my_catalogue.fits" in words:
            _write_catalogue(tmp_path / "my_catalogue.fits")
        massgan = Path(sys.executable).parent / "massgan"
        subprocess.run([str(massgan), *words[1:]], cwd=tmp_path, check=True)
        assert (tmp_path / words[words.index("--out") + 1]).exists()


def _write_catalogue(path: Path) -> None:
    """A corner of the bundled catalogue, under the column names of the README's example."""
    import numpy as np
    from astropy.table import Table

    import massgan_core as mg

    galaxies = mg.cosmos_catalog()
    near = np.hypot(galaxies.ra - 150.1, galaxies.dec - 2.2) < 0.25
    columns = {"RA": "ra", "DEC": "dec", "G1": "e1", "G2": "e2", "W": "weight"}
    Table({k: np.asarray(getattr(galaxies, v))[near] for k, v in columns.items()}).write(path)


def test_every_make_target_it_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", TEXT))
    assert {"explore", "test"} <= named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.M)} == set()


def test_every_file_it_shows_or_links_exists():
    linked = {link for link in re.findall(r"\]\(([^)#\s]+)\)", TEXT) if "://" not in link}
    assert "docs/screenshot.png" in linked
    assert {link for link in linked if not (ROOT / link).exists()} == set()
