"""Smoothed samples: each smoothed once, and the same as smoothing them all."""

from dataclasses import replace

import pytest
import torch

from massgan_core.mapping import Wiener
from massgan_core.posterior import RunningMoments, SmoothedSamples, Summary, stream
from massgan_core.posterior import smoothed as module
from massgan_core.sky import PowerSpectrum, smooth

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


@pytest.fixture
def summaries(small_field):
    return list(stream(Wiener(POWER), small_field, 7, 2, seed=3))


@pytest.fixture
def long(small_field, rng):
    """A stream of 90 samples in batches of 4, as summaries: three blocks of moments."""
    noise = [torch.randn(4, *small_field.grid.shape, generator=rng) for _ in range(23)]
    noise[-1] = noise[-1][:2]
    moments, summaries = RunningMoments(), []
    for number, batch in enumerate(noise):
        moments = moments.update(batch)
        summaries.append(Summary(small_field, moments, tuple(noise[: number + 1])))
    return summaries


def stacked(summary, smoothing):
    """The samples kept, each smoothed by the ground's own `smooth`."""
    mask = summary.field.footprint.expand_as(summary.samples)
    return smooth(summary.samples, summary.field.grid, smoothing, mask=mask)


def check_same(one, other):
    """Bit for bit; NaN is NaN."""
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def check_spread(spread, summary, samples):
    """`spread` is that of `samples`, which are smoothed."""
    area = summary.field.footprint
    assert spread.n == len(samples)
    torch.testing.assert_close(spread.std[area], samples.std(0)[area])
    assert spread.std[~area].isnan().all() and spread.snr[~area].isnan().all()


@pytest.mark.parametrize("smoothing", [0.0, 1.5])
def test_they_are_the_smoothed_samples(summaries, smoothing):
    last, area = summaries[-1], summaries[-1].field.footprint
    mask = area.expand_as(last.samples)
    parts = torch.cat(SmoothedSamples(smoothing).take(last))
    wanted = smooth(last.samples, last.field.grid, smoothing, mask=mask)
    torch.testing.assert_close(parts, wanted if smoothing else last.samples)
    share = SmoothedSamples(smoothing).probability(last, 0.01)
    assert torch.equal(share, last.probability(0.01, smoothing))
    assert 0 < share.mean() < 1


def test_no_samples_have_no_chance(small_field):
    (bare,) = stream(Wiener(POWER), small_field, 2, 2, keep=0)
    for share in (bare.probability(0.01, 1.0), SmoothedSamples(1.0).probability(bare, 0.01)):
        assert torch.equal(share, torch.zeros(small_field.grid.shape))


def test_a_batch_is_smoothed_once(summaries, monkeypatch):
    counted = []
    monkeypatch.setattr(module, "smoother", lambda *_: lambda b: counted.append(len(b)) or b)
    smoothed = SmoothedSamples(1.0)
    for summary in (*summaries, summaries[-1]):
        smoothed.probability(summary, 0.0)
        smoothed.probability(summary, 0.1)
    assert counted == [2, 2, 2, 1]


def test_another_stream_starts_anew(summaries, small_field):
    smoothed, (*_, other) = SmoothedSamples(1.0), stream(Wiener(POWER), small_field, 5, 2, seed=4)
    smoothed.take(summaries[-1])
    for summary in (other, summaries[0]):
        fresh = SmoothedSamples(1.0).take(summary)
        assert torch.equal(torch.cat(smoothed.take(summary)), torch.cat(fresh))


def test_what_went_is_forgotten_and_nothing_smoothed_twice(summaries, monkeypatch):
    smoothed, last = SmoothedSamples(1.0), summaries[-1]
    whole = torch.cat(smoothed.take(last))
    monkeypatch.setattr(smoothed, "_smoother", lambda _: None)  # nothing is left to smooth
    short = replace(last, batches=last.batches[2:], first=4)
    assert torch.equal(torch.cat(smoothed.take(short)), whole[4:])
    assert len(smoothed._known) == len(short.batches)


def test_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match="`smoothing` must be ≥ 0"):
        SmoothedSamples(-1.0)


