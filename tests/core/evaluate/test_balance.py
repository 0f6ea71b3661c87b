"""Balanced weights: the wanted means, as near to equal as can be, and less scatter for it."""

import numpy as np
import pytest

from massgan_core.evaluate.balance import balanced


@pytest.fixture
def skies():
    """σ8 and Ωm of 30 boxes."""
    rng = np.random.default_rng(3)
    return np.stack([rng.uniform(0.65, 1.0, 30), rng.uniform(0.25, 0.38, 30)], axis=1)


MIDDLE = np.array([0.825, 0.315])


def test_weighted_means_are_the_wanted_ones(skies):
    weights = balanced(skies, MIDDLE)
    assert weights.min() > 0 and np.isclose(weights.mean(), 1)
    np.testing.assert_allclose(weights @ skies / len(skies), MIDDLE, atol=1e-4)


def test_skies_that_are_balanced_weigh_the_same(skies):
    np.testing.assert_allclose(balanced(skies, skies.mean(0)), 1, atol=1e-4)
    np.testing.assert_array_equal(balanced(np.zeros((4, 0)), np.zeros(0)), np.ones(4))


def test_skies_count_as_often_as_they_are_there(skies):
    times = np.array([0, 1, 2] * 10)
    weights = balanced(skies, MIDDLE, times.astype(float))
    again = balanced(np.repeat(skies, times, axis=0), MIDDLE)
    np.testing.assert_allclose(np.repeat(weights, times), again, rtol=1e-4)
    assert (weights[::3] == 0).all()


def test_too_one_sided_skies_are_refused(skies):
    with pytest.raises(ValueError, match="more skies are needed"):
        balanced(skies, np.array([0.99, 0.26]))


def test_the_mean_of_what_depends_on_the_sky_scatters_less():
    """A coverage that is nearly linear in the cosmology, on 200 sets of 25 boxes."""
    rng, plain, weighted = np.random.default_rng(5), [], []
    for _ in range(200):
        skies = rng.uniform((0.65, 0.25), (1.0, 0.38), (25, 2))
        miss = 0.32 + 0.3 * (skies[:, 0] - 0.825) + 0.8 * (skies[:, 1] - 0.315)
        miss += 0.008 * rng.standard_normal(25)
        plain.append(miss.mean())
        weighted.append(balanced(skies, MIDDLE, least=0.0) @ miss / 25)
    assert np.std(weighted) < 0.4 * np.std(plain)
    assert abs(np.mean(weighted) - 0.32) < 3 * np.std(weighted) / 200**0.5 + 1e-4
