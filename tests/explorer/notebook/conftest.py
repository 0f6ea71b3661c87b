"""What a kernel changes for the process is undone after each test."""

from __future__ import annotations

import panel as pn
import pytest
import pyviz_comms
from panel.io import resources


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have the library as it is."""
    for place, name in (
        (pyviz_comms, "StandardOutput"),
        (pn.reactive, "patch_stylesheet"),
        (resources, "patch_stylesheet"),
    ):
        monkeypatch.setattr(place, name, getattr(place, name))
