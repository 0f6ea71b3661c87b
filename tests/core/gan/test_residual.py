import pytest
import torch

from massgan_core.gan.networks import build
from massgan_core.gan.normalize import CHANNELS, FILTERED, Normalizer
from massgan_core.gan.residual import started
from massgan_core.mapping import Wiener
from massgan_core.nn import UNet
from massgan_core.sky import (
    Draws,
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    shape_noise,
)

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
NORMALIZER = Normalizer(POWER, 1.0)


def network(noise="posterior", shuffle=2, latent=4):
    return UNet(CHANNELS, (4, 4, 4), latent=latent, shuffle=shuffle, noise=noise)


def uniform(rng, side=64, sigma=0.1):
    grid = Grid((side, side), 1.0)
    kappa = gaussian_field(POWER, grid, rng)
    noise = torch.full((side, side), sigma)
    gamma = ShearOperator(grid)(kappa) + shape_noise(noise, rng)
    return ShearField(grid, gamma, noise, torch.ones(side, side).bool(), kappa)


def residuals(field, net, n):
    """Latents and residuals of `n` samples."""
    condition = NORMALIZER.condition(field, net.multiple)
    latents = net.latents(tuple(condition.shape[-2:]), Draws.of(5).take(n))
    return condition, *started(net, NORMALIZER.deviation(condition, 1.0), latents)


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_under_even_noise_start_and_residual_are_samples_of_the_exact_posterior(rng, sigma):
    field = uniform(rng, sigma=sigma)
    condition, _, residual = residuals(field, network(), 300)
    samples = (condition[:, FILTERED : FILTERED + 1] + residual)[:, 0] * NORMALIZER.fiducial
    exact = Wiener(POWER, padded=False, tolerance=1e-6).sample(field, 300, 0)
    power, wanted = (
        torch.fft.rfft2(s - s.mean(0)).abs().square().mean(0) for s in (samples, exact)
    )
    ratio = power[1:24, 1:24] / wanted[1:24, 1:24]
    assert ratio.mean() == pytest.approx(1, abs=0.02) and ratio.std() < 0.15
    rows, columns = ratio.mean(0), ratio.mean(1)  # no direction is preferred
    assert (rows - 1).abs().max() < 0.12 and (columns - 1).abs().max() < 0.12


def test_every_level_sees_the_residual_at_about_unit_strength(rng):
    _, latents, residual = residuals(uniform(rng), network(), 8)
    mosaic = torch.nn.functional.pixel_shuffle(latents[0], 2)
    torch.testing.assert_close(mosaic, residual)
    for level, latent in enumerate(latents[1:], start=2):
        blocks = torch.nn.functional.avg_pool2d(residual, 2**level)
        assert torch.corrcoef(torch.stack([latent[:, 0].flatten(), blocks.flatten()]))[0, 1] > 0.99
        assert 0.4 < latent[:, 0].std() < 2.5
        assert latent[:, 1:].std() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("shuffle", [1, 2])
def test_shapes_of_all_levels_stay(rng, shuffle):
    net = network(shuffle=shuffle, latent=5)
    _, latents, residual = residuals(uniform(rng, 40), net, 3)
    side = 40 + -40 % net.multiple
    assert [x.shape[1:] for x in latents] == net.latent_shapes((side, side))
    assert residual.shape == (3, 1, side, side)


def test_white_noise_stays_as_it_is(rng):
    net = network("white")
    condition, latents, residual = residuals(uniform(rng), net, 2)
    plain = net.latents(tuple(condition.shape[-2:]), Draws.of(5).take(2))
    assert (residual == 0).all() and all(map(torch.equal, latents, plain))


def test_latents_of_zero_start_from_no_residual(rng):
    net = network()
    condition = NORMALIZER.condition(uniform(rng), net.multiple)
    zeros = [torch.zeros(1, *s) for s in net.latent_shapes(tuple(condition.shape[-2:]))]
    _, residual = started(net, NORMALIZER.deviation(condition, 1.0), zeros)
    assert (residual == 0).all()


def test_deeper_fields_leave_less_to_chance(rng):
    spreads = [residuals(uniform(rng, sigma=s), network(), 4)[2].std() for s in (0.01, 0.1, 1.0)]
    assert spreads[0] < spreads[1] < spreads[2] < 1.05


@pytest.mark.parametrize(
    ("changes", "word"), [({"noise": "pink"}, "noise"), ({"latent": 3}, "latent")]
)
def test_a_network_that_cannot_be_is_refused(changes, word):
    section = {"widths": [4, 4], "latent": 4, "bottleneck": 1, "shuffle": 2, "noise": "posterior"}
    with pytest.raises(ValueError, match=f"`{word}` must be"):
        build({**section, **changes})