@pytest.mark.parametrize("smoothing", [0.5, 2.0])
def test_mean_std_and_snr_are_those_of_the_smoothed_samples(long, smoothing):
    last, area = long[-1], long[-1].field.footprint
    samples, soft = stacked(last, smoothing), SmoothedSamples(smoothing)
    mean, std = samples.mean(0), samples.std(0)
    torch.testing.assert_close(soft.mean(last)[area], mean[area], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(soft.std(last)[area], std[area])
    torch.testing.assert_close(soft.snr(last)[area], (mean / std)[area], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(soft.sample(last, 41)[area], samples[41][area])
    truth = smooth(last.field.truth, last.field.grid, smoothing, mask=area)
    residual = soft.residual(last)[area]
    torch.testing.assert_close(residual, (mean - truth)[area], atol=1e-6, rtol=1e-5)
    for image in (soft.mean(last), soft.std(last), soft.snr(last), soft.sample(last, 0)):
        assert image[~area].isnan().all() and image.dtype == torch.float32


def test_the_std_is_not_smoothed(long):
    """White samples: smoothing takes most of the spread away, and none from a map of it."""
    last, area = long[-1], long[-1].field.footprint
    wrong = smooth(last.std, last.field.grid, 2.0, mask=area)
    right = SmoothedSamples(2.0).std(last)
    assert right[area].max() < 0.5 * wrong[area].min()


def test_without_smoothing_they_are_the_summarys_own(long):
    # Its moments have seen more samples than it keeps.
    last = replace(long[-1], batches=long[-1].batches[5:], first=20)
    soft = SmoothedSamples(0.0)
    assert list(soft.steps(last)) == [soft.spread(last).n] == [90]
    for name in ("mean", "std", "snr", "residual"):
        assert torch.equal(getattr(soft, name)(last), getattr(last, name))
    assert torch.equal(soft.sample(last, 3), last.sample(3))


def test_a_step_is_an_estimate_from_some_of_the_samples(long):
    last, soft = long[-1], SmoothedSamples(1.0)
    samples, seen = stacked(last, 1.0), []
    for n in soft.steps(last):
        spread = soft.spread(last)
        check_spread(spread, last, samples[-n:])  # the newest of them
        seen.append(n)
    assert seen == [26, 58, 90]


def test_who_stops_on_the_way_loses_nothing(long, monkeypatch):
    last, soft, counted = long[-1], SmoothedSamples(1.0), []
    smoother = module.smoother

    def counting(*given):
        made = smoother(*given)

        def smooth(images):
            counted.append(len(images) if images.ndim == 3 else 0)  # the mean is one map
            return made(images)

        return smooth

    monkeypatch.setattr(module, "smoother", counting)
    next(soft.steps(last))
    assert sum(counted) == 26
    check_spread(soft.spread(last), last, stacked(last, 1.0)[-26:])
    whole = SmoothedSamples(1.0).std(last)
    counted.clear()
    check_same(soft.std(last), whole)
    assert sum(counted) == 64
    check_same(soft.std(last), whole)
    assert sum(counted) == 64


def test_a_failure_on_the_way_leaves_what_was_there(long, monkeypatch):
    last, soft = long[-1], SmoothedSamples(1.0)
    next(soft.steps(last))
    before = soft.spread(last)
    monkeypatch.setattr(soft, "_smoother", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        soft.std(last)
    monkeypatch.undo()
    after = soft.spread(last)
    assert after.n == before.n == 26
    check_same(after.std, before.std)


def test_a_growing_stream_gives_bit_for_bit_what_its_end_gives(long):
    """Whatever was looked at on the way, and however far."""
    growing = SmoothedSamples(1.0)
    for summary in long:
        spread = growing._full(summary)
        assert spread.n == summary.n
    late = SmoothedSamples(1.0)
    next(late.steps(long[-3]))
    for soft in (growing, late):
        check_same(soft.std(long[-1]), SmoothedSamples(1.0).std(long[-1]))


def test_moments_forget_the_samples_that_went(long):
    last, soft = long[-1], SmoothedSamples(1.0)
    soft.std(last)
    for gone in (1, 8, 20):
        short = replace(last, batches=last.batches[gone:], first=4 * gone)
        check_spread(soft._full(short), short, stacked(short, 1.0))
        # The mean is still that of all.
        check_same(soft.mean(short), soft.mean(last))
    spread = soft._full(replace(last, batches=(), first=90))
    assert spread.n == 0 and spread.std.shape == last.field.grid.shape
    assert spread.std.isnan().all()


def test_another_stream_has_moments_of_its_own(long, summaries):
    soft = SmoothedSamples(1.0)
    soft.std(long[-1])
    other = replace(summaries[-1], field=replace(summaries[-1].field))
    assert soft.spread(other).n == 0
    check_spread(soft._full(other), other, stacked(other, 1.0))


def test_one_sample_has_no_spread(summaries):
    one = replace(summaries[0], batches=(summaries[0].batches[0][:1],))
    assert SmoothedSamples(1.0).std(one).isnan().all()
