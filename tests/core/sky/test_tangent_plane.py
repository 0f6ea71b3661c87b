"""The closed formulas agree with the WCS library, wherever and however the plane lies."""

import numpy as np
import pytest

from massgan_core.sky import Grid, tangent_plane
from massgan_core.sky.tangent_plane import Plane, places


def turned(center: tuple[float, float], angle: float, lonpole: float | None = None) -> Grid:
    """A plane whose y axis is `angle` [deg] off North, by PC or by LONPOLE."""
    grid = Grid.tan((200, 300), 1.0, center=center)
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    grid.wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    if lonpole is not None:
        grid.wcs.wcs.lonpole = lonpole
    grid.wcs.wcs.set()
    return grid


GRIDS = [turned((ra, dec), 0.0) for ra, dec in ((150.1, 2.2), (0.02, -80.0), (7.0, 89.9))]
GRIDS += [turned((7.0, 90.0), 0.0), turned((359.9, 40.0), 25.0), turned((30.0, -30.0), 0.0, 150.0)]


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: str(grid.wcs.wcs.crval))
def test_pixels_and_north_are_those_of_the_wcs(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-50, 350, 5000), rng.uniform(-50, 250, 5000)
    ra, dec = grid.pixel_to_sky(x, y)
    assert Plane.of(grid) is not None
    found = [[*p.turn, p.x, p.y] for _, p in places(grid, ra, dec)]
    cos, sin, *at = np.concatenate(found, axis=1)
    np.testing.assert_allclose(at, [x, y], atol=1e-9, rtol=0)
    np.testing.assert_allclose(np.hypot(cos, sin), 1.0, rtol=1e-12)
    monkeypatch.setattr(Plane, "of", lambda grid: None)
    want = np.concatenate([p.turn for _, p in places(grid, ra, dec)], axis=1)
    # Those are differences of pixels: rounded to some 1e-9.
    np.testing.assert_allclose([cos, sin], want, atol=1e-8, rtol=0)


def test_what_a_plane_cannot_show_is_nowhere() -> None:
    ra, dec = np.array([150.0, 330.0, 61.0]), np.array([2.0, -2.0, 0.0])
    ((_, place),) = places(GRIDS[0], ra, dec)
    assert np.isnan(place.x).tolist() == [False, True, False]


def test_other_projections_are_left_to_the_library() -> None:
    grid = Grid.tan((20, 30), 1.0, center=(10.0, 40.0))
    grid.wcs.wcs.ctype = ["RA---ARC", "DEC--ARC"]
    grid.wcs.wcs.set()
    assert Plane.of(grid) is None
    ra, dec = grid.pixel_to_sky(np.arange(5.0), np.arange(5.0))
    ((_, place),) = places(grid, ra, dec)
    np.testing.assert_allclose(place.x, np.arange(5.0), atol=1e-9)


def test_blocks_are_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tangent_plane, "BLOCK", 7)
    ra, dec = np.linspace(149, 151, 23), np.linspace(1, 3, 23)
    parts = list(places(GRIDS[0], ra, dec))
    assert [part.start for part, _ in parts] == [0, 7, 14, 21]
    x = np.concatenate([place.x for _, place in parts])
    np.testing.assert_allclose(x, GRIDS[0].sky_to_pixel(ra, dec)[0], atol=1e-9)
