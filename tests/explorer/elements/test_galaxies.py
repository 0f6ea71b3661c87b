"""The galaxy map and its box."""

from __future__ import annotations

import numpy as np

from explorer.elements.galaxies import SIDE, GalaxyMap, shade
from explorer.elements.sky import cluster_columns


def test_shade_counts_and_keeps_orientation() -> None:
    x, y = np.array([5.0, 5.0, -9.9, 99.0]), np.array([8.0, 8.0, -9.9, 0.0])
    image = shade(x, y, 10.0)
    assert image.shape == (SIDE, SIDE) and image.sum() == 3 and image.max() == 2
    row, column = np.argwhere(image == 2)[0]
    assert row > SIDE / 2 and column > SIDE / 2  # up and to the right
    row, column = np.argwhere(image == 1)[0]
    assert row < SIDE / 2 and column < SIDE / 2


def test_box_is_drawn_and_taken_away() -> None:
    galaxies = GalaxyMap()
    galaxies.show(np.zeros((SIDE, SIDE), np.uint8), 40.0, cluster_columns(None))
    assert (galaxies.figure.x_range.start, galaxies.figure.x_range.end) == (-40, 40)
    galaxies.mark((-3.0, 4.0, 5.0, 6.0))
    assert galaxies.box.data == {"left": [-3.0], "bottom": [4.0], "right": [5.0], "top": [6.0]}
    galaxies.mark(None)
    assert galaxies.box.data["left"] == []
