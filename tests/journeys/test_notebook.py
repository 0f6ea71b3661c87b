"""In JupyterLab itself: a notebook is run, restarted and run again; its views answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
]

CELLS = (
    # Small enough to be sampled in no time.
    "from explorer import Convergence, Explorer, MapGrid, SamplePlayer\n"
    "part = (150.1, 2.25, 20.0, 20.0)\n"
    "page = Explorer(region=part, sampler='wiener', n=6, batch=2, seed=3)\n"
    "page",
    "import massgan_core as mg\n"
    "field = mg.cosmos(center=part[:2], size=part[2:])\n"
    "*_, summary = mg.stream(mg.sampler('wiener', field), field, 4, 2, seed=3, keep=4)\n"
    "MapGrid(summary, maps=['ks', 'mean'])",
    "player = SamplePlayer(summary)\nplayer",
    "Convergence(summary)",
    "print('sample', player.sample)",
)


@pytest.fixture(scope="module")
def lab(laboratory: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the notebook in a JupyterLab of its own."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{i}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for i, source in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "notebook.ipynb").write_text(json.dumps(notebook))
    return f"{laboratory(folder)}/notebook.ipynb"


def _command(tab: Any, name: str) -> None:
    # Not waited for: a restart asks first.
    tab.page.evaluate("name => { window.jupyterapp.commands.execute(name) }", name)


def _sampled(tab: Any) -> None:
    tab.wait('[data-state="idle"]')
    tab.press("Start").wait('[data-state="finished"][data-n="6"]')
    assert int(tab.status()["frame"]) >= 1


def test_run_all_restart_and_the_same_cell_twice(tab: Any, lab: str) -> None:
    page = tab.page
    page.set_viewport_size({"width": 1600, "height": 6000})  # cells out of sight are not drawn
    page.goto(lab, timeout=tab.patience)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        " == 'idle'",
        timeout=tab.patience,
    )
    _command(tab, "notebook:run-all-cells")
    _sampled(tab)

    # What is done in a view is known in the next cell.
    output = page.locator(".jp-OutputArea-output pre")
    output.filter(has_text="sample 3").wait_for(timeout=tab.patience)
    page.locator("button.previous").last.click()
    page.get_by_text("number 3 of 4").wait_for(timeout=tab.patience)  # the kernel knows
    _again(page, 4)
    output.filter(has_text="sample 2").wait_for(timeout=tab.patience)

    # The same cell again: one page, ready to start, and it draws.
    _again(page, 0)
    _sampled(tab)
    assert page.locator("#massgan-status").count() == 1

    _command(tab, "notebook:restart-run-all")
    page.locator(".jp-Dialog .jp-mod-accept").click(timeout=tab.patience)
    _sampled(tab)

    hosts = {urlsplit(url).netloc for url in tab.requests if urlsplit(url).netloc}
    assert hosts == {urlsplit(lab).netloc}


def _again(page: Any, cell: int) -> None:
    """Run one cell."""
    page.evaluate(
        """number => {
          const panel = window.jupyterapp.shell.currentWidget
          panel.content.activeCellIndex = number
          panel.content.deselectAll()
          window.jupyterapp.commands.execute("notebook:run-cell")
        }""",
        cell,
    )
