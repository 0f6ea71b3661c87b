import torch

from massgan_core.score import LevelUNet


def inputs(n=2, side=16):
    torch.manual_seed(1)
    return torch.randn(n, 2, side, side), torch.linspace(-3, 3, n), torch.zeros(n)


def test_zero_until_trained():
    net = LevelUNet(widths=(8, 12, 16))
    assert torch.equal(net(*inputs()), torch.zeros(2, 16, 16))
    assert net.multiple == 8


def test_default_size():
    assert 1e6 < sum(p.numel() for p in LevelUNet().parameters()) < 3e6


def test_noise_level_and_depth_matter(network):
    channels, level, depth = inputs()
    base = network(channels, level, depth)
    assert not torch.allclose(network(channels, level + 1, depth), base)
    assert not torch.allclose(network(channels, level, depth + 1), base)


def test_every_weight_learns(network):
    channels, level, depth = inputs()
    network.train()(channels, level, depth).square().sum().backward()
    assert [k for k, p in network.named_parameters() if p.grad.abs().max() == 0] == []


def test_images_do_not_see_each_other(network):
    channels, level, depth = inputs(3)
    alone = network(channels[1:2], level[1:2], depth[1:2])
    torch.testing.assert_close(network(channels, level, depth)[1:2], alone)
