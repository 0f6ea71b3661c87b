"""Contours, graticule, scale bar and hatch: each is where it says it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.elements.contours import contours, hatched, levels_of, nice
from explorer.elements.graticule import MOST, graticule, step_of
from explorer.elements.scale_bar import SHARE, scale_bar
from massgan_core.sky import Grid


def test_a_contour_runs_where_the_map_has_its_level() -> None:
    grid = Grid((41, 61), 0.5)
    y, x = np.mgrid[:41, :61]
    px, py = grid.pixel_to_plane(x, y)
    found = contours(np.hypot(px, py), np.ones(grid.shape, bool), grid, (3.0, 6.0))
    radii = [np.hypot(xs, ys) for xs, ys in zip(found["xs"], found["ys"], strict=True)]
    assert len(radii) == 2 and found["width"][0] < found["width"][1]
    for radius, level in zip(radii, (3.0, 6.0), strict=True):
        np.testing.assert_allclose(radius, level, atol=0.03)


def test_no_contour_crosses_what_was_not_observed() -> None:
    grid, mask = Grid((20, 20), 1.0), np.ones((20, 20), bool)
    mask[:, 10:] = False
    image = np.tile(np.linspace(0, 1, 20)[:, None], (1, 20))
    (line,) = contours(image, mask, grid, (0.5,))["xs"]
    assert max(line) <= grid.pixel_to_plane(9, 0)[0]
    assert contours(image, ~mask & mask, grid, (0.5,))["xs"] == []


def test_levels_are_round_and_within_the_map(np_rng: np.random.Generator) -> None:
    image, mask = np.abs(np_rng.normal(size=(50, 50))) * 0.03, np.ones((50, 50), bool)
    levels = levels_of(image, mask)
    assert 3 <= len(levels) <= 10 and 0 < levels[0] and levels[-1] <= image.max()
    np.testing.assert_allclose(np.diff(levels), levels[0])
    assert levels_of(-image, mask) == () == levels_of(image, ~mask)


@pytest.mark.parametrize(("length", "round_"), [(0.3, 0.2), (1.0, 1.0), (7.9, 5.0), (26, 20)])
def test_lengths_are_round(length: float, round_: float) -> None:
    assert nice(length) == round_


def test_a_hatch_has_a_hole_where_galaxies_were_seen() -> None:
    grid, mask = Grid((12, 12), 1.0), np.zeros((12, 12), bool)
    assert hatched(~mask, grid) == {"xs": [], "ys": []}
    mask[4:8, 4:8] = True
    (parts,) = hatched(mask, grid)["xs"]
    ((outer, hole),) = parts
    assert max(outer) == pytest.approx(6.0) and max(hole) == pytest.approx(2.0)


@pytest.mark.parametrize("center", [(150.0, 2.2), (0.01, -45.0), (359.99, 60.0)])
def test_meridians_and_parallels_are_on_the_sky(center: tuple[float, float]) -> None:
    grid = Grid.tan((60, 60), 1.0, center=center)
    lines, labels = graticule(grid, grid.bounds)
    assert 4 <= len(lines["xs"]) <= 2 * (MOST + 1)
    named = [text for text in labels["text"] if text[0] not in "+−"]
    constant = 0
    for xs, ys in zip(lines["xs"], lines["ys"], strict=True):
        ra, dec = grid.pixel_to_sky(*grid.plane_to_pixel(np.array(xs), np.array(ys)))
        ra = (ra - center[0] + 180) % 360
        constant += np.ptp(ra) < 1e-4 or np.ptp(dec) < 1e-4
    assert constant == len(lines["xs"])
    left, bottom, right, top = grid.bounds
    for x, y in zip(labels["x"], labels["y"], strict=True):
        assert left < x < right and bottom < y < top
    assert named and all(0 <= float(text.rstrip("°")) < 360 for text in named)


def test_a_closer_look_has_finer_lines(small_grid: Grid) -> None:
    assert step_of(1.0) > step_of(0.1) > step_of(0.01)
    assert graticule(Grid((9, 9)), (-1, -1, 1, 1))[0] == {"xs": [], "ys": []}


@pytest.mark.parametrize(("half", "words"), [(44.0, "20′"), (5.0, "2′"), (0.5, "12″")])
def test_the_bar_is_as_long_as_it_says(half: float, words: Any) -> None:
    line, label = scale_bar((-half, -half, half, half))
    ((start, end),) = line["xs"]
    unit = 60 if words.endswith("″") else 1
    assert label["text"] == [words] and (end - start) * unit == pytest.approx(float(words[:-1]))
    assert end - start <= SHARE * 2 * half and end < half
