import pytest
import torch

from massgan_core.evaluate.settling import settling

SIDE = 64


def test_independent_samples_settle_by_the_law_in_any_batches(rng):
    area = torch.rand(SIDE, SIDE, generator=rng) > 0.2
    samples = 3 + 0.5 * torch.randn(40, SIDE, SIDE, generator=rng)
    samples[:, ~area] = torch.inf  # what lies outside does not count
    found = settling(samples.split(7), area)
    assert found.n == [2, 4, 8, 16, 32, 40]
    assert found.change == pytest.approx(found.law, rel=0.05)
    assert found.law == pytest.approx([0.5 / n**0.5 for n in found.n], rel=0.02)
    assert settling([samples], area).change == pytest.approx(found.change, rel=1e-9)


def test_samples_that_remember_leave_the_law(rng):
    area = torch.ones(SIDE, SIDE, dtype=torch.bool)
    fresh = torch.randn(32, SIDE, SIDE, generator=rng)
    twice = settling([fresh[:16].repeat_interleave(2, 0)], area)
    assert twice.change[0] == 0 and twice.change[-1] > 1.3 * twice.law[-1]
    walk = settling([fresh.cumsum(0)], area)
    assert walk.change[-1] > 2 * walk.law[-1]


def test_one_sample_has_not_settled():
    with pytest.raises(ValueError, match="`batches` must hold at least 2 samples, got 1"):
        settling([torch.zeros(1, 4, 4)], torch.ones(4, 4, dtype=torch.bool))
