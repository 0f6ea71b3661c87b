"""A run that is killed outright goes on to the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from massgan_core.simulating import simulate
from massgan_core.sky import Sources


def maps(out):
    """Every map of a store as it lies on disk, by its row (no leftovers of a killed write)."""
    return {p.name: p.read_bytes() for p in (out / "kappa").glob("c.*.0.0")}


@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL")
def test_a_killed_run_resumes_to_the_same_bytes(root, tmp_path):
    killed, whole, n = tmp_path / "killed.zarr", tmp_path / "whole.zarr", 400
    words = ["simulate", str(killed), "--n", str(n), "--side", "8", "--zs", "1"]
    command = [sys.executable, "-P", "-m", "massgan_core.cli.main", *words]
    child = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.DEVNULL
    )
    try:
        while not any((killed / "kappa").glob("c.*")):
            assert child.poll() is None
            time.sleep(0.01)
    finally:
        child.kill()
        child.wait()
    resumed = simulate(killed, n=n, side=8, sources=Sources.plane(1))
    assert 0 < resumed.before < n and resumed.before + resumed.written == n
    simulate(whole, n=n, side=8, sources=Sources.plane(1))
    assert maps(killed).keys() == {f"c.{row}.0.0" for row in range(n)}
    assert maps(killed) == maps(whole)
