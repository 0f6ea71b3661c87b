import numpy as np
import pytest
import torch

from massgan_core.evaluate import rank_counts, top
from massgan_core.evaluate.coverage import (
    LEVELS,
    RunningRanks,
    attainable,
    binned_ranks,
    coverage,
    covered,
    inside_interval,
    is_calibrated,
    near_peaks,
)
from massgan_core.sky import Grid

SIDE, FIELDS = 24, 20


def truths_and_samples(rng, n, factor=1.0, shift=0.0):
    """Fields whose posterior N(centre, std²) is known; samples `factor` times as wide."""
    for _ in range(FIELDS):
        centre, std = torch.randn(SIDE, SIDE, generator=rng), torch.rand(SIDE, SIDE, generator=rng)
        truth = centre + std * torch.randn(SIDE, SIDE, generator=rng)
        draws = torch.randn(n, SIDE, SIDE, generator=rng)
        yield truth, centre + std * (factor * draws + shift)


def counts_of(pairs, rng, batch=8):
    """Counts of ranks of each field, samples seen in batches."""
    area = torch.rand(SIDE, SIDE, generator=rng) > 0.2
    counts = []
    for truth, samples in pairs:
        ranks = RunningRanks(truth)
        for part in samples.split(batch):
            ranks = ranks.update(part)
        counts.append(ranks.counts(area))
        assert counts[-1].sum() == area.sum()
    return torch.stack(counts)


@pytest.mark.parametrize("n", [5, 8, 63, 200])
def test_true_samples_cover_exactly_at_any_number(n, rng):
    """5 samples as well as 200, at levels between the attainable ones too."""
    counts = counts_of(truths_and_samples(rng, n), rng)
    share, error = coverage(counts, range(FIELDS))
    reached = torch.from_numpy(LEVELS <= attainable(n)[-1].item())
    assert share.isnan().tolist() == (~reached).tolist()
    off = (share - torch.from_numpy(LEVELS))[reached]
    assert (off.abs() < 4 * error[reached]).all() and off.abs().max() < 0.02
    assert (error[reached] < 0.01).all()


@pytest.mark.parametrize(("factor", "at_half"), [(0.5, 0.26), (2, 0.82)])
def test_wrong_samples_cover_what_they_must(factor, at_half, rng):
    """The central half of N(0, f²) holds erf(0.477 f) of N(0, 1), were N infinite."""
    counts = counts_of(truths_and_samples(rng, 63, factor), rng)
    share, _ = coverage(counts, range(FIELDS), [0.5])
    assert share.item() == pytest.approx(at_half, abs=0.03)


def test_a_shifted_mean_covers_too_little(rng):
    counts = counts_of(truths_and_samples(rng, 63, shift=1.0), rng)
    share, error = coverage(counts, range(FIELDS), [0.3, 0.5, 0.9])
    assert (share < torch.tensor([0.3, 0.5, 0.9]) - 10 * error).all()


@pytest.mark.parametrize("n", [2, 7, 10])
def test_an_interval_is_that_between_two_order_statistics(n, rng):
    truth, samples = torch.randn(30, 30, generator=rng), torch.randn(n, 30, 30, generator=rng)
    everywhere = torch.ones(30, 30, dtype=torch.bool)
    counts = RunningRanks(truth).update(samples).counts(everywhere)
    at = attainable(n)
    order = samples.sort(0).values
    for level, inside in zip(at.tolist(), covered(counts, at).tolist(), strict=True):
        k = round((n + 1) * (1 - level) / 2)
        assert inside == ((truth >= order[k - 1]) & (truth <= order[n - k])).sum()
    ends = covered(counts, [0.0, 1.0, -0.1])
    assert ends[0] == 0 and ends[1:].isnan().all()


def test_levels_between_are_interpolated():
    counts = torch.tensor([10.0, 20.0, 30.0, 40.0])  # N = 3: one interval, at level 1/2
    assert attainable(3).tolist() == [0.5]
    assert covered(counts, [0.25, 0.5]).tolist() == [25, 50]


def test_few_samples_do_not_reach_high_levels():
    for n, level in ((39, 0.95), (199, 0.99)):
        assert attainable(n)[-1] == pytest.approx(level)
        assert not covered(torch.ones(n + 1), [level]).isnan()
        assert covered(torch.ones(n), [level]).isnan()
    with pytest.raises(ValueError, match="at least 2 .* got 1"):
        attainable(1)


def test_a_collapsed_sampler_covers_nothing(rng):
    truth = torch.randn(20, 20, generator=rng)
    ranks = RunningRanks(truth).update(torch.zeros(9, 20, 20))
    counts = ranks.counts(torch.ones(20, 20, dtype=torch.bool))
    assert coverage(counts[None], [0], LEVELS[:8])[0].sum() == 0


