"""Each position lies in one box, whose middle, outline and neighbours are where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.sky.rings import Rings


def directions(ra, dec):
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], -1)


def all_sky(rng, n):
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


@pytest.mark.parametrize("step", [2.0, 7.3, 90.0])
def test_every_box_holds_its_middle_and_its_share_of_the_sky(step, np_rng):
    rings = Rings(step)
    boxes = np.arange(len(rings))
    np.testing.assert_array_equal(rings.find(*rings.center(boxes)), boxes)
    found = rings.find(*all_sky(np_rng, 20_000))
    assert found.min() >= 0 and found.max() < len(rings)


def test_no_box_is_wider_or_higher_than_the_step():
    rings = Rings(3.0)
    for box in range(0, len(rings), 37):
        ra, dec = rings.outline(box)
        low, high = dec.min(), dec.max()
        assert high - low <= 3.0 + 1e-9
        widest = np.cos(np.deg2rad(0 if low < 0 < high else min(abs(low), abs(high))))
        assert (
            360 / rings.boxes[np.searchsorted(rings.first, box, "right") - 1] * widest <= 3 + 1e-9
        )


def test_edges_belong_to_one_box_and_ra_goes_round():
    rings = Rings(5.0)
    dec = np.array([-90.0, 90.0, 0.0, 12.0])
    np.testing.assert_array_equal(rings.find(dec * 0, dec), rings.find(dec * 0 + 360, dec))
    np.testing.assert_array_equal(rings.find(dec * 0 - 1e-18, dec) >= 0, True)
    assert rings.find(np.array([10.0]), np.array([90.0])) < len(rings)


@pytest.mark.parametrize("center", [(150.0, 2.2), (0.3, -61.0), (359.9, 84.0), (80.0, 90.0)])
@pytest.mark.parametrize("radius", [0.5, 7.0, 40.0])
def test_around_finds_all_middles_of_a_circle_once(center, radius):
    rings = Rings(1.7)
    middles = directions(*rings.center(np.arange(len(rings))))
    angle = np.degrees(np.arccos((middles @ directions(*center)).clip(-1, 1)))
    found = rings.around(center, radius)
    assert len(np.unique(found)) == len(found)
    clear = np.abs(angle - radius) > 1e-6
    np.testing.assert_array_equal(
        np.isin(np.arange(len(rings)), found)[clear], (angle < radius)[clear]
    )


@pytest.mark.parametrize("step", [0.0, -1.0, 91.0, float("nan")])
def test_a_step_that_cannot_be(step):
    with pytest.raises(ValueError, match="between 0 and 90 degrees"):
        Rings(step)
