"""Order statistics, and the coverage they promise over redraws of units."""

from math import ceil, erf, sqrt

import numpy as np
import pytest
import torch

from massgan_core.evaluate.conformal import (
    fewest_units,
    missed,
    order_statistic,
    passes,
    quantile_score,
    residual_score,
)


def miss_of(factor):
    """P(|z| > λ) of a standard normal."""
    return torch.tensor([1 - erf(x / sqrt(2)) for x in factor.tolist()], dtype=torch.float64)


@pytest.mark.parametrize("alpha", [0.05, 0.32, 0.5])
@pytest.mark.parametrize("n", [19, 20, 24, 39, 100])
def test_the_order_statistic_is_the_one_of_its_rank(n, alpha, rng):
    scores = torch.randn(n, 3, 4, generator=rng)
    rank = ceil(round((1 - alpha) * (n + 1), 9))
    want = np.sort(scores.numpy(), 0)[rank - 1]
    np.testing.assert_array_equal(order_statistic(scores, alpha), want)


def test_ranks_by_hand():
    """0.95 · 20 = 19 and 0.68 · 25 = 17, exactly, whatever floats make of them."""
    assert order_statistic(torch.arange(1.0, 20), 0.05) == 19
    assert order_statistic(torch.arange(1.0, 25), 0.32) == 17
    assert order_statistic(torch.arange(1.0, 101), 0.05) == 96


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.32])
def test_too_few_units_give_no_finite_interval(alpha):
    n = fewest_units(alpha)
    assert torch.isfinite(order_statistic(torch.arange(1.0, n + 1), alpha))
    assert torch.isinf(order_statistic(torch.arange(1.0, n), alpha))
    assert fewest_units(0.05) == 19


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, float("nan")])
def test_alpha_is_a_probability(alpha):
    with pytest.raises(ValueError, match="`alpha` must lie between 0 and 1"):
        order_statistic(torch.ones(3), alpha)


def test_mass_is_shared_within_a_unit():
    """Two units of 1 and 3 scores: masses 1/3 and 1/9 each; 1/3 waits at infinity."""
    scores, units = torch.tensor([4.0, 1.0, 2.0, 3.0]), torch.tensor([7, 5, 5, 5])
    for alpha, want in ((0.89, 1.0), (0.88, 2.0), (0.67, 3.0), (0.66, 4.0), (0.33, float("inf"))):
        assert order_statistic(scores, alpha, units) == want
    alone = torch.tensor([3, 1, 0, 2])
    assert order_statistic(scores, 0.4, alone) == order_statistic(scores, 0.4)


@pytest.mark.parametrize("alpha", [0.05, 0.32])
@pytest.mark.parametrize("n", [25, 39, 60])
def test_coverage_of_an_exact_gaussian(n, alpha, rng):
    """Over redraws the miss lies within [α − 1/(n+1), α]; it is 1 − rank/(n+1)."""
    factor = order_statistic(torch.randn(n, 6000, generator=rng).abs(), alpha)
    miss = miss_of(factor)
    error = float(miss.std()) / 6000**0.5
    assert alpha - 1 / (n + 1) - 3 * error <= miss.mean() <= alpha + 3 * error
    rank = ceil(round((1 - alpha) * (n + 1), 9))
    assert abs(float(miss.mean()) - (1 - rank / (n + 1))) < 3 * error


def test_maps_of_a_box_that_are_alike_count_as_one(rng):
    """20 boxes of 5 equal maps: ranks over maps fall short at 68 %, ranks over boxes do not."""
    boxes, alpha = torch.arange(20).repeat_interleave(5), 0.32
    scores = torch.randn(20, 4000, generator=rng).abs().repeat_interleave(5, 0)
    naive, boxed = (miss_of(order_statistic(scores, alpha, u)) for u in (None, boxes))
    error = float(naive.std()) / 4000**0.5
    assert naive.mean() > alpha + 3 * error
    assert alpha - 1 / 21 - 3 * error <= boxed.mean() <= alpha + 3 * error


def test_boxes_as_units_cover_under_any_correlation(rng):
    """A box's own noise level: the guarantee over boxes holds for one map and for four."""
    k, alpha, redraws = 24, 0.2, 1500
    for m in (1, 4):
        level = torch.exp(0.7 * torch.randn(k + 1, redraws, generator=rng))
        scores = level.repeat_interleave(m, 0) * torch.randn((k + 1) * m, redraws, generator=rng)
        boxes = torch.arange(k).repeat_interleave(m)
        factor = order_statistic(scores[: k * m].abs(), alpha, boxes)
        miss = miss_of(factor / level[-1])
        assert miss.mean() <= alpha + 3 * float(miss.std()) / redraws**0.5
        assert miss.mean() >= alpha - 1.5 / (k + 1) - 0.02


def test_a_score_is_at_most_the_margin_just_where_the_interval_holds(rng):
    truth, mean = torch.randn(2, 50, 60, generator=rng)
    std = 0.1 + torch.rand(50, 60, generator=rng)
    for margin in (0.3, 1.7):
        inside = (mean - margin * std <= truth) & (truth <= mean + margin * std)
        assert torch.equal(residual_score(mean, std, truth) <= margin, inside)
    low, high = mean - std, mean + 2 * std
    for margin in (-0.2, 0.0, 0.5):
        inside = (low - margin <= truth) & (truth <= high + margin)
        assert torch.equal(quantile_score(low, high, truth) <= margin, inside)


def test_missed_counts_the_footprint_alone():
    truth = torch.tensor([[0.0, 5.0], [-5.0, 5.0]])
    area = torch.tensor([[True, True], [True, False]])
    low, high = -torch.ones(2, 2), torch.ones(2, 2)
    assert float(missed(low, high, truth, area)) == 2 / 3
    assert float(missed(low * torch.nan, high, truth, area)) == 1
    both = missed(*(m.expand(3, 2, 2) for m in (low, high, truth, area)))
    assert both.tolist() == [2 / 3] * 3


@pytest.mark.parametrize(
    ("miss", "good"),
    [(0.05, True), (0.0599, True), (0.0601, False), (0.031, True), (0.029, False)],
)
def test_passes_allows_two_errors_and_a_percent_below(miss, good):
    assert passes(miss, 0.005, 0.05) is good


def test_weights_are_repeated_scores():
    """Weight 2 on a unit is two such units, but for the one to come."""
    scores = torch.arange(1.0, 100)
    weights = torch.where(scores > 60, 2.0, 1.0)
    twice = torch.cat([scores, scores[scores > 60]])
    for alpha in (0.1, 0.32, 0.5):
        want = order_statistic(twice, alpha)
        assert abs(order_statistic(scores, alpha, weights=weights) - want) <= 1
        assert order_statistic(scores, alpha, weights=torch.full((99,), 7.0)) == order_statistic(
            scores, alpha
        )
    assert order_statistic(scores, 0.32, weights=weights) > order_statistic(scores, 0.32)