def test_ranks_do_not_depend_on_batches_and_are_those_of_rank_counts(rng):
    truth, samples = torch.randn(20, 20, generator=rng), torch.randn(63, 20, 20, generator=rng)
    area = torch.rand(20, 20, generator=rng) > 0.3
    whole = RunningRanks(truth).update(samples)
    parts = RunningRanks(truth)
    for part in samples.split(10):
        before, parts = parts, parts.update(part)
    assert torch.equal(whole.counts(area), parts.counts(area))
    assert before.n == 60 and before.counts(area).shape == (61,)
    assert torch.equal(binned_ranks(whole.counts(area)), rank_counts(samples, truth, area))
    with pytest.raises(ValueError, match="multiple of 16 ranks .* got 61"):
        binned_ranks(before.counts(area))


def test_before_the_first_sample_every_rank_is_zero():
    ranks = RunningRanks(torch.zeros(4, 4))
    assert ranks.counts(torch.ones(4, 4, dtype=torch.bool)).tolist() == [16]


def test_peaks_are_judged_apart(rng):
    """Samples too narrow at the top 1 % of MEAN only: the whole field hardly shows it."""
    everywhere, peaks = [], []
    area = torch.ones(SIDE, SIDE, dtype=torch.bool)
    for _ in range(FIELDS):
        centre = torch.randn(SIDE, SIDE, generator=rng)
        truth = centre + torch.randn(SIDE, SIDE, generator=rng)
        at = top(centre, area)
        draws = torch.randn(63, SIDE, SIDE, generator=rng)
        samples = centre + torch.where(at, 0.5 * draws, draws)
        ranks = RunningRanks(truth).update(samples)
        everywhere.append(ranks.counts(area))
        peaks.append(ranks.counts(at))
    share = [coverage(torch.stack(c), range(FIELDS), [0.5])[0].item() for c in (everywhere, peaks)]
    assert share[0] == pytest.approx(0.5, abs=0.01) and share[1] == pytest.approx(0.26, abs=0.05)


def test_peaks_picked_by_the_ranked_samples_look_miscovered_and_by_others_do_not(rng):
    same, other = [], []
    area = torch.ones(SIDE, SIDE, dtype=torch.bool)
    for _ in range(FIELDS):
        truth = torch.randn(SIDE, SIDE, generator=rng)
        samples = torch.randn(2, 3, SIDE, SIDE, generator=rng)
        ranks = RunningRanks(truth).update(samples[0])
        same.append(ranks.counts(top(samples[0].mean(0), area, 0.1)))
        other.append(ranks.counts(top(samples[1].mean(0), area, 0.1)))
    picked, unselected = (coverage(torch.stack(c), range(FIELDS), [0.5]) for c in (same, other))
    assert picked[0] < 0.5 - 4 * picked[1]
    assert unselected[0].item() == pytest.approx(0.5, abs=4 * unselected[1].item())


def test_pixels_near_peaks():
    grid, area = Grid((30, 30), 0.5), torch.ones(30, 30, dtype=torch.bool)
    mean = torch.zeros(2, 30, 30)
    mean[0, 10, 10], mean[0, 20, 20], mean[1, 5, 5] = 5.0, 0.1, 3.0
    near = near_peaks(mean, grid, area, radius=1.0)
    assert near.sum((-2, -1)).tolist() == [13, 13]  # a disk of two pixels' radius
    assert near[0, 10, 12] and not near[0, 11, 12] and not near[0, 20, 20]
    cut = area.clone()
    cut[:, 11:] = False
    assert near_peaks(mean[1], grid, cut).sum() == 13
    assert near_peaks(mean[0], grid, cut).sum() == 0  # a peak has all its neighbours inside


def test_calibrated_intervals_are_counted_after_the_zero_point(rng):
    truth = torch.randn(3, 50, 50, generator=rng)
    area = (torch.rand(50, 50, generator=rng) > 0.3).expand(3, -1, -1)
    width = torch.full((3, 50, 50), 1.6449)
    inside, pixels = inside_interval(-width, width, truth + 7, area, area)
    assert torch.equal(pixels, area.sum((-2, -1)).double())
    assert (inside / pixels - 0.9).abs().max() < 0.03
    none = inside_interval(width, -width, truth, area, area)[0]
    assert none.sum() == 0


def test_what_counts_as_calibrated():
    share = torch.tensor([0.90, 0.912, 0.895, 0.93, 0.88, 0.90])
    error = torch.tensor([0.003, 0.003, 0.003, 0.003, 0.003, 0.02])
    assert is_calibrated(share, error, 0.9).tolist() == [True, True, True, False, False, False]


def test_levels_are_those_asked_for():
    assert LEVELS[0] == 0.1 and LEVELS[-1] == 0.99 and (np.diff(LEVELS) > 0).all()
