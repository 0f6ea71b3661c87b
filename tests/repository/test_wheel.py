"""The wheel: its content, and that it works alone, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    """The wheel that pip builds from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "-w", str(folder), str(root)], check=True)
    return next(folder.glob("massgan-*.whl"))


def test_its_top_level_is_exactly_our_two_packages(wheel):
    top = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "massgan_core",
        "explorer",
    }


def test_it_holds_every_file_of_the_packages(wheel, root):
    command = ["git", "ls-files", "massgan_core", "explorer"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    tracked = {name for name in listed.stdout.splitlines() if (root / name).exists()}
    assert tracked - set(ZipFile(wheel).namelist()) == set()
    suffixes = {Path(name).suffix for name in tracked}
    assert {".py", ".typed", ".safetensors", ".toml"} <= suffixes


@pytest.mark.slow
def test_it_reconstructs_and_serves_in_an_empty_environment(
    wheel, installer, bare, serving, free_port, tmp_path
):
    venv, folder = tmp_path / "venv", tmp_path / "elsewhere"
    folder.mkdir()
    index = os.environ.get("TORCH_INDEX", installer["default_index"]())
    installer["install"](str(venv), [f"{wheel}[explorer]"], index)
    massgan = str(venv / "bin" / "massgan")

    asked = ["reconstruct", "cosmos", "--method", "wiener", "--samples", "4", "--out", "out.fits"]
    subprocess.run([massgan, *asked], cwd=folder, env=bare, check=True)
    with fits.open(folder / "out.fits") as out:
        seen = out["MASK"].data > 0
        assert np.isfinite(out["MEAN"].data[seen]).all() and (out["STD"].data[seen] > 0).all()

    explore = [massgan, "explore", "--no-show", "--port", str(free_port)]
    with serving(explore, cwd=folder, env=bare) as (page, _):
        assert "MassGAN" in page
