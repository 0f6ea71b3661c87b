"""Commands started as a person would, outside the test process."""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 600  # seconds until a server that does not answer counts as one that never will


@pytest.fixture(scope="session")
def installer(root) -> dict:
    """The names of `.ci/install.py`."""
    return runpy.run_path(str(root / ".ci" / "install.py"))


@pytest.fixture
def bare(tmp_path) -> dict[str, str]:
    """An environment as of a fresh login: no virtual environment, an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST") and k not in ours}
    venv = os.environ.get("VIRTUAL_ENV", "")
    path = [p for p in kept["PATH"].split(os.pathsep) if not venv or not p.startswith(venv)]
    return kept | {"HOME": str(home), "PATH": os.pathsep.join(path)}


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serving(free_port, tmp_path) -> Callable:
    """``with serving(command, cwd=…, env=…) as (page, output):`` the page a command serves."""

    @contextmanager
    def run(command: list[str], cwd: Path, env: dict[str, str]) -> Iterator[tuple[str, Callable]]:
        log = tmp_path / f"server-{len(list(tmp_path.glob('server-*')))}.log"
        with log.open("w") as file:
            child = subprocess.Popen(
                command, cwd=cwd, env=env, stdout=file, stderr=file, start_new_session=True
            )
        try:
            yield _page(child, f"http://localhost:{free_port}", log), log.read_text
        finally:
            # To the whole group, as a terminal's Ctrl-C goes.
            os.killpg(child.pid, signal.SIGINT)
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                raise
        # Nothing it started may outlive it.
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", free_port)) != 0

    return run


def _page(child: subprocess.Popen, address: str, log: Path) -> str:
    """What the server answers to its first request, once it listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if child.poll() is not None:
            pytest.fail(f"the server ended with code {child.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"no answer from {address}:\n{log.read_text()}")
