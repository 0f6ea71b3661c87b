import numpy as np
import pytest
from numpy.testing import assert_allclose

from massgan_core.sky import Grid


@pytest.mark.parametrize("center", [(150.1, 2.2), (359.99, -30.0), (10.0, 80.0)])
def test_sky_and_pixels_are_inverse(center):
    grid = Grid.tan((31, 40), 0.5, center=center)
    x, y = np.meshgrid(np.arange(40.0), np.arange(31.0))
    back = grid.sky_to_pixel(*grid.pixel_to_sky(x, y))
    assert_allclose(back, (x, y), atol=1e-6)


@pytest.mark.parametrize("dec", [0.0, 60.0])
def test_north_is_up_and_east_is_left(dec):
    grid = Grid.tan((101, 101), 0.3, center=(0.0, dec))
    assert_allclose(grid.sky_to_plane(0.0, dec), (0, 0), atol=1e-9)
    x, y = grid.sky_to_plane(0.0, dec + 0.1)
    assert_allclose((x, y), (0, 6), atol=1e-3)
    x, _ = grid.sky_to_plane(0.1, dec)
    assert_allclose(x, -6 * np.cos(np.deg2rad(dec)), atol=1e-3)


def test_far_half_of_the_sky_is_nowhere():
    x, y = Grid.tan((9, 9), 1.0, center=(10.0, 0.0)).sky_to_pixel([190.0, 10.0], [0.0, 0.0])
    assert np.isnan(x[0]) and np.isnan(y[0]) and np.isfinite(x[1])


def test_resized_keeps_every_pixel_on_its_place_in_the_sky():
    grid = Grid.tan((30, 40), 0.29, center=(150.0, 2.0))
    part = grid.resized((10, 12), offset=(5, 7))
    assert_allclose(part.pixel_to_sky(0, 0), grid.pixel_to_sky(7, 5))
    assert part.shape == (10, 12)


def test_plane_and_pixels_are_inverse():
    grid = Grid((10, 21), 0.4)
    assert grid.pixel_to_plane(10.0, 4.5) == (0.0, 0.0)
    assert_allclose(grid.plane_to_pixel(*grid.pixel_to_plane(3.0, 8.0)), (3, 8))
    assert_allclose(grid.bounds, (-4.2, -2, 4.2, 2))


@pytest.mark.parametrize(
    ("shape", "scale", "word"), [((0, 5), 1.0, "shape"), ((5, 5), -1.0, "pixel_scale")]
)
def test_bad_grids_are_refused(shape, scale, word):
    with pytest.raises(ValueError, match=word):
        Grid(shape, scale)


def test_a_grid_nowhere_has_no_sky():
    with pytest.raises(ValueError, match="not on the sky"):
        Grid((5, 5)).sky_to_pixel(0.0, 0.0)
