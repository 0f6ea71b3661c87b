"""What tests of the page start from."""

from __future__ import annotations

from typing import Any

import pytest

from explorer import Explorer, store

CHOICES = {"source": "simulated", "kind": "nfw", "depth": 30.0, "outline": "none"}


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> Explorer:
    """An Explorer of a small field that would draw four samples."""
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    return Explorer(**CHOICES, n=4, batch=2, seed=3, sampler="wiener")
