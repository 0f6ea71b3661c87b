"""Smoothed samples: each smoothed once, and the same as smoothing them all."""

from dataclasses import replace

import pytest
import torch

from massgan_core.mapping import Wiener
from massgan_core.posterior import SmoothedSamples, stream
from massgan_core.posterior import smoothed as module
from massgan_core.sky import PowerSpectrum, smooth

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


@pytest.fixture
def summaries(small_field):
    return list(stream(Wiener(POWER), small_field, 7, 2, seed=3))


@pytest.mark.parametrize("smoothing", [0.0, 1.5])
def test_they_are_the_smoothed_samples(summaries, smoothing):
    last, area = summaries[-1], summaries[-1].field.footprint
    mask = area.expand_as(last.samples)
    parts = torch.cat(SmoothedSamples(smoothing).take(last))
    wanted = smooth(last.samples, last.field.grid, smoothing, mask=mask)
    assert torch.equal(parts, wanted if smoothing else last.samples)
    share = SmoothedSamples(smoothing).probability(last, 0.01)
    assert torch.equal(share, last.probability(0.01, smoothing))
    assert 0 < share.mean() < 1


def test_no_samples_have_no_chance(small_field):
    (bare,) = stream(Wiener(POWER), small_field, 2, 2, keep=0)
    for share in (bare.probability(0.01, 1.0), SmoothedSamples(1.0).probability(bare, 0.01)):
        assert torch.equal(share, torch.zeros(small_field.grid.shape))


def test_a_batch_is_smoothed_once(summaries, monkeypatch):
    counted = []
    monkeypatch.setattr(
        module, "smoothed", lambda image, *rest: counted.append(len(image)) or image
    )
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
    monkeypatch.setattr(module, "smoothed", None)  # nothing is left to smooth
    short = replace(last, batches=last.batches[2:], first=4)
    assert torch.equal(torch.cat(smoothed.take(short)), whole[4:])
    assert len(smoothed._known) == len(short.batches)


def test_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match="`smoothing` must be ≥ 0"):
        SmoothedSamples(-1.0)
