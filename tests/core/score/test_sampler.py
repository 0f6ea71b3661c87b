"""Without a network the posterior is Gaussian and known; the sampler is held to that."""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch

from massgan_core.mapping import Wiener
from massgan_core.posterior import Sampler, stream
from massgan_core.score import LevelUNet, ScoreSampler
from massgan_core.score.prior import ErrorRatio
from massgan_core.sky import (
    Draws,
    Grid,
    PowerSpectrum,
    ShearField,
    Sources,
    Stopped,
    band_power,
    remove_mean,
)

N = 400


@pytest.fixture(scope="module")
def annealed(power, masked_field):
    """Samples by annealing without a network; levels so close that each leaves its trace."""
    sampler = ScoreSampler(power, steps=5, noise=(0.3, 3.0))
    return list(stream(sampler, masked_field, N, 50, seed=2, keep=N))[-1].samples


@pytest.fixture(scope="module")
def exact(power, masked_field):
    """As many of the exact Gaussian sampler."""
    return list(stream(Wiener(power), masked_field, N, 50, seed=1, keep=N))[-1].samples


def test_mean_is_the_wiener_map(annealed, exact, power, masked_field):
    area = masked_field.footprint
    truth = remove_mean(Wiener(power).map(masked_field), area)
    error = ((annealed.mean(0) - truth) / exact.std(0))[area]
    assert (error**2).mean().sqrt() <= 1.3 / N**0.5


def test_spread_is_that_of_the_exact_sampler(annealed, exact, masked_field):
    area = masked_field.footprint
    ratio = annealed.std(0)[area].mean() / exact.std(0)[area].mean()
    assert abs(ratio - 1) <= 0.03


def test_band_power_is_that_of_the_exact_sampler(annealed, exact, masked_field):
    edges = np.geomspace(500, 10000, 8)
    ours, theirs = (band_power(s, masked_field.grid, edges)[1].mean(0) for s in (annealed, exact))
    assert len(ours) == 7
    assert (ours / theirs - 1).abs().max() <= 0.05


def test_an_untrained_network_changes_nothing(power, masked_field):
    network = LevelUNet(widths=(8, 12), bottleneck=1)
    runs = [
        ScoreSampler(power, net, steps=3, fiducial=0.01).sample(masked_field, 2, 5)
        for net in (None, network)
    ]
    assert torch.equal(*runs)


def test_a_network_changes_the_samples_and_sees_the_depth(power, masked_field, network):
    plain, near, far = (
        ScoreSampler(power, net, steps=3, fiducial=f).sample(masked_field, 1, 5)
        for net, f in ((None, None), (network, 0.02), (network, 0.2))
    )
    assert (near - plain).std() > 1e-3 * plain.std()
    assert not torch.equal(near, far)


def test_sample_i_depends_on_seed_and_i_alone(power, masked_field, network):
    sampler, draws = ScoreSampler(power, network, steps=4, fiducial=0.02), Draws(9)
    together = sampler.sample(masked_field, 4, 9)
    alone = torch.cat([sampler.sample(masked_field, 1, draws) for _ in range(4)])
    assert ((together - alone) ** 2).mean().sqrt() <= 1e-3 * together.std()
    assert torch.equal(together, sampler.sample(masked_field, 4, 9))
    assert not torch.allclose(together[0], together[1])


def test_shear_outside_the_mask_changes_nothing(power, masked_field, network):
    gamma = torch.where(masked_field.mask, masked_field.gamma, 1e6 + 0j)
    poisoned = replace(masked_field, gamma=gamma)
    sampler = ScoreSampler(power, network, steps=2, fiducial=0.02)
    assert torch.equal(sampler.sample(poisoned, 1, 1), sampler.sample(masked_field, 1, 1))


@pytest.mark.parametrize("shape", [(24, 33), (5, 70)])
def test_any_shape(shape, power, network):
    gamma = torch.zeros(shape, dtype=torch.complex64)
    field = ShearField(Grid(shape, 1.0), gamma, torch.ones(shape), torch.ones(shape) > 0)
    samples = ScoreSampler(power, network, steps=2, fiducial=0.02).sample(field, 2, 0)
    assert samples.shape == (2, *shape) and torch.isfinite(samples).all()


