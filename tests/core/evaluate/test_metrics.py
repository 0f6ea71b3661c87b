import pytest
import torch

from massgan_core.evaluate import pearson, psnr, rmse, spread_skill
from massgan_core.posterior import RunningMoments

AREA = torch.rand(40, 40, generator=torch.Generator().manual_seed(1)) > 0.3


def test_perfect_and_opposite_maps(rng):
    truth = torch.randn(3, 40, 40, generator=rng)
    area = AREA.expand(3, -1, -1)
    torch.testing.assert_close(pearson(2 * truth + 1, truth, area), torch.ones(3).double())
    torch.testing.assert_close(pearson(-truth, truth, area), -torch.ones(3).double())
    assert rmse(truth + 5, truth, area).max() < 1e-6


def test_only_the_footprint_counts(rng):
    truth, noise = torch.randn(2, 40, 40, generator=rng)
    poisoned = torch.where(AREA, truth + noise, 1e6)
    for score in (pearson, rmse):
        torch.testing.assert_close(score(poisoned, truth, AREA), score(truth + noise, truth, AREA))


def test_published_psnr():
    assert psnr(0.0197) == pytest.approx(34.1, abs=0.05)


@pytest.mark.parametrize("n", [2, 8])
def test_true_samples_have_ratio_one_and_faults_are_seen(n, rng):
    ratios = []
    for factor in (1.0, 0.5, 1.5):
        mean = torch.randn(200, 40, 40, generator=rng)
        truth = mean + torch.randn(200, 40, 40, generator=rng)
        draws = mean + factor * torch.randn(n, 200, 40, 40, generator=rng)
        moments = RunningMoments().update(draws)
        area = torch.ones(200, 40, 40, dtype=torch.bool)
        ratio = spread_skill(moments.mean, moments.var, truth, area, n)
        ratios.append(ratio.item())
    assert ratios[0] == pytest.approx(1, abs=0.01)
    assert ratios[1] < 0.85 and ratios[2] > 1.1
