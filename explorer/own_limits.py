"""Colour limits of single maps, as dragged on their colour bars: a bounded table."""

from __future__ import annotations

from typing import Any

import param

from explorer.links import is_finite
from explorer.recipes import PICTURES

REACH = 1000.0  #: no limit lies farther from 0
#: Maps that may have limits of their own; those of a share and of a fit mean something.
MAPS = tuple(name for name in PICTURES if name not in ("chance", "fit"))


class OwnLimits(param.Parameter):
    """Name of a map → [low, high] of its colours."""

    def _validate(self, val: Any) -> None:
        if not isinstance(val, dict) or not all(
            name in MAPS and _in_order(ends) for name, ends in val.items()
        ):
            raise ValueError(
                "limits of single maps must be the name of a map and [low, high], low below "
                f"high, none beyond ±{REACH:g}"
            )


def _in_order(ends: Any) -> bool:
    pair = isinstance(ends, list | tuple) and len(ends) == 2
    return pair and all(is_finite(end, REACH) for end in ends) and ends[0] < ends[1]
