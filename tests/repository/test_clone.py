"""A newcomer's path: a fresh clone, an empty home, `make explore`, twice."""

from __future__ import annotations

import subprocess

import pytest


@pytest.mark.slow
def test_make_explore_serves_a_fresh_clone_and_the_second_time_without_pip(
    root, bare, serving, free_port, tmp_path
):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
    explore = ["make", "explore", f"PORT={free_port}"]
    with serving(explore, cwd=clone, env=bare) as (page, output):
        assert "MassGAN" in page
        assert f"http://localhost:{free_port}" in output()
        assert "Successfully installed" in output()

    # Any index, found or not, would fail now: the second time asks none.
    cut = {"PIP_INDEX_URL": "http://localhost:9", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    with serving(explore, cwd=clone, env=bare | cut) as (page, output):
        assert "MassGAN" in page
        assert "pip" not in output() and "Requirement" not in output()
