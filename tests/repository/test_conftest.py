"""The house rules of the test suite itself, tried on a suite of one test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def suite(root, tmp_path):
    """Runs the text of a test module under our conftest.py and settings."""

    def run(text: str, *options: str, **environment: str) -> subprocess.CompletedProcess:
        for name in (".ci/install.py", "pyproject.toml", "tests/conftest.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            shutil.copy(root / name, tmp_path / name)
        shutil.copytree(
            root / "tests" / "plugins", tmp_path / "tests" / "plugins", dirs_exist_ok=True
        )
        (tmp_path / "tests" / "test_one.py").write_text(text)
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )

    return run


BROWSER = "import pytest\n@pytest.mark.browser\ndef test_page(): pass\n"
WARNS = "import warnings\ndef test_it(): warnings.warn('careful')\n"
GPU = "import pytest\n@pytest.mark.gpu\ndef test_it(): pass\n"
MISSPELT = "import pytest\n@pytest.mark.slwo\ndef test_it(): pass\n"


def test_a_browser_test_without_a_browser_fails_with_a_sentence(suite):
    run = suite(BROWSER, CHROMIUM="no-such-browser")
    assert run.returncode == 1 and "skipped" not in run.stdout
    assert "this test needs Chromium and finds none" in run.stdout


def test_a_browser_test_with_a_browser_runs(suite):
    assert suite(BROWSER, CHROMIUM=sys.executable).returncode == 0


def test_a_warning_is_an_error(suite):
    run = suite(WARNS)
    assert run.returncode == 1 and "careful" in run.stdout


def test_a_gpu_test_says_why_it_is_skipped_on_the_cpu(suite):
    run = suite(GPU)
    assert run.returncode == 0 and "--device cuda" in run.stdout
    assert "1 passed" in suite(GPU, "--device", "meta").stdout


def test_a_misspelt_marker_is_an_error(suite):
    assert suite(MISSPELT).returncode != 0
