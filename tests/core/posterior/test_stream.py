import pytest
import torch

from massgan_core.posterior import Sampler, endless, stream
from massgan_core.sky import Draws


class White:
    """Independent normal pixels: sample i from generator i."""

    name = "white"

    def __init__(self):
        self.asked = []

    def sample(self, field, n, generator=None):
        self.asked.append(n)
        return 3 + Draws.of(generator).normal(n, field.grid.shape)


def check_stream(sampler, field, n=11, batch=4):
    """Laws every sampler's stream obeys. Also used for the other samplers."""
    assert isinstance(sampler, Sampler)
    summaries = list(stream(sampler, field, n, batch, seed=5))
    assert [s.n for s in summaries] == [*range(batch, n, batch), n]
    last = summaries[-1]
    samples = last.samples
    assert samples.shape == (n, *field.grid.shape) and samples.dtype == torch.float32
    torch.testing.assert_close(last.mean, samples.mean(0), rtol=0, atol=1e-5)
    torch.testing.assert_close(last.std, samples.std(0), rtol=1e-4, atol=1e-5)
    level = samples[:, field.footprint].mean(1)
    torch.testing.assert_close(level, torch.zeros(n), rtol=0, atol=1e-5)
    again = list(stream(sampler, field, n, batch, seed=5))[-1]
    assert torch.equal(again.samples, samples)
    return samples


def test_laws(small_field):
    check_stream(White(), small_field)


def test_samples_do_not_depend_on_batch_or_n(small_field):
    def run(n, batch):
        return list(stream(White(), small_field, n, batch, seed=2))[-1].samples

    assert torch.equal(run(10, 4), run(10, 3))
    assert torch.equal(run(10, 4)[:7], run(7, 5))


def test_the_network_batch_never_changes(small_field):
    sampler = White()
    list(stream(sampler, small_field, 10, 4))
    assert sampler.asked == [4, 4, 4]


def test_a_snapshot_stays_what_it_was(small_field):
    first, *_, last = stream(White(), small_field, 12, 4, keep=6)
    assert first.n == 4 and last.n == 12
    assert len(first.samples) == 4 and len(last.samples) == 6
    torch.testing.assert_close(first.mean, first.samples.mean(0))


def test_nothing_is_drawn_before_it_is_asked_for(small_field):
    sampler = White()
    summaries = stream(sampler, small_field, 8, 4)
    assert sampler.asked == []
    next(summaries)
    assert sampler.asked == [4]


@pytest.mark.parametrize(("n", "batch", "word"), [(0, 4, "`n`"), (4, 0, "`batch`")])
def test_counts_must_be_positive_and_are_checked_at_once(small_field, n, batch, word):
    with pytest.raises(ValueError, match=f"{word} must be at least 1, got 0"):
        stream(White(), small_field, n, batch)


def test_probability_and_quantiles_come_from_the_samples(small_field):
    summary = list(stream(White(), small_field, 200, 50))[-1]
    low, high = summary.quantile((0.16, 0.84))
    assert abs((high - low).mean() - 2) < 0.1
    assert abs(summary.probability(0.0).mean() - 0.5) < 0.02
    smoothed = summary.probability(0.5, smoothing=2.0)
    assert smoothed.mean() < 0.2 < summary.probability(0.5).mean()


def test_summary_says_where_it_came_from(small_field):
    summary = next(stream(White(), small_field, 4, 2, seed=9))
    assert summary.provenance["seed"] == 9 and summary.provenance["batch"] == 2
    assert summary.provenance["sampler"] == "white"


def test_kept_samples_are_there_one_by_one(small_field):
    *_, last = stream(White(), small_field, 5, 2, keep=3)
    assert last.n == 5 and last.kept == 3
    for i, sample in enumerate(last.samples):
        assert torch.equal(last.sample(i), sample)
    for index in (-1, 3):
        with pytest.raises(IndexError, match=f"between 0 and 2, got {index}"):
            last.sample(index)


def test_the_last_samples_come_without_the_others(small_field):
    (*_, last) = stream(White(), small_field, 7, 3, keep=7)
    for n in (0, 1, 2, 4, 7, 9):
        assert torch.equal(last.last(n), last.samples[max(0, 7 - n) :])


def test_samples_without_end_may_begin_anywhere(small_field):
    (*_, whole) = stream(White(), small_field, 8, 2, seed=4)
    late = endless(White(), small_field, 2, seed=4, first=4)
    assert torch.equal(torch.cat([next(late), next(late)]), whole.samples[4:])
