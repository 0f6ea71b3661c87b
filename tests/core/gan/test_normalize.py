from dataclasses import replace

import pytest
import torch

from massgan_core.gan.normalize import CHANNELS, FILTERED, ITERATIONS, Normalizer
from massgan_core.mapping import KaiserSquires, Wiener
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    shape_noise,
)

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
NORMALIZER = Normalizer(POWER, 1.0, (0.5, 1.5), (0.005, 0.02))


def uniform(rng, side=64, sigma=0.1):
    grid = Grid((side, side), 1.0)
    kappa = gaussian_field(POWER, grid, rng)
    noise = torch.full((side, side), sigma)
    gamma = ShearOperator(grid)(kappa) + shape_noise(noise, rng)
    return ShearField(grid, gamma, noise, torch.ones(side, side).bool(), kappa)


@pytest.mark.parametrize("iterations", [0, ITERATIONS])
def test_one_field_and_a_batch_give_the_same_input(small_field, iterations):
    normalizer = replace(NORMALIZER, iterations=iterations)
    one = normalizer.condition(small_field, 8)
    assert one.shape == (1, CHANNELS, 24, 40)
    arrays = {k: getattr(small_field, k).expand(3, -1, -1) for k in ("gamma", "sigma", "mask")}
    batch = ShearField(small_field.grid, **arrays)
    torch.testing.assert_close(normalizer.condition(batch, 8), one.expand(3, -1, -1, -1))


@pytest.mark.parametrize("holes", [False, True])
def test_the_filtered_channel_is_the_wiener_filter(small_field, rng, holes):
    field = small_field if holes else uniform(rng)
    settled = replace(NORMALIZER, iterations=60)
    channel = settled.condition(field)[0, FILTERED] * NORMALIZER.fiducial
    wiener = Wiener(POWER, tolerance=1e-6).map(field)
    torch.testing.assert_close(channel, wiener, rtol=0, atol=1e-3 * wiener.std().item())


def test_a_few_iterations_will_do(small_field):
    wiener = Wiener(POWER, tolerance=1e-6).map(small_field)
    rests = []
    for iterations in (0, 1, ITERATIONS):
        few = replace(NORMALIZER, iterations=iterations).condition(small_field)
        rests.append((few[0, FILTERED] * NORMALIZER.fiducial - wiener).std() / wiener.std())
    assert rests[0] > rests[1] > 5 * rests[2] and rests[2] < 0.05, rests


def test_the_prior_of_the_filter_follows_the_redshift(small_field):
    """For twice the σ_κ, shear and noise, the same picture."""
    normalizer = replace(NORMALIZER, iterations=ITERATIONS)
    one = normalizer.condition(small_field, scale=0.01)
    twice = replace(small_field, gamma=2 * small_field.gamma, sigma=2 * small_field.sigma)
    torch.testing.assert_close(normalizer.condition(twice, scale=0.02), one)


def test_on_a_uniform_periodic_field_the_first_guess_is_the_filter(rng):
    field = uniform(rng, 65)  # odd: no Nyquist line, where γ2 has no sign
    channel = NORMALIZER.condition(field)[0, FILTERED] * NORMALIZER.fiducial
    wiener = Wiener(POWER, padded=False, tolerance=1e-6).map(field)
    torch.testing.assert_close(channel, wiener, rtol=0, atol=0.01 * wiener.std().item())


def test_the_smoothed_channels_are_kaiser_squires(rng):
    field = uniform(rng)
    channel = NORMALIZER.condition(field)[0, 5, 20:44, 20:44] * NORMALIZER.fiducial
    ks = KaiserSquires(3.0).map(field)[20:44, 20:44]
    both = torch.stack([channel.flatten(), ks.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95  # the padding differs, the map does not


def test_unobserved_pixels_say_nothing(small_field):
    channels = NORMALIZER.condition(small_field)[0, :4]
    assert (channels[:, ~small_field.mask] == 0).all()
    assert (channels[2:, small_field.mask] > 0).all()


def test_padding_is_unobserved(small_field):
    channels = NORMALIZER.condition(small_field, 16)[0, :4]
    assert (channels[:, 24:] == 0).all() and (channels[:, :, 33:] == 0).all()


def test_input_depends_on_ratios_alone(small_field):
    one = NORMALIZER.condition(small_field, scale=0.01)
    scaled = replace(small_field, gamma=3 * small_field.gamma, sigma=3 * small_field.sigma)
    torch.testing.assert_close(NORMALIZER.condition(scaled, scale=0.03), one)
