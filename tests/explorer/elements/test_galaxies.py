"""The galaxy map and its box."""

from __future__ import annotations

import numpy as np

from explorer.elements.galaxies import SIDE, GalaxyLayer, GalaxyMap, shade, sticks
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
    galaxies.show(GalaxyLayer(np.zeros((SIDE, SIDE)), 8, "cells"), 40.0, cluster_columns(None))
    assert (galaxies.figure.x_range.start, galaxies.figure.x_range.end) == (-40, 40)
    galaxies.mark((-3.0, 4.0, 5.0, 6.0))
    assert galaxies.box.data == {"left": [-3.0], "bottom": [4.0], "right": [5.0], "top": [6.0]}
    galaxies.mark(None)
    assert galaxies.box.data["left"] == []


def test_lines_run_round_a_mass() -> None:
    """Images of galaxies behind a halo are stretched along circles about it."""
    x, y = np.array([3.0, 0.0, 2.0, -2.0]), np.array([0.0, 3.0, 2.0, 2.0])
    around = np.arctan2(y, x)
    x0, y0, x1, y1 = sticks(-0.05 * np.exp(2j * around), x, y, 10.0)
    np.testing.assert_allclose(np.hypot(x1 - x0, y1 - y0), 0.5)
    np.testing.assert_allclose((x1 - x0) * x + (y1 - y0) * y, 0, atol=1e-12)
    np.testing.assert_allclose([(x0 + x1) / 2, (y0 + y1) / 2], [x, y])


def test_lines_come_and_go_with_their_layer() -> None:
    galaxies = GalaxyMap()
    ends = tuple(np.array([float(i)]) for i in range(4))
    plain = GalaxyLayer(np.zeros((4, 4)), 8, "galaxies per cell")
    galaxies.show(plain, 40.0, cluster_columns(None))
    assert galaxies.lines is None
    galaxies.paint("dark", "#ffffff")
    galaxies.show_layer(GalaxyLayer(np.ones((4, 4)), 0.06, "mean shear", ends))
    assert galaxies.sticks.data["y1"] == [3.0] and galaxies.mapper.high == 0.06
    galaxies.show_layer(plain)
    assert len(galaxies.sticks.data["x0"]) == 0 and galaxies.mapper.high == 8
