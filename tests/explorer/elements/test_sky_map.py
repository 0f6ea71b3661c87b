"""One map takes arrays: exact at rest, light while live."""

from __future__ import annotations

import numpy as np
import pytest
from bokeh.core.validation import check_integrity

from explorer.elements.colors import LEVELS, palette, to_levels
from explorer.elements.sky import Sky
from explorer.elements.sky_map import SkyMap
from massgan_core.sky import Grid

GRID = Grid((6, 7), 0.5)


@pytest.fixture
def sky_map() -> SkyMap:
    made = SkyMap(Sky(), "mean", "κ")
    made.paint("light", palette("kappa", "diverging", "light"))
    return made


@pytest.fixture
def image(np_rng: np.random.Generator) -> np.ndarray:
    return np_rng.normal(size=(6, 7)).astype(np.float32)


def test_exact_is_the_array_itself(sky_map: SkyMap, image: np.ndarray) -> None:
    sky_map.send(GRID, image, (-1, 1), exact=True)
    (sent,) = sky_map.source.data["image"]
    assert sent.dtype == np.float32
    np.testing.assert_array_equal(sent, image)
    assert (sky_map.mapper.low, sky_map.mapper.high) == (-1, 1)
    assert sky_map.mapper.low_color is None


def test_live_is_bytes_and_their_limits(sky_map: SkyMap, image: np.ndarray) -> None:
    sky_map.send(GRID, image, (-1, 1), exact=False)
    np.testing.assert_array_equal(sky_map.source.data["image"][0], to_levels(image, (-1, 1)))
    assert (sky_map.mapper.low, sky_map.mapper.high) == (1, LEVELS)
    assert sky_map.source.data["low"] == [-1] and sky_map.source.data["high"] == [1]
    assert sky_map.mapper.low_color == sky_map.mapper.nan_color


def test_cleared_map_says_what_to_do(sky_map: SkyMap, image: np.ndarray) -> None:
    sky_map.send(GRID, image, (-1, 1), exact=True)
    sky_map.clear("Press Start")
    assert sky_map.source.data["image"] == []
    assert sky_map._note.visible and sky_map._note.text == "Press Start"
    sky_map.send(GRID, image, (-1, 1), exact=True)
    assert not sky_map._note.visible


def test_two_pages_share_nothing() -> None:
    one, two = SkyMap(Sky(), "mean", "κ"), SkyMap(Sky(), "mean", "κ")
    mine = {model.id for model in one.figure.references()}
    assert mine.isdisjoint(model.id for model in two.figure.references())


def test_axes_are_named_after_the_sky_or_not(sky_map: SkyMap) -> None:
    sky_map.orient(Grid.tan((6, 7), 0.5, center=(150, 2)))
    assert sky_map.figure.xaxis[0].axis_label.startswith("East")
    assert "-tick" in sky_map.figure.xaxis[0].formatter.code
    assert all(label.visible for label in sky_map._compass)
    sky_map.orient(GRID)
    assert sky_map.figure.xaxis[0].axis_label == "x [′]"
    assert "-tick" not in sky_map.figure.xaxis[0].formatter.code
    assert not any(label.visible for label in sky_map._compass)


def test_every_glyph_finds_its_columns(sky_map: SkyMap) -> None:
    sky_map.sky.shapes.arm("circle")
    sky_map.show_marks(peaks=True, labels=True)
    found = check_integrity(sky_map.figure.references())
    assert found.error == []
