"""The page on which a posterior over mass maps grows: ``from explorer import Explorer``."""

from __future__ import annotations

from typing import Any

__massgan__ = True  #: tells this package from another that installs the same name
__all__ = ["Explorer"]


def __getattr__(name: str) -> Any:
    if name != "Explorer":
        raise AttributeError(f"module 'explorer' has no attribute {name!r}")
    from explorer.viewer import Explorer

    return Explorer
