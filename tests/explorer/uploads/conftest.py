"""Files as people have them, made small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rows(np_rng: np.random.Generator) -> np.ndarray:
    """400 galaxies: ra, dec, e1, e2, weight."""
    place = np_rng.uniform(-0.05, 0.05, (400, 2)) + (150.1, 2.2)
    return np.c_[place, np_rng.normal(0, 0.3, (400, 2)), np_rng.uniform(0.5, 1, 400)]


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes a CSV: `csv(rows, "ra,dec,e1,e2,weight")`."""

    def write(rows: np.ndarray, header: str = "ra,dec,e1,e2,weight") -> Path:
        path = tmp_path / "mine.csv"
        np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.8g")
        return path

    return write
