"""A cell that is run again ends what it ran before, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from explorer import Explorer
from explorer.notebook import cells


class Shell:
    """What a kernel tells of the cell being run."""

    def __init__(self) -> None:
        self.execution_count, self.message = 0, {}

    def get_parent(self) -> dict[str, Any]:
        return self.message

    def run(self, name: str | None, code: str = "") -> None:
        self.execution_count += 1
        self.message = {"metadata": {"cellId": name} if name else {}, "content": {"code": code}}


class Made:
    over = False

    def replaced(self) -> None:
        self.over = True


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    import IPython

    shell = Shell()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(cells, "_MADE", {})
    return shell


@pytest.mark.parametrize("ids", [("a", "b"), (None, None)], ids=["cell ids", "texts of cells"])
def test_the_same_cell_again_replaces_and_another_does_not(shell: Shell, ids: tuple) -> None:
    made = []
    for cell, code in ((ids[0], "one"), (ids[0], "one"), (ids[1], "two")):
        shell.run(cell, code)
        made.append(Made())
        cells.register(made[-1])
    assert [one.over for one in made] == [True, False, False]


def test_two_in_one_run_of_a_cell_live_together(shell: Shell) -> None:
    shell.run("a")
    pair = Made(), Made()
    for one in pair:
        cells.register(one)
    assert not any(one.over for one in pair)
    shell.run("a")
    cells.register(Made())
    assert all(one.over for one in pair)


def test_nothing_is_kept_outside_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_MADE", {})
    cells.register(Made())
    assert cells.running() is None and cells._MADE == {}


def test_an_explorers_run_stops_and_its_samples_stay(shell: Shell, explorer: Explorer) -> None:
    import asyncio

    shell.run("a")

    async def scene() -> Explorer:
        first = Explorer(**NFW)
        await first.open()
        first.start()
        while first.runner.n < 1:
            await asyncio.sleep(0.01)
        shell.run("a")
        Explorer(**NFW)
        return first

    first = asyncio.run(scene())
    assert first.runner.phase == "stopped" and first.runner.n >= 1


NFW = {"source": "simulated", "n": 4096, "batch": 1, "sampler": "wiener"}