class TwoPoint(torch.nn.Module):
    """Exact denoiser of a sky whose pixels are independent and near −a or a, std 1."""

    multiple, a = 1, 0.95

    def forward(self, channels, level, depth):
        t2 = torch.exp(2 * level)[:, None, None]
        gauss, rest = channels.unbind(1)
        noisy, width = gauss + rest * t2.sqrt(), 1 - self.a**2
        sign = torch.tanh(self.a * noisy / (width + t2))
        mean = (width * noisy + t2 * self.a * sign) / (width + t2)
        return (mean - gauss) / torch.sqrt(t2 / (1 + t2))


def blind(side):
    """A field that tells nothing."""
    gamma = torch.zeros((side, side), dtype=torch.complex64)
    mask = torch.ones((side, side), dtype=torch.bool)
    return ShearField(Grid((side, side), 1.0), gamma, torch.full((side, side), 1e4), mask)


def test_a_prior_far_from_gaussian_is_sampled_and_more_steps_are_closer():
    """Without data; of a Gaussian a fifth of all pixels would have |κ| < 1/4."""
    field = blind(48)
    flat = field.grid.pixel_area
    power = PowerSpectrum([1.0, 1e6], [flat, flat])
    gaps, stds = [], []
    for steps in (8, 80):
        samples = ScoreSampler(power, TwoPoint(), steps=steps).sample(field, 6, 1)
        gaps.append((samples.abs() < 0.25).float().mean())
        stds.append(samples.std())
    width = (1 - TwoPoint.a**2) ** 0.5
    low, high = ((x - TwoPoint.a) / width for x in (-0.25, 0.25))
    normal = torch.distributions.Normal(0.0, 1.0)
    truth = normal.cdf(torch.tensor(high)) - normal.cdf(torch.tensor(low))
    assert abs(gaps[1] - truth) < 0.005 < abs(gaps[0] - truth), (gaps, truth)
    assert abs(stds[1] - 1) < 0.02, stds


def test_a_measured_error_changes_the_spread(power):
    """At t = ∞ the error is the sky itself: its power is what the ratio says."""
    ratio = ErrorRatio((10.0, 1e5), (1.0, float("inf")), ((1.0, 1.0), (4.0, 4.0)))
    ours, plain = (
        ScoreSampler(power, steps=0, ratio=r).sample(blind(32), 8, 3) for r in (ratio, None)
    )
    torch.testing.assert_close(ours, 2 * plain, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", [Event, list])
def test_stop_between_noise_levels(kind, power, masked_field):
    """The same draws then go on with the very samples that were given up."""
    asked, event = [], Event()

    def third():
        asked.append(1)
        if len(asked) == 3:
            event.set()
        return event.is_set()

    draws = Draws(4)
    sampler = ScoreSampler(power, steps=5, stop=event if kind is Event else third)
    if kind is Event:
        event.set()
    with pytest.raises(Stopped, match="stopped on its way"):
        sampler.sample(masked_field, 2, draws)
    assert len(asked) == (0 if kind is Event else 3)
    again = sampler.sample(masked_field, 1, draws, stop=lambda: False)
    assert torch.equal(again, ScoreSampler(power, steps=5).sample(masked_field, 1, 4))


def test_streams_like_any_sampler(power, masked_field, network):
    sampler = ScoreSampler(power, network, steps=2, fiducial=0.02, card={"name": "x"})
    assert isinstance(sampler, Sampler)
    last = list(stream(sampler, masked_field, 3, 2))[-1]
    assert last.n == 3 and last.provenance["sampler"] == "score"
    assert {"steps": 2, "checkpoint": "x"}.items() <= last.provenance.items()


def test_domain_says_what_is_outside(power, masked_field, network, card):
    sampler = ScoreSampler(power, network, card=card)
    assert sampler.in_domain(masked_field) == []
    shallow = replace(masked_field, sources=Sources.plane(0.2))
    assert "mean redshift" in sampler.in_domain(shallow)[0]
    wide = replace(masked_field, grid=Grid((64, 64), 2.0))
    assert "pixel scale" in sampler.in_domain(wide)[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": -1}, "`steps` must be a whole number ≥ 0, got -1"),
        ({"noise": (1.0, 0.1)}, "`noise` must be two increasing levels"),
    ],
)
def test_bad_settings(options, sentence, power):
    with pytest.raises(ValueError, match=sentence):
        ScoreSampler(power, **options)


def test_batched_fields_are_refused(power, masked_field):
    names = ("gamma", "sigma", "mask", "kappa")
    stacked = replace(masked_field, **{k: getattr(masked_field, k)[None] for k in names})
    with pytest.raises(ValueError, match="one field without batch axes, got shape"):
        ScoreSampler(power).sample(stacked, 1)
