"""The share of samples with a peak at a place."""

import numpy as np
import pytest
import torch

from massgan_core.evaluate.detection import peak_posterior
from massgan_core.peaks import find_peaks, nearest, peak_probability
from massgan_core.sky import Grid, PowerSpectrum, gaussian_field

GRID = Grid((40, 50), 0.5)
POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
AREA = torch.ones(40, 50, dtype=torch.bool)
SOFT = {"smoothing": 1.0, "threshold": 0.0}


@pytest.fixture
def samples(rng):
    return torch.stack([gaussian_field(POWER, GRID, rng) for _ in range(12)])


@pytest.fixture
def places(samples):
    return find_peaks(samples.mean(0), GRID, AREA, smoothing=1.0).places


def test_equal_samples_have_the_peaks_of_their_mean_for_sure(samples):
    one = samples[:1].expand(5, -1, -1)
    peaks = find_peaks(one[0], GRID, AREA, smoothing=1.0, threshold=0.0)
    assert len(peaks) > 2
    sure = peak_probability(peaks.places, one, GRID, AREA, radius=0.1, **SOFT)
    assert (sure == 1).all()
    higher = {**SOFT, "threshold": float(peaks.height[0]) * (1 + 1e-4)}
    assert not peak_probability(peaks.places, one, GRID, AREA, radius=0.1, **higher).any()


def test_a_wider_circle_and_a_lower_threshold_never_hold_less(samples, places):
    def share(radius, threshold):
        return peak_probability(
            places, samples, GRID, AREA, radius=radius, threshold=threshold, smoothing=1.0
        )

    assert (share(2.0, 0.0) >= share(1.0, 0.0)).all()
    assert (share(1.0, 0.0) >= share(1.0, 0.01)).all()
    assert share(1.0, 0.0).max() > 0


def test_it_is_what_the_evaluation_counts(samples, places):
    peaks = find_peaks(samples, GRID, AREA, smoothing=1.0)
    judged = peak_posterior(
        places, peaks.places, peaks.height, peaks.map, len(samples), radius=1.5, threshold=0.0
    )
    share = peak_probability(places, samples, GRID, AREA, radius=1.5, **SOFT)
    np.testing.assert_array_equal(share, judged.probability)


def test_it_asks_for_samples_and_a_radius(samples, places):
    with pytest.raises(ValueError, match="at least one sample"):
        peak_probability(places, samples[:0], GRID, AREA, radius=1.0, **SOFT)
    with pytest.raises(ValueError, match="`radius` must be positive"):
        peak_probability(places, samples, GRID, AREA, radius=0.0, **SOFT)


def test_the_nearest_within_reach():
    places = np.array([[0.0, 0.0], [3.0, 0.0], [10.0, 0.0]])
    others = np.array([[0.5, 0.0], [-0.4, 0.0], [4.5, 0.0]])
    index, distance = nearest(places, others, np.array([1.0, 1.0, 2.0]))
    assert index.tolist() == [1, 2, -1]
    np.testing.assert_allclose(distance, [0.4, 1.5, np.inf])
    index, distance = nearest(places, others[:0], 1.0)
    assert index.tolist() == [-1, -1, -1] and np.isinf(distance).all()
