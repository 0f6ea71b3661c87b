"""What maps share; the hover's formulas against the WCS (the page itself: tests/journeys)."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.elements.sky import Sky, plane_columns
from explorer.store import Circles
from massgan_core.sky import Grid


def _invert(at: dict[str, list], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The module's formulas, as its JavaScript has them."""
    v = {k: values[0] for k, values in at.items()}
    dx, dy = x - v["x0"], y - v["y0"]
    xi, eta = v["xx"] * dx + v["xy"] * dy, v["yx"] * dx + v["yy"] * dy
    down = np.cos(v["dec0"]) - eta * np.sin(v["dec0"])
    ra = np.degrees(v["ra0"] + np.arctan2(xi, down)) % 360
    up = np.sin(v["dec0"]) + eta * np.cos(v["dec0"])
    return ra, np.degrees(np.arctan2(up, np.hypot(xi, down)))


@pytest.mark.parametrize("center", [(150.1, 2.2), (0.01, -30.0), (359.9, 80.0), (10.0, -89.5)])
@pytest.mark.parametrize("offset", [(0, 0), (40, -25)])
def test_columns_lead_back_to_the_sky(center: tuple, offset: tuple) -> None:
    grid = Grid.tan((120, 90), 0.5, center=center).resized((61, 47), offset=offset)
    px, py = np.meshgrid(np.linspace(-0.5, 46.5, 7), np.linspace(-0.5, 60.5, 7))
    ra, dec = _invert(plane_columns(grid), *grid.pixel_to_plane(px, py))
    expected = grid.pixel_to_sky(px, py)
    np.testing.assert_allclose(np.cos(np.radians(ra - expected[0])), 1, atol=1e-12)
    np.testing.assert_allclose(dec, expected[1], atol=1e-9)


def test_a_field_that_is_nowhere_has_no_columns() -> None:
    assert all(column == [] for column in plane_columns(Grid((4, 5))).values())


def test_view_is_square_and_holds_the_field() -> None:
    sky, grid = Sky(), Grid.tan((20, 50), 0.5, center=(150, 2))
    sky.show(grid, np.ones((20, 50), bool), None)
    for axis in (sky.x_range, sky.y_range):
        assert (axis.start, axis.end) == (-13.5, 13.5)  # and two pixels around
    # North up, East left: screen x grows with plane x (West), screen y with plane y.
    data = sky.image(grid, np.zeros((20, 50)), (0, 1))
    assert data["x"][0] == -12.5 and data["dw"][0] == 25 and data["dh"][0] == 10


def test_veil_covers_what_is_not_the_footprint_and_a_pixel_around() -> None:
    sky, grid = Sky(), Grid((6, 7), 0.5)
    footprint = np.zeros((6, 7), bool)
    footprint[2:4, 3:5] = True
    sky.show(grid, footprint, None)
    (veil,) = sky.mask.data["image"]
    np.testing.assert_array_equal(veil[1:-1, 1:-1] == 0, footprint)
    assert veil[[0, -1]].all() and veil[:, [0, -1]].all()
    assert sky.mask.data["x"][0] == -7 * 0.25 - 0.5 and sky.mask.data["dh"][0] == 8 * 0.5


def test_a_cluster_is_marked_by_name() -> None:
    sky, one = Sky(), np.zeros(2)
    names = np.array(["First", "Second"])
    circles = Circles(one, one, one + 1, names, one, one)
    sky.show(Grid((6, 7), 0.5), np.ones((6, 7), bool), circles)
    sky.select("Second")
    assert sky.clusters.selected.indices == [1] and sky.selected() == "Second"
    sky.select("no such cluster")
    assert sky.clusters.selected.indices == [] and sky.selected() == ""
    sky.select("First")
    sky.show(Grid((6, 7), 0.5), np.ones((6, 7), bool), None)
    assert sky.selected() == ""
