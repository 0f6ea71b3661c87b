"""The parser: verbs, version, usage errors, a quick start."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import massgan_core
from massgan_core.cli.main import app


def test_version(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"massgan {massgan_core.__version__}\n")


@pytest.mark.parametrize("words", [["--help"], ["-h"], []])
def test_help_names_the_verbs(run, words):
    result = run(*words)
    assert result.exit_code == 0
    assert re.search(r"^\s+explore\s", result.stdout, re.M)
    assert re.search(r"^\s+reconstruct\s", result.stdout, re.M)


def test_every_module_with_a_function_of_its_name_is_a_verb(root):
    names = {command.name for command in app.registered_commands}
    cli = root / "massgan_core" / "cli"
    files = {path.stem.replace("_", "-") for path in cli.glob("*.py")}
    assert (
        {"changing-n", "explore", "reconstruct"}
        <= names
        <= files - {"main", "sentence", "__init__"}
    )


@pytest.mark.parametrize(
    "words",
    [
        ["weigh"],
        ["reconstruct"],
        ["reconstruct", "cosmos"],
        ["reconstruct", "cosmos", "--out", "a.fits", "--colour", "red"],
        ["reconstruct", "cosmos", "--out", "a.fits", "--samples", "many"],
        ["reconstruct", "cosmos", "--out", "a.fits", "--seed", "1.5"],
        ["explore", "--port", "70000"],
    ],
)
def test_a_usage_error_is_one_line(run, words):
    result = run(*words)
    assert result.exit_code == 2 and result.stdout == ""
    assert re.fullmatch(r"Error: [^\n]+\n", result.stderr)
    assert not re.search("[─│╭╰]", result.stderr)


def test_help_imports_nothing_heavy(root):
    heavy = ["torch", "numpy", "scipy", "astropy", "xarray", "pyarrow", "panel", "rich", "tqdm"]
    code = (
        "import sys\n"
        "from massgan_core.cli.main import app\n"
        "app(['reconstruct', '--help'], standalone_mode=False)\n"
        f"print('heavy:', [m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_a_process_that_fails_prints_one_line(start, tmp_path):
    child = start("reconstruct", "cosmos", "--out", "out.txt", cwd=tmp_path)
    out, err = child.communicate()
    assert child.returncode == 2 and out == ""
    assert err == "Error: the output must end in .fits, .zarr, .nc, got 'out.txt'\n"


def test_a_terminal_without_greek_gets_help_all_the_same(root):
    done = subprocess.run(
        [sys.executable, "-m", "massgan_core.cli.main", "reconstruct", "--help"],
        env={"PYTHONPATH": str(root), "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert b"--threshold" in done.stdout and b"smoothed ?" in done.stdout
