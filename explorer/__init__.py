"""The page on which a posterior over mass maps grows: ``from explorer import Explorer``.

Its parts, each alone in a notebook: ``MapGrid``, ``SamplePlayer``, ``ClusterInspector``,
``Convergence``.
"""

from __future__ import annotations

from typing import Any

__massgan__ = True  #: tells this package from another that installs the same name
__all__ = ["ClusterInspector", "Convergence", "Explorer", "MapGrid", "SamplePlayer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    if name == "Explorer":
        from explorer.viewer import Explorer

        return Explorer
    from explorer import notebook

    return getattr(notebook, name)
