"""The share of samples with a peak at a place."""

import numpy as np
import pytest
import torch

from massgan_core import peak_probability
from massgan_core.peaks import find_peaks
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


def test_it_counts_the_samples_one_by_one(samples, places):
    share = peak_probability(places, samples, GRID, AREA, radius=1.5, **SOFT)
    count = np.zeros(len(places))
    for sample in samples:
        found = find_peaks(sample, GRID, AREA, **SOFT).places
        away = np.linalg.norm(places[:, None] - found, axis=-1)
        count += (away <= 1.5).any(1)
    np.testing.assert_array_equal(share, count / len(samples))


def test_it_asks_for_samples_and_a_radius(samples, places):
    with pytest.raises(ValueError, match="at least one sample"):
        peak_probability(places, samples[:0], GRID, AREA, radius=1.0, **SOFT)
    with pytest.raises(ValueError, match="`radius` must be positive"):
        peak_probability(places, samples, GRID, AREA, radius=0.0, **SOFT)
