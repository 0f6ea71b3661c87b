"""An exact posterior of Gaussian pixels, of which everything is known."""

import pytest
import torch

from massgan_core.evaluate import (
    by_level,
    estimate_and_truth,
    levels,
    limit_of_r,
    pearson,
    smoothed,
    spread_and_error,
    spread_skill,
    top,
)
from massgan_core.sky import Grid, gaussian_field, remove_mean
from massgan_core.sky.spectrum import PowerSpectrum

MAPS, N = 30, 64


def toy(rng, std=None, factor=1.0):
    """Truth, means and variances of two halves of N samples, footprint: posterior N(m, std²)."""
    shape = (MAPS, 40, 40)
    std = torch.rand(shape, generator=rng) + 0.5 if std is None else torch.full(shape, std)
    area = (torch.rand(40, 40, generator=rng) > 0.2).expand(shape)
    centre = torch.randn(shape, generator=rng)
    truth = centre + std * torch.randn(shape, generator=rng)
    draws = centre + factor * std * torch.randn(N, *shape, generator=rng)
    halves = [draws[k::2] for k in (0, 1)]
    means, variances = [h.mean(0) for h in halves], [h.var(0) for h in halves]
    return truth, draws.mean(0), draws.var(0), means, variances, area


def unselected(truth, mean, variances, area):
    """Spread/skill per decile, picked with one half of the samples, measured with the other."""
    parts = []
    for picks, var in zip(variances, reversed(variances), strict=True):
        spread, error = by_level(mean, var, truth, area, levels(picks.sqrt(), area), N)
        parts.append(torch.stack([spread.sum(0), error.sum(0)]))
    spread, error = sum(parts)
    return torch.sqrt(spread / error)


def test_all_pixels_together_are_the_spread_skill(rng):
    truth, mean, var, _, _, area = toy(rng)
    spread, error = spread_and_error(mean, var, truth, area, area, N)
    assert spread.shape == (MAPS,)
    ratio = torch.sqrt(spread.sum() / error.sum())
    torch.testing.assert_close(ratio, spread_skill(mean, var, truth, area, N))


def test_levels_share_the_footprint_evenly(rng):
    _, _, var, _, _, area = toy(rng)
    level = levels(var.sqrt(), area)
    counts = torch.bincount(level[area], minlength=10)
    assert counts.max() - counts.min() <= 1 and (level[~area] == -1).all()
    assert var[level == 3].max() <= var[level == 4].min()


def test_by_level_adds_up(rng):
    truth, mean, var, _, _, area = toy(rng)
    parts = by_level(mean, var, truth, area, levels(var.sqrt(), area), N)
    whole = spread_and_error(mean, var, truth, area, area, N)
    for part, all_of_it in zip(parts, whole, strict=True):
        assert part.shape == (MAPS, 10)
        torch.testing.assert_close(part.sum(-1), all_of_it)


def test_true_samples_have_ratio_one_in_each_decile_and_faults_are_seen(rng):
    truth, mean, _, _, variances, area = toy(rng)
    assert (unselected(truth, mean, variances, area) - 1).abs().max() < 0.07
    truth, mean, _, _, variances, area = toy(rng, factor=0.8)
    assert unselected(truth, mean, variances, area).max() < 0.9


def test_what_picking_by_the_same_samples_does(rng):
    """The std is the same everywhere: its deciles are those of sampling noise."""
    truth, mean, var, _, variances, area = toy(rng, std=1.0)
    spread, error = by_level(mean, var, truth, area, levels(var.sqrt(), area), N)
    same = torch.sqrt(spread.sum(0) / error.sum(0))
    assert same[0] == pytest.approx(0.84, abs=0.05) and same[-1] == pytest.approx(1.16, abs=0.05)
    assert (unselected(truth, mean, variances, area) - 1).abs().max() < 0.07


def test_top_takes_its_share_of_every_map(rng):
    _, mean, _, _, _, area = toy(rng)
    peaks = top(mean, area, 0.02)
    assert (peaks.sum((-2, -1)) == round(0.02 * int(area[0].sum()))).all()
    assert not (peaks & ~area).any()
    highest = torch.where(area, mean, -torch.inf)
    assert highest[0][peaks[0]].min() > highest[0][~peaks[0]].max()


def test_peaks_of_true_samples_stand_where_the_truth_does(rng):
    truth, _, _, means, _, area = toy(rng)
    at = top(means[0], area, 0.05)
    estimate, true = estimate_and_truth(means[1], truth, area, at)
    assert estimate.sum() / true.sum() == pytest.approx(1, abs=0.03)
    estimate, true = estimate_and_truth(1.3 * means[1], truth, area, at)
    assert estimate.sum() / true.sum() == pytest.approx(1.3, abs=0.04)


def test_smoothed_maps_lose_their_mean_and_stay_inside(rng):
    grid = Grid((40, 40), 0.5)
    area = torch.rand(40, 40, generator=rng) > 0.2
    kappa = 3 + torch.randn(5, 40, 40, generator=rng)
    soft = smoothed(kappa, grid, 2.0, area)
    assert (soft[..., ~area] == 0).all()
    assert soft[..., area].mean(-1).abs().max() < 1e-5
    assert soft[..., area].std() < 0.3


def test_smoothing_shows_a_fault_of_large_scales(rng):
    """Right in each pixel, but neighbours scatter independently: seen after smoothing only."""
    grid = Grid((48, 48), 1.0)
    area = torch.ones(48, 48, dtype=torch.bool)
    red = PowerSpectrum([10, 1e5], [1.0, 1e-12])
    truth = gaussian_field(red, grid, rng, (40,))
    truth = remove_mean(truth / truth.std(), area)
    white = torch.randn(8, 40, 48, 48, generator=rng)
    ratios = []
    for width in (0.0, 3.0):
        t, s = (smoothed(m, grid, width, area) for m in (truth, white))
        sums = spread_and_error(torch.zeros_like(t), s.var(0), t, *2 * [area.expand(t.shape)], 8)
        ratios.append(torch.sqrt(sums[0].sum() / sums[1].sum()))
    assert ratios[0] > 0.9 and ratios[1] < 0.5


def test_the_mean_of_few_samples_has_a_lower_r(rng):
    centre, truth = torch.randn(50, 40, 40, generator=rng), torch.randn(50, 40, 40, generator=rng)
    truth = centre + truth
    draws = centre + torch.randn(4, 50, 40, 40, generator=rng)
    area = (torch.rand(40, 40, generator=rng) > 0.2).expand(50, -1, -1)
    mean, var = draws.mean(0), draws.var(0)
    few, many = (pearson(m, truth, area).mean() for m in (mean, centre))
    limit = (limit_of_r(mean, var, area, 4) * pearson(mean, truth, area)).mean()
    assert few < 0.95 * many
    assert limit == pytest.approx(float(many), rel=0.01)
    assert (limit_of_r(mean, var, area, float("inf")) == 1).all()
