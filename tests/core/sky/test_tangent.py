"""The quick projection is that of the WCS; North is where the WCS has it."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.sky import Grid
from massgan_core.sky.tangent import north_of, on_grid, pixels_of


@pytest.mark.parametrize("dec", [0.0, -65.0, 89.0])
def test_the_quick_projection_is_the_wcs(dec, np_rng):
    grid = Grid.tan((50, 70), 2.0, center=(359.5, dec))
    x, y = np_rng.uniform(-200, 200, (2, 100))
    ra, dec = grid.pixel_to_sky(x, y)
    np.testing.assert_allclose(pixels_of(grid, ra, dec), grid.sky_to_pixel(ra, dec), atol=1e-6)


def test_the_far_side_of_the_sky_is_nowhere():
    grid = Grid.tan((5, 5), 1.0, center=(10.0, 20.0))
    x, y = pixels_of(grid, np.array([190.0]), np.array([-20.0]))
    assert np.isnan(x).all() and np.isnan(y).all()
    assert not on_grid(grid, x, y)[1].any()


def test_north_turns_with_ra_near_a_pole():
    """At δ = 80° a step of 0.7° along RA turns North by 4°."""
    grid = Grid.tan((3, 141), 0.6, center=(100.0, 80.0))
    angle = np.degrees(np.angle(north_of(grid)))[1]
    assert abs(angle[70]) < 1e-6
    assert angle[-1] == pytest.approx(-angle[0], abs=1e-6)
    # To the right is West: North, the pole, then lies up and to the left.
    assert angle[-1] == pytest.approx(0.7 * np.tan(np.deg2rad(80)), rel=0.03)


def test_a_pixel_holds_its_edges_once():
    grid = Grid.tan((2, 3), 1.0, center=(0.0, 0.0))
    x, y = np.array([-0.5, 0.49, 0.5, 2.5, 1.0]), np.array([0.0, 0.0, 0.0, 0.0, -0.51])
    pixel, inside = on_grid(grid, x, y)
    np.testing.assert_array_equal(inside, [True, True, True, False, False])
    np.testing.assert_array_equal(pixel[:3], [0, 0, 1])
