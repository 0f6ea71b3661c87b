"""The loss is the denoiser's squared error in units of the Gaussian one's."""

from math import inf

import numpy as np
import pytest
import torch

from massgan_core.score.loss import (
    Noised,
    band_mean,
    denoising_loss,
    error_power,
    make_ratio,
    noise_levels,
    noised,
)
from massgan_core.score.prior import Prior
from massgan_core.sky import Grid, gaussian_field

GRID = Grid((64, 64), 1.0)


class Zero(torch.nn.Module):
    multiple = 1

    def forward(self, channels, level, depth):
        return torch.zeros_like(channels[:, 0])


def test_gaussian_denoiser_has_loss_one_on_gaussian_skies(power, rng):
    prior = Prior(power, GRID, Zero())
    t = prior.scale * torch.logspace(-1.5, 1.5, 40)
    kappa = gaussian_field(power, GRID, rng, (40,))
    noisy, gauss = noised(prior, kappa, t, torch.randn(kappa.shape, generator=rng))
    loss = denoising_loss(prior, Noised(kappa, noisy, gauss, t, prior.error(t)))
    assert loss.shape == (40,)
    assert abs(loss.mean() - 1) < 0.05 and loss.std() < 0.3


def test_noise_levels_fill_the_range_evenly(rng):
    t = noise_levels(8, 0.02, 30.0, rng)
    place = torch.log(t / 0.02) / np.log(30 / 0.02) * 8
    assert sorted(place.floor().int().tolist()) == list(range(8))
    assert place.int().tolist() != list(range(8))


@pytest.mark.parametrize("level", [0.3, 3.0, inf])
def test_measured_error_of_a_gaussian_sky_is_the_expected(level, power, rng):
    prior, edges = Prior(power, GRID), np.geomspace(1000, 10000, 5)
    kappa = gaussian_field(power, GRID, rng, (60,))
    error, t = kappa, level * prior.scale
    if level < inf:
        at = torch.full((60,), t)
        error = kappa - noised(prior, kappa, at, torch.randn(kappa.shape, generator=rng))[1]
    got, want = error_power(error, GRID, edges), band_mean(power, t, GRID, edges)
    assert (got / want - 1).abs().max() < 0.15
    table = make_ratio(edges, [level], [got / want] * 2)
    assert table.level == (level, inf) and len(table.ell) == 4


def test_ratios_are_held_within_limits():
    table = make_ratio(np.array([1.0, 2.0, 4.0]), [], [torch.tensor([0.0, 99.0])])
    assert table.ratio == (pytest.approx((0.1, 10.0)),)
