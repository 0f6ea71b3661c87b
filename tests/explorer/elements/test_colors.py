"""Colours and limits of pictures."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from explorer.elements.colors import LEVELS, palette, picture_limits, to_levels
from explorer.state import COLORS, THEMES

EVERYWHERE = np.ones((4, 5), bool)


def _lightness(color: str) -> float:
    """CIE L* of a colour."""
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    y = linear @ (0.2126, 0.7152, 0.0722)
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


@pytest.mark.parametrize(("colors", "theme"), [*product(COLORS, THEMES)])
def test_lightness_orders_each_side_of_zero(colors: str, theme: str) -> None:
    """Read without hue, as some eyes and some printers do, a map still has its order."""
    for kind in ("kappa", "spread"):
        shades = np.array([_lightness(color) for color in palette(kind, colors, theme)])
        assert len(shades) == LEVELS
        middle = LEVELS // 2
        diverging = kind == "kappa" and colors == "diverging"
        for side in (shades[:middle], shades[middle:]) if diverging else (shades,):
            steps = np.diff(side)
            assert (steps * np.sign(side[-1] - side[0])).min() > -1.5
            assert abs(side[-1] - side[0]) > 40


def test_limits_are_symmetric_for_signed_pictures() -> None:
    image = np.linspace(-1, 3, 20).reshape(4, 5)
    low, high = picture_limits(image, EVERYWHERE, signed=True)
    assert low == -high and 2.9 <= high <= 3.0


def test_limits_look_at_the_footprint_alone() -> None:
    image, mask = np.full((4, 5), 1e6), EVERYWHERE.copy()
    image[1:3], mask[[0, 3]] = np.arange(10).reshape(2, 5), False
    low, high = picture_limits(image, mask, signed=False)
    assert 0 <= low < high <= 9


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("value", [0.0, 2.0, np.nan])
def test_constant_and_empty_pictures_have_limits(value: float, signed: bool) -> None:
    low, high = picture_limits(np.full((4, 5), value), EVERYWHERE, signed=signed)
    assert np.isfinite((low, high)).all() and low < high


def test_levels_are_close_clipped_and_keep_no_value() -> None:
    image = np.array([[-9.0, -0.1, 0.0, 0.0333, 0.1, 9.0, np.nan]], np.float32)
    levels = to_levels(image, (-0.1, 0.1))
    assert levels.dtype == np.uint8
    assert levels[0].tolist()[:3] == [1, 1, 128] and levels[0].tolist()[4:] == [255, 255, 0]
    back = -0.1 + (levels - 1.0) / (LEVELS - 1) * 0.2
    assert np.abs(back - image)[0, 1:5].max() <= 0.1 / (LEVELS - 1) + 1e-6
