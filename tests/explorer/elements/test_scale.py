"""A stretch keeps order and ends, is alike on both sides of 0, and only moves colours."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.elements.colors import LEVELS, palette, picture_limits, to_levels
from explorer.elements.scale import Scale, around_zero
from explorer.state import STRETCHES

LIMITS = [(-0.1, 0.1, True), (-0.02, 0.2, True), (0.01, 0.03, False)]


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize(("low", "high", "signed"), LIMITS)
def test_order_and_ends_are_kept(stretch: str, low: float, high: float, signed: bool) -> None:
    scale = Scale(low, high, stretch, signed)
    at = scale.colored(np.linspace(low, high, 101))
    assert at[0] == pytest.approx(0) and at[-1] == pytest.approx(1)
    assert (np.diff(at) > 0).all()


@pytest.mark.parametrize("stretch", STRETCHES)
def test_both_signs_are_stretched_alike(stretch: str) -> None:
    scale, values = Scale(-0.1, 0.1, stretch), np.linspace(0, 0.1, 20)
    np.testing.assert_allclose(scale.colored(values) + scale.colored(-values), 1)


def test_small_values_are_told_apart() -> None:
    linear, asinh, sqrt = (Scale(-1, 1, name).colored(np.array(0.01)) for name in STRETCHES)
    assert 0.5 < linear < asinh < sqrt


@pytest.mark.parametrize("stretch", STRETCHES)
def test_exact_and_live_frames_have_the_same_colours(stretch: str) -> None:
    scale, colors = Scale(-0.1, 0.1, stretch), [str(i) for i in range(LEVELS)]
    values = np.linspace(-0.0999, 0.0999, 400)
    fine = scale.colors(colors)
    bins = ((values + 0.1) / 0.2 * len(fine)).astype(int)
    exact = np.array([int(fine[i]) for i in bins])
    live = to_levels(values, (-0.1, 0.1), stretch=stretch).astype(int) - 1
    far = np.abs(values) > 0.004  # the square root is infinitely steep at 0
    assert np.abs(exact - live)[far].max() <= 3


def test_zero_stays_the_middle_between_uneven_limits() -> None:
    colors = palette("kappa", "diverging", "light")
    cut = around_zero(colors, -0.1, 0.3)
    assert len(cut) == len(colors) and cut[-1] == colors[-1]
    assert cut[len(cut) // 4] == pytest.approx(colors[len(colors) // 2]) or (
        abs(colors.index(cut[round((len(cut) - 1) / 4)]) - len(colors) // 2) <= 1
    )


@pytest.mark.parametrize("stretch", STRETCHES)
def test_zero_stays_the_middle_of_a_stretched_scale(stretch: str) -> None:
    scale, colors = Scale(-0.02, 0.2, stretch), [str(i) for i in range(LEVELS)]
    cut = around_zero(colors, *scale.ends)
    at = round(float(scale.colored(np.array(0.0))) * (len(cut) - 1))
    assert abs(int(cut[at]) - (LEVELS - 1) / 2) <= 1


def test_a_larger_share_of_pixels_has_wider_limits(np_rng: np.random.Generator) -> None:
    image, mask = np_rng.normal(size=(40, 40)), np.ones((40, 40), bool)
    shares = (90, 95, 99, 99.5, 100)
    highs = [picture_limits(image, mask, signed=True, share=share)[1] for share in shares]
    assert highs == sorted(highs) and len(set(highs)) == len(highs)
    assert highs[-1] == pytest.approx(np.abs(image).max())
