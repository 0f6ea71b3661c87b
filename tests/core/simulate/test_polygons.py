"""Holes cut by hand."""

import pytest
import torch

from massgan_core.simulate import inside_polygons
from massgan_core.sky import Grid

GRID = Grid((40, 60), 0.5)
SQUARE = [(-5.0, -4.0), (5.0, -4.0), (5.0, 4.0), (-5.0, 4.0)]


def test_a_square_covers_its_area_and_nothing_else():
    inside = inside_polygons(GRID, [SQUARE])
    assert int(inside.sum()) == 20 * 16
    assert inside[12:28, 20:40].all()


def test_direction_and_first_corner_do_not_matter_and_no_polygon_holds_nothing():
    inside = inside_polygons(GRID, [SQUARE])
    assert torch.equal(inside, inside_polygons(GRID, [SQUARE[::-1]]))
    assert torch.equal(inside, inside_polygons(GRID, [SQUARE[2:] + SQUARE[:2]]))
    assert not inside_polygons(GRID, []).any()


def test_polygons_join_and_mirror_with_the_plane():
    triangle = [(1.01, 2.02), (12.03, 3.07), (6.05, 9.04)]
    mirrored = [(-x, y) for x, y in triangle]
    one, other = (inside_polygons(GRID, [p]) for p in (triangle, mirrored))
    assert one.any() and torch.equal(one.flip(1), other)
    assert torch.equal(inside_polygons(GRID, [triangle, mirrored]), one | other)


@pytest.mark.parametrize(
    ("polygons", "words"),
    [
        ([SQUARE] * 13, "at most 12"),
        ([SQUARE[:2]], "3 to 40"),
        ([[(0.0, 0.0)] * 41], "3 to 40"),
        ([[(0.0, 0.0), (1.0, 1.0), (float("nan"), 2.0)]], "finite"),
        ([[(0.0, 0.0), (1.0, 1.0), (2.0,)]], "3 to 40"),
    ],
)
def test_a_bad_polygon_is_refused(polygons, words):
    with pytest.raises(ValueError, match=words):
        inside_polygons(GRID, polygons)
