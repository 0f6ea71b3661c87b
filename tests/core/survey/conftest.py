"""A small synthetic catalogue about any position.

`massgan_core` is imported inside the fixture: the shape checker has to be installed before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from massgan_core.survey import Catalog


@pytest.fixture
def make_catalog() -> Callable[..., Catalog]:
    """Galaxies spread evenly over a square of `side` arcmin about (ra, dec)."""
    from massgan_core.sky import Grid
    from massgan_core.survey import Catalog

    def make(
        n: int = 2000, *, ra: float = 150.0, dec: float = 2.0, side: float = 20.0, seed: int = 0
    ) -> Catalog:
        rng = np.random.default_rng(seed)
        plane = Grid.tan((1, 1), 1.0, center=(ra, dec))
        at = plane.pixel_to_sky(*rng.uniform(-side / 2, side / 2, (2, n)))
        e1, e2 = rng.normal(0, 0.3, (2, n)).astype(np.float32)
        weight = rng.uniform(0.2, 2, n).astype(np.float32)
        return Catalog(*at, e1, e2, weight, name="made up")

    return make
