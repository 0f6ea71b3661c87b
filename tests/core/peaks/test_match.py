import numpy as np
import pytest

from massgan_core.evaluate import matched_fraction
from massgan_core.peaks import Peaks, chance, match, match_peaks, nearest


def peaks(places, height=None, map=None):
    x, y = np.asarray(places, float).T
    n = len(x)
    height = np.arange(n, 0, -1.0) if height is None else np.asarray(height, float)
    map = np.zeros(n, int) if map is None else np.asarray(map)
    return Peaks(map, y.astype(int), x.astype(int), height, x, y)


def completeness(true, found, radius, thresholds, *, values=None):
    flags = match_peaks(true, found, radius).matched[0]
    return fraction(true, flags, thresholds, values)


def purity(true, found, radius, thresholds):
    return fraction(found, match_peaks(true, found, radius).matched[1], thresholds)


def fraction(peaks, flags, thresholds, values=None):
    value = peaks.height if values is None else values
    return matched_fraction(value, flags, peaks.map, thresholds, [0]).fraction.numpy()


def test_identical_lists_match_wholly(np_rng):
    some = peaks(np_rng.uniform(0, 60, (80, 2)))
    pairs = match_peaks(some, some, 1.0)
    assert np.array_equal(np.sort(pairs.first), np.arange(80))
    assert np.array_equal(pairs.first, pairs.second) and (pairs.distance == 0).all()
    levels = [0, 20, 60]
    assert completeness(some, some, 1.0, levels).tolist() == [1, 1, 1]
    assert purity(some, some, 1.0, levels).tolist() == [1, 1, 1]


def test_matching_is_one_to_one_near_and_the_same_both_ways(np_rng):
    first, second = np_rng.uniform(0, 20, (90, 2)), np_rng.uniform(0, 20, (70, 2))
    pairs, back = match(first, second, 1.5), match(second, first, 1.5)
    assert 20 < len(pairs) <= 70
    assert len(set(pairs.first)) == len(set(pairs.second)) == len(pairs)
    distance = np.hypot(*(first[pairs.first] - second[pairs.second]).T)
    np.testing.assert_allclose(distance, pairs.distance)
    assert pairs.distance.max() <= 1.5 and (np.diff(pairs.distance) >= 0).all()
    pairs_of = set(zip(pairs.first, pairs.second, strict=True))
    assert pairs_of == set(zip(back.second, back.first, strict=True))
    # Nobody within reach of one another is left alone.
    one, two = pairs.matched
    assert one.sum() == two.sum() == len(pairs)
    left = first[~one][:, None] - second[~two]
    assert np.hypot(*left.T).min() > 1.5


def test_the_nearer_of_two_is_taken():
    pairs = match(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.7, 0.0]]), 2.0)
    assert pairs.first.tolist() == [1] and pairs.distance[0] == pytest.approx(0.3)
    assert pairs.matched[0].tolist() == [False, True]


def test_maps_are_kept_apart():
    first, second = peaks([[1, 1], [5, 5]], map=[0, 1]), peaks([[5, 5], [1, 1]], map=[0, 1])
    assert len(match_peaks(first, second, 1.0)) == 0
    assert len(match_peaks(first, first, 1.0)) == 2
    far = peaks([[5, 5.9], [1, 1.9]], map=[1, 0])
    assert match_peaks(first, far, 1.0).distance.tolist() == pytest.approx([0.9, 0.9])


def test_missing_and_false_peaks_are_counted():
    true = peaks([[0, 0], [10, 0], [20, 0], [30, 0]], [4, 3, 2, 1])
    found = peaks([[0, 1], [20, 1], [50, 0]], [5, 1.5, 2.5])
    assert completeness(true, found, 2.0, [0, 1.5, 3, 4]).tolist() == [0.5, 2 / 3, 0.5, 1]
    assert purity(true, found, 2.0, [0, 2, 3]).tolist() == [2 / 3, 0.5, 1]
    assert np.isnan(completeness(true, found, 2.0, [9.0])).all()
    doubled = completeness(true, found, 2.0, [3.0], values=2 * true.height)
    assert doubled.tolist() == [2 / 3]  # in S/N, say: 4, 3 and 2 are above 1.5


def test_unrelated_lists_match_by_chance_only(np_rng):
    """Of sparse lists about 1 − exp(−nπR²): within a standard error or three of 2,000 draws."""
    side, radius = 1000.0, 5.0
    first, second = np_rng.uniform(0, side, (2000, 2)), np_rng.uniform(0, side, (500, 2))
    expected = chance(500, side**2, radius)
    assert expected == pytest.approx(0.0385, abs=1e-3)
    assert len(match(first, second, radius)) / 2000 == pytest.approx(expected, abs=0.013)


def test_empty_lists_match_nothing():
    none, some = np.zeros((0, 2)), np.ones((3, 2))
    for pair, sizes in (((none, some), (0, 3)), ((some, none), (3, 0)), ((none, none), (0, 0))):
        pairs = match(*pair, 1.0)
        assert len(pairs) == 0 and tuple(len(m) for m in pairs.matched) == sizes


def test_a_radius_is_positive():
    with pytest.raises(ValueError, match="`radius` must be positive"):
        match(np.zeros((1, 2)), np.zeros((1, 2)), 0.0)


def test_the_nearest_within_reach():
    places = np.array([[0.0, 0.0], [3.0, 0.0], [10.0, 0.0]])
    others = np.array([[0.5, 0.0], [-0.4, 0.0], [4.5, 0.0]])
    index, distance = nearest(places, others, np.array([1.0, 1.0, 2.0]))
    assert index.tolist() == [1, 2, -1]
    np.testing.assert_allclose(distance, [0.4, 1.5, np.inf])
    index, distance = nearest(places, others[:0], 1.0)
    assert index.tolist() == [-1, -1, -1] and np.isinf(distance).all()
