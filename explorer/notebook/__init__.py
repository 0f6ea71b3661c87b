"""Parts of the page as views of their own, for notebooks: arrays of a cell in, choices out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Each view, and the module that it lies in.
VIEWS = {
    "MapGrid": "map_grid",
    "SamplePlayer": "sample_player",
    "ClusterInspector": "cluster_inspector",
    "Convergence": "convergence",
}
__all__ = [*VIEWS]


def __getattr__(name: str) -> Any:
    if name not in VIEWS:
        raise AttributeError(f"module 'explorer.notebook' has no attribute {name!r}")
    return getattr(import_module(f"explorer.notebook.{VIEWS[name]}"), name)
