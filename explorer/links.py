"""What the texts in a link stand for."""

from __future__ import annotations

import json
from math import inf, isfinite
from typing import Any


def value_of(text: Any) -> Any:
    """A URL's text as JSON where it is JSON, else as the word it is."""
    if not isinstance(text, str):
        return tuple(text) if isinstance(text, list) else text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return tuple(value) if isinstance(value, list) else value


def is_finite(value: Any, reach: float = inf) -> bool:
    """Whether `value` is a finite number (no bool) that lies no farther than `reach` from 0."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and isfinite(value) and abs(value) <= reach
