import pytest
import torch

from massgan_core.evaluate import rank_counts, relative_ranks
from massgan_core.evaluate.coverage import RunningRanks
from massgan_core.evaluate.ranks import ranks_of_each


def ranks(factor, rng, n=63, maps=60):
    """Ranks of truths among samples whose std is `factor` times the right one."""
    area = torch.rand(30, 30, generator=rng) > 0.2
    counts = []
    for _ in range(maps):
        centre = torch.randn(30, 30, generator=rng)
        truth = centre + torch.randn(30, 30, generator=rng)
        samples = centre + factor * torch.randn(n, 30, 30, generator=rng)
        counts.append(rank_counts(samples, truth, area))
        assert counts[-1].sum() == area.sum()
    return relative_ranks(torch.stack(counts))


def test_true_samples_give_flat_ranks(rng):
    height = ranks(1.0, rng)
    assert height.shape == (16,)
    assert (height - 1).abs().max() < 0.1
    assert height.mean() == pytest.approx(1)


@pytest.mark.parametrize(("factor", "sign"), [(0.8, 1), (1.25, -1)])
def test_a_wrong_spread_is_seen(factor, sign, rng):
    height = ranks(factor, rng)
    assert sign * (height[[0, -1]].mean() - 1) > 0.25
    assert sign * (height[7:9].mean() - 1) < -0.05


def test_the_rank_counts_samples_below(rng):
    samples = torch.arange(15.0)[:, None, None].expand(15, 2, 3)
    truth = torch.tensor([[-1.0, 0.5, 1.5], [13.5, 20.0, 7.5]])
    counts = rank_counts(samples, truth, torch.ones(2, 3, dtype=torch.bool))
    assert counts.nonzero().flatten().tolist() == [0, 1, 2, 8, 14, 15]
    outside = torch.zeros(2, 3, dtype=torch.bool)
    assert rank_counts(samples, truth, outside).sum() == 0


def test_unequal_bins_are_refused(rng):
    one = torch.zeros(3, 3)
    with pytest.raises(ValueError, match="multiple of 16 less one, got 64"):
        rank_counts(torch.zeros(64, 3, 3), one, one == 0)


def test_each_map_is_ranked_among_all_the_others(rng):
    maps = torch.randn(9, 30, 31, generator=rng)
    area = torch.rand(30, 31, generator=rng) > 0.2
    counts = ranks_of_each(maps, area, rows=7)
    for i, one in enumerate(maps):
        others = torch.cat([maps[:i], maps[i + 1 :]])
        torch.testing.assert_close(counts[i], RunningRanks(one).update(others).counts(area))
    # Every rank is taken by one of the maps at each pixel: together they are flat.
    assert (counts.sum(0) == area.sum()).all()
    torch.testing.assert_close(counts, ranks_of_each(maps, area))


def test_the_truth_is_as_uneven_as_one_more_sample(rng):
    """Pixels that go together scatter far more than as many independent ones would."""
    area = torch.ones(32, 32, dtype=torch.bool)
    coarse = torch.randn(60, 32, 8, 8, generator=rng)
    unevenness = []
    for maps in coarse.repeat_interleave(4, -1).repeat_interleave(4, -2):
        counts = ranks_of_each(maps[1:], area)
        own = RunningRanks(maps[0]).update(maps[2:]).counts(area)
        unevenness.append(torch.stack([own.var(), counts.var(1).mean()]))
    truth, sample = torch.stack(unevenness).mean(0)
    assert truth == pytest.approx(sample.item(), rel=0.1)
    assert sample > 10 * 1024 / 31  # Poisson
