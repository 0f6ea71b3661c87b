"""Every way to serve the page draws a sample: working folders, --warm, forks, --dev, python."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUICK = urlencode({"region": "[150.1,2.25,20,20]", "sampler": "wiener", "n": 2, "batch": 2})


def _panel(serve: Callable[..., str], root: Path, *options: str, cwd: Path | None = None) -> str:
    """`panel serve apps/explorer.py`, on a free port."""
    script = os.path.relpath(root / "apps" / "explorer.py", cwd or root)
    return serve("-m", "panel", "serve", script, "--port", "0", *options, cwd=cwd or root)


def check_draws(tab: Any, address: str) -> None:
    tab.open(f"{address}?{QUICK}")
    tab.press("Start").wait('[data-state="finished"][data-n="2"]')
    assert tab.errors == []


@pytest.mark.parametrize("folder", ["root", "apps", "elsewhere"])
def test_panel_serve_from_any_folder(
    serve: Callable[..., str], root: Path, tab: Any, tmp_path: Path, folder: str
) -> None:
    cwd = {"root": root, "apps": root / "apps", "elsewhere": tmp_path}[folder]
    check_draws(tab, _panel(serve, root, cwd=cwd))


@pytest.mark.parametrize("option", ["--warm", "--dev"])
def test_panel_serve_with(serve: Callable[..., str], root: Path, tab: Any, option: str) -> None:
    check_draws(tab, _panel(serve, root, option))


def test_both_of_two_warm_processes_draw(
    serve: Callable[..., str], root: Path, new_tab: Callable[[], Any]
) -> None:
    """After a fork, torch hangs for ever in a child if it had worked in the parent."""
    address = _panel(serve, root, "--warm", "--num-procs", "2")
    parent = serve.processes[-1].pid
    workers = _children(parent)
    assert len(workers) == 2
    seen = set()
    for stopped in workers:
        # With one worker held still the other has to answer: each gets its turn.
        other = next(pid for pid in workers if pid != stopped)
        os.kill(stopped, signal.SIGSTOP)
        try:
            check_draws(new_tab(), address)
            seen.add(other)
        finally:
            os.kill(stopped, signal.SIGCONT)
    assert seen == set(workers)


def _children(parent: int) -> list[int]:
    """Processes forked from `parent`, that are not a pool of their own."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in found]


def test_python_runs_the_script(serve: Callable[..., str], root: Path, tab: Any) -> None:
    script = str(root / "apps" / "explorer.py")
    check_draws(tab, serve(script, "--port", "0", "--no-show"))


def test_inputs_given_at_the_start(serve: Callable[..., str], tab: Any, tmp_path: Path) -> None:
    """A file that is wrong is an alert; the page goes on with another one."""
    wrong = tmp_path / "empty.fits"
    wrong.write_bytes(b"not a FITS file")
    address = serve("-m", "explorer", str(wrong), "cosmos", "--port", "0", "--no-show")
    tab.page.goto(address)
    alert = tab.page.get_by_role("alert")
    alert.wait_for(timeout=180_000)
    assert len(alert.inner_text()) > 20
    tab.page.get_by_role("button", name="COSMOS", exact=True).click()
    tab.wait('[data-state="idle"]')
    assert not alert.is_visible()
