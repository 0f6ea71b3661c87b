import pytest
import torch

from massgan_core.nn import UNet
from massgan_core.nn.layers import Mix
from massgan_core.sky import generator


def net(**options):
    torch.manual_seed(0)
    return UNet(3, (8, 12, 16), latent=2, bottleneck=1, **options).eval()


def latents(network, shape, n, seed=0):
    return network.latents(shape, [generator(seed, i) for i in range(n)])


@pytest.mark.parametrize("shape", [(16, 16), (24, 40)])
def test_one_image_a_latent_of_any_size(shape):
    network, condition = net(), torch.randn(2, 3, *shape)
    assert network.multiple == 8
    out = network(condition, latents(network, shape, 6))
    assert out.shape == (6, 1, *shape)


def test_condition_may_be_encoded_once():
    network, condition = net(), torch.randn(1, 3, 16, 16)
    noise = latents(network, (16, 16), 4)
    whole = network(condition, noise)
    painted = network.paint(network.shares(network.features(condition)), noise)
    torch.testing.assert_close(whole, painted)


def test_samples_of_a_condition_stay_together():
    network, condition = net(), torch.randn(2, 3, 16, 16)
    noise = latents(network, (16, 16), 4)
    both = network(condition, noise)
    for k in range(2):
        own = [level[2 * k : 2 * k + 2] for level in noise]
        torch.testing.assert_close(both[2 * k : 2 * k + 2], network(condition[k : k + 1], own))


@torch.no_grad()
def test_latents_of_every_resolution_matter_and_none_reach_the_encoder():
    network, condition = net(), torch.randn(1, 3, 16, 16)
    noise = latents(network, (16, 16), 1)
    base = network(condition, noise)
    for level in range(3):
        changed = [x + (k == level) for k, x in enumerate(noise)]
        assert (network(condition, changed) - base).abs().max() > 1e-4


@torch.no_grad()
def test_no_layer_sees_the_whole_field():
    """Local layers only: a change far away changes nothing here."""
    network = net()
    condition, noise = torch.randn(1, 3, 256, 16), latents(network, (256, 16), 1)
    base, other = network(condition, noise), condition.clone()
    other[..., -8:, :] += 1
    change = (network(other, noise) - base).abs().amax((0, 1, 3))
    assert change[-8:].max() > 1e-4 and (change[:120] == 0).all()


@torch.no_grad()
def test_a_part_of_a_mixture_may_be_computed_apart():
    """Convolution of images side by side = share of one + what the others add."""
    mix = Mix((3, 4, 2), 5)
    torch.nn.init.normal_(mix.bias)
    images = [torch.randn(2, c, 6, 7) for c in mix.parts]
    whole = mix(torch.cat(images, dim=1))
    for index, image in enumerate(images):
        others = tuple(None if k == index else x for k, x in enumerate(images))
        torch.testing.assert_close(mix.rest(others, mix.of_part(index, image)), whole)


def test_latents_are_the_numbers_of_their_generators():
    network = net()
    fine, middle, coarse = latents(network, (16, 24), 3, seed=5)
    key = generator(5, 1)
    for level in (fine, middle, coarse):
        assert torch.equal(level[1], torch.randn(level.shape[1:], generator=key))
