"""Which cell of a notebook made what: a cell that is run again replaces what it made before.

JupyterLab tells the kernel the id of the cell; where a front end does not, the text of the cell
stands for it. A server and a script have no cells, and nothing is kept for them.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol
from weakref import WeakSet


class Replaced(Protocol):
    """What can be told that its cell was run again."""

    def replaced(self) -> None:
        """Stop what runs: nobody can see it any more."""


#: Of this kernel, which has one user: cell → its latest run, and what that made.
_MADE: dict[str, tuple[int, WeakSet]] = {}


def register(made: Replaced) -> None:
    """Note that the running cell made `made`; what its earlier runs made is told."""
    cell = running()
    if cell is None:
        return
    from explorer.notebook.kernel import at_home

    at_home()
    name, run = cell
    latest, before = _MADE.get(name, (run, WeakSet()))
    if latest != run:
        for old in list(before):
            old.replaced()
        before = WeakSet()
    before.add(made)
    _MADE[name] = run, before


def running() -> tuple[str, int] | None:
    """The cell being run and the number of this run; None outside of a notebook."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "get_parent"):  # a terminal shows nothing
        return None
    message = shell.get_parent() or {}
    name = message.get("metadata", {}).get("cellId") or message.get("content", {}).get("code")
    return None if name is None else (name, shell.execution_count)
