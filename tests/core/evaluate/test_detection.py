from math import inf, pi

import numpy as np
import pytest
import torch

from massgan_core.evaluate.detection import (
    matched_fraction,
    noise_std,
    peak_posterior,
    signal_to_noise,
)
from massgan_core.sky import Grid, smooth

GRID = Grid((60, 60), 0.5)
AREA = torch.ones(60, 60, dtype=torch.bool)
AREA[:, :8] = False


def test_the_noise_of_smoothed_white_noise_is_known(rng):
    """std = pixel / (2 s √π) for a Gaussian window of std s."""
    noise = torch.randn(64, 60, 60, generator=rng)
    soft = smooth(noise, GRID, 1.0, mask=AREA.expand(64, -1, -1)) + 5
    one = noise_std(soft, GRID, AREA)
    assert one[AREA].unique().numel() == 1 and (one[~AREA] == 0).all()
    # Near edges fewer pixels are averaged: a little above the value far from them.
    assert one.max().item() == pytest.approx(0.5 / (2 * pi**0.5), rel=0.12)
    own = noise_std(soft, GRID, AREA, 0.0)
    broad = noise_std(soft, GRID, AREA, 2.0)
    assert own[20:40, 20:40].std() > 2 * broad[20:40, 20:40].std()
    assert broad[30, 30].item() == pytest.approx(0.5 / (2 * pi**0.5), rel=0.08)
    assert broad[58, 58] > 1.1 * broad[30, 30]


def test_what_is_outside_is_no_noise(rng):
    noise = torch.randn(8, 60, 60, generator=rng)
    for width in (inf, 0.0, 2.0):
        want = noise_std(noise, GRID, AREA, width)
        got = noise_std(torch.where(AREA, noise, torch.nan), GRID, AREA, width)
        torch.testing.assert_close(got, want)


def test_signal_to_noise_by_a_number_or_by_a_map():
    height, row, column = np.array([2.0, 3.0]), np.array([1, 4]), np.array([2, 5])
    assert signal_to_noise(height, row, column, 0.5).tolist() == [4, 6]
    noise = torch.ones(6, 6)
    noise[4, 5] = 3
    assert signal_to_noise(height, row, column, noise).tolist() == [2, 1]


def test_fractions_count_all_fields_together():
    value = np.array([5.0, 3, 1, 4, 2])
    matched = np.array([True, True, False, False, True])
    field = np.array([0, 0, 0, 2, 2])
    curve = matched_fraction(value, matched, field, [0, 2.5, 4.5, 9], [7, 8, 9])
    assert curve.total.tolist() == [5, 3, 1, 0] and curve.matched.tolist() == [3, 2, 1, 0]
    np.testing.assert_allclose(curve.fraction, [0.6, 2 / 3, 1, np.nan])
    alone = matched_fraction(value, matched, field, [0], [7, 7, 7])
    assert alone.fraction == 0.6 and alone.error.isnan()


def test_the_error_of_a_fraction_is_binomial_for_independent_peaks(np_rng):
    matched = np_rng.random(4000) < 0.7
    field = np.repeat(np.arange(100), 40)
    curve = matched_fraction(np.ones(4000), matched, field, [0.5], range(100))
    assert curve.fraction.item() == pytest.approx(0.7, abs=0.03)
    assert curve.error.item() == pytest.approx((0.21 / 4000) ** 0.5, rel=0.25)


def drawn(np_rng, n, places, probability, width):
    """One peak near each place in a fraction of the samples, scattered by `width`."""
    there = np_rng.random((n, len(places))) < probability
    sample, at = np.nonzero(there)
    peaks = places[at] + width * np_rng.standard_normal((len(at), 2))
    return there, peaks, np_rng.uniform(1, 2, len(at)), sample


