"""What is tracked: nothing huge, nothing of one person's machine, everything ruff-clean."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 12e6  # bytes; every version of a file stays in history for ever
LONGEST = 350  # lines of a source file: past it, look for the second noun inside


def tracked(*patterns: str) -> list[Path]:
    """Tracked files that exist, all of them or those that match."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [p for name in listed.stdout.split("\0") if name and (p := ROOT / name).is_file()]


def texts(paths: list[Path]) -> dict[Path, str]:
    """The text of every file that is text."""
    return {p: t.decode() for p in paths if b"\0" not in (t := p.read_bytes()) and _utf8(t)}


def _utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_no_file_is_larger_than_the_limit():
    large = {str(p): p.stat().st_size for p in tracked() if p.stat().st_size > LIMIT}
    assert tracked() and large == {}


def test_no_file_names_a_machine_s_folders():
    # Put together here, so that this file is not the one that holds them.
    folder = re.compile("(?<![\\w.~-])/(?:" + "|".join(["work", "root", "home"]) + ")/\\w")
    found = {p: folder.findall(text) for p, text in texts(tracked()).items()}
    assert len(found) > 20
    assert {str(p): hits for p, hits in found.items() if hits} == {}


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_is_content(command):
    paths = [str(p) for p in tracked("*.py")]
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *paths], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout


def test_source_files_stay_short():
    code = tracked("massgan_core/*.py", "explorer/*.py", "apps/*.py", "page/*.py", "page/*.js")
    lengths = {str(p): len(p.read_text().splitlines()) for p in code}
    assert {p: n for p, n in lengths.items() if n > LONGEST} == {}


def test_tests_hold_no_init_file():
    """One would make pytest import tests/explorer as the package `explorer`."""
    assert [p for p in tracked("tests/*") if p.name == "__init__.py"] == []
