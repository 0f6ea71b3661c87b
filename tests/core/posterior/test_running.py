import torch

from massgan_core.posterior import RunningMoments


def test_merged_moments_are_batch_moments(rng):
    x = 1e3 + torch.randn(23, 5, 4, generator=rng, dtype=torch.float64)
    whole = RunningMoments().update(x)
    parts = RunningMoments()
    for part in x.split([1, 7, 15]):
        parts = parts.update(part)
    for moments in (
        whole,
        parts,
        RunningMoments().update(x[:9]).merge(RunningMoments().update(x[9:])),
    ):
        assert moments.n == 23
        torch.testing.assert_close(moments.mean, x.mean(0))
        torch.testing.assert_close(moments.var, x.var(0))


def test_float32_samples_far_from_zero_keep_their_variance(rng):
    x = 1e4 + torch.randn(400, 3, generator=rng)
    moments = RunningMoments()
    for part in x.split(8):
        moments = moments.update(part)
    torch.testing.assert_close(moments.var, x.double().var(0))


def test_one_sample_has_no_spread_and_none_changes_nothing(rng):
    one = RunningMoments().update(torch.randn(1, 4, generator=rng))
    assert torch.isnan(one.std).all()
    assert one.update(torch.empty(0, 4)) is one
    assert one.merge(RunningMoments()) is one