def test_probability_and_scatter_of_drawn_peaks(np_rng):
    places = np.array([[0.0, 0.0], [20.0, 5.0], [-30.0, 10.0], [50.0, 50.0]])
    chances = np.array([0.9, 0.5, 0.1, 0.0])
    there, peaks, height, sample = drawn(np_rng, 800, places, chances, 0.3)
    out = peak_posterior(places, peaks + [0.1, 0.0], height, sample, 800, radius=2.0)
    np.testing.assert_array_equal(out.probability, there.mean(0))
    np.testing.assert_allclose(out.scatter[:2], 0.3, rtol=0.1)
    np.testing.assert_allclose(out.offset[:2], [[0.1, 0], [0.1, 0]], atol=0.05)
    np.testing.assert_allclose(out.height[:2], 1.5, atol=0.05)
    for value in (out.scatter, out.height, out.offset):
        assert np.isnan(value[3]).all() and np.isfinite(value[:3]).all()
    high = peak_posterior(places, peaks, height, sample, 800, radius=2.0, threshold=1.5)
    np.testing.assert_allclose(high.probability, out.probability / 2, atol=0.05)


def test_of_several_peaks_in_a_sample_the_highest_counts_once():
    peaks = np.array([[0.0, 0.1], [0.5, 0.0], [0.0, 0.2], [9.0, 9.0]])
    out = peak_posterior(
        np.zeros((1, 2)),
        peaks,
        np.array([1.0, 3.0, 2.0, 9.0]),
        np.array([0, 0, 2, 1]),
        4,
        radius=1,
    )
    assert out.probability.tolist() == [0.5]
    np.testing.assert_allclose(out.offset, [[0.25, 0.1]])
    np.testing.assert_allclose(out.height, [2.5])
    # Two positions 0.5 and 0.2 apart: (0.5² + 0.2²)/2 summed over axes, per axis half.
    np.testing.assert_allclose(out.scatter, [(0.29 / 4) ** 0.5])


def test_a_peak_may_belong_to_two_places_and_one_alone_has_no_scatter():
    places = np.array([[0.0, 0.0], [1.0, 0.0]])
    out = peak_posterior(places, np.array([[0.5, 0.0]]), np.ones(1), np.zeros(1, int), 2, radius=1)
    assert out.probability.tolist() == [0.5, 0.5]
    assert np.isnan(out.scatter).all() and out.offset[:, 0].tolist() == [0.5, -0.5]


def test_peaks_at_random_scatter_by_half_the_radius(np_rng):
    """What `scatter` is when the samples know nothing of the place."""
    peaks = np_rng.uniform(-50, 50, (20000, 2))
    sample = np.arange(20000) % 2000  # 10 in 10⁴ arcmin²: rarely two in a circle
    place = np.zeros((1, 2))
    out = peak_posterior(place, peaks, np.ones(20000), sample, 2000, radius=8.0)
    assert out.probability[0] == pytest.approx(1 - np.exp(-10 * pi * 64 / 1e4), abs=0.04)
    assert out.scatter[0] == pytest.approx(4.0, rel=0.07)


def test_truths_have_peaks_as_often_as_an_exact_posterior_says(np_rng):
    """Probabilities differ from place to place; truth and samples are drawn alike."""
    fields, n, places = 60, 40, np.stack(np.meshgrid(*2 * [np.arange(0, 50, 10.0)]), -1)
    places, said, had = places.reshape(-1, 2), 0.0, 0
    for _ in range(fields):
        chances = np_rng.random(25)
        _, peaks, height, sample = drawn(np_rng, n, places, chances, 0.3)
        said += peak_posterior(places, peaks, height, sample, n, radius=2.0).probability.sum()
        _, *truth = drawn(np_rng, 1, places, chances, 0.3)
        had += peak_posterior(places, *truth, 1, radius=2.0).probability.sum()
    assert had / said == pytest.approx(1, abs=3 * (0.17 / 1500) ** 0.5 / 0.5)


def test_no_peak_and_no_place_are_answers():
    none = np.zeros((0, 2)), np.zeros(0), np.zeros(0, int)
    out = peak_posterior(np.zeros((3, 2)), *none, 5, radius=1.0)
    assert out.probability.tolist() == [0, 0, 0] and np.isnan(out.offset).all()
    one = np.zeros((1, 2)), np.zeros(1), np.zeros(1, int)
    assert peak_posterior(np.zeros((0, 2)), *one, 5, radius=1.0).probability.shape == (0,)
    with pytest.raises(ValueError, match="`radius` must be positive"):
        peak_posterior(np.zeros((3, 2)), *one, 5, radius=0.0)
