"""What the texts in a link stand for."""

from __future__ import annotations

import json
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
