import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from massgan_core.nn.published import PublishedCritic, PublishedUNet
from massgan_core.sky import generator


def net(widths=(4, 6, 8), **options):
    torch.manual_seed(0)
    return PublishedUNet(3, widths, **{"latent": 2, "bottleneck": 2} | options)


def latents(network, shape, n, seed=0):
    return network.latents(shape, [generator(seed, i) for i in range(n)])


@pytest.mark.parametrize("shape", [(16, 16), (24, 40)])
def test_one_image_a_latent_of_any_size(shape):
    network, condition = net().eval(), torch.randn(2, 3, *shape)
    assert network.multiple == 8
    assert network(condition, latents(network, shape, 6)).shape == (6, 1, *shape)


def test_samples_share_the_condition_and_keep_to_their_own():
    network, condition = net().eval(), torch.randn(2, 3, 16, 16)
    noise = latents(network, (16, 16), 4)
    both = network(condition, noise)
    for k in range(2):
        own = [noise[0][2 * k : 2 * k + 2]]
        alone = network.paint(network.shares(network.features(condition[k : k + 1])), own)
        torch.testing.assert_close(both[2 * k : 2 * k + 2], alone)
    assert (both[0] - both[1]).abs().max() > 1e-4


def dead(module, loss):
    """Names of the parameters that a loss leaves where they are, but for rounding."""
    loss.backward()
    sizes = {k: 0.0 if p.grad is None else p.grad.norm() for k, p in module.named_parameters()}
    return [k for k, size in sizes.items() if not size > 1e-4 * max(sizes.values())]


def test_every_weight_of_the_generator_is_alive():
    network, condition = net(), torch.randn(2, 3, 16, 16)
    output = network(condition, latents(network, (16, 16), 4))
    assert dead(network, (output - torch.randn_like(output)).square().mean()) == []


def test_every_weight_of_the_critic_is_alive():
    torch.manual_seed(0)
    critic = PublishedCritic(4, (4, 6, 8), side=20)
    scores = critic(torch.randn(3, 1, 20, 20), torch.randn(3, 3, 20, 20))
    assert scores.shape == (3,)
    assert dead(critic, (scores - 1).square().mean()) == []


def test_state_is_floats_alone_so_it_may_be_averaged():
    assert all(v.is_floating_point() for v in net().state_dict().values())


def test_normalisation_is_that_of_torch(rng):
    from massgan_core.nn.published import BatchNorm

    ours, theirs = BatchNorm(5), torch.nn.BatchNorm2d(5)
    for _ in range(3):
        x = 2 + torch.randn(4, 5, 6, 6, generator=rng)
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_a_score_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    critic = PublishedCritic(4, (4, 6, 8), side=20)
    image, condition = torch.randn(3, 1, 20, 20), torch.randn(3, 3, 20, 20)
    scores = critic(image, condition)
    torch.testing.assert_close(critic(image[:1], condition[:1]), scores[:1])


def test_critic_is_for_fields_of_one_size():
    with pytest.raises(ValueError, match="`side` must be at least 8"):
        PublishedCritic(4, (4, 6, 8), side=7)
    critic = PublishedCritic(4, (4, 6, 8), side=20)
    with pytest.raises(ValueError, match="`image` must have about 20² pixels, got shape"):
        critic(torch.zeros(1, 1, 32, 32), torch.zeros(1, 3, 32, 32))


def test_size_is_as_published():
    """86.7 M weights and 561 GFLOP a sample; critic 6.3 M. That is one block, not five."""
    with torch.device("meta"):
        network = PublishedUNet(4, bottleneck=1)
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 4, 304, 304), [torch.empty(1, 2, 304, 304)])
        critic = PublishedCritic(5, side=300)
    count = {m: sum(p.numel() for p in m.parameters()) for m in (network, critic)}
    assert count[network] == pytest.approx(86.7e6, rel=0.02)
    assert counter.get_total_flops() == pytest.approx(561e9, rel=0.03)
    assert count[critic] == pytest.approx(6.3e6, rel=0.01)
