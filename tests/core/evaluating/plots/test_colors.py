"""Even steps to the eye, the same on both sides, and told apart by the colour-blind."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.evaluating.plots.colors import diverging, sequential

#: Machado, Oliveira & Fernandes (2009): linear RGB as the red-blind and the green-blind see it.
BLIND = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def linear(colors):
    return np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)


def lab(rgb):
    """CIELAB of linear RGB: another space than the one the colours were made in."""
    xyz = (
        rgb
        @ np.array(
            [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        ).T
    )
    f = np.cbrt(np.clip(xyz / [0.9505, 1.0, 1.089], 1e-9, None))
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


@pytest.fixture
def colors():
    return np.asarray(diverging()(np.arange(diverging().N)))[:, :3]


def test_both_arms_darken_alike_from_white(colors):
    light = lab(linear(colors))[:, 0]
    middle = len(light) // 2
    assert len(light) % 2 and light[middle] > 96 and np.ptp(colors[middle]) < 0.01
    below, above = light[middle::-1], light[middle:]
    assert (np.diff(below) < 0).all() and (np.diff(above) < 0).all()
    assert np.abs(below - above).max() < 6  # the same L in Oklab, nearly the same in CIELAB
    assert below[-1] < 30 and above[-1] < 30


def test_steps_are_even(colors):
    steps = np.linalg.norm(np.diff(lab(linear(colors)), axis=0), axis=1)
    # No step is seen as a line, none is lost: jet's differ by a factor of 30.
    assert steps.max() / steps.min() < 3.5


@pytest.mark.parametrize("kind", BLIND)
def test_peaks_and_voids_differ_to_the_colour_blind(colors, kind):
    seen = lab(np.clip(linear(colors) @ np.array(BLIND[kind]).T, 0, 1))
    apart = np.linalg.norm(seen - seen[::-1], axis=1)
    middle = len(colors) // 2
    assert apart[: int(0.8 * middle)].min() > 15


def test_what_has_no_value_is_transparent():
    for colormap in (diverging(), sequential()):
        assert colormap(np.ma.masked)[3] == 0 and colormap(0.5)[3] == 1
