from dataclasses import asdict

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from massgan_core.gan import load
from massgan_core.gan.checkpoint import save
from massgan_core.gan.config import read_config
from massgan_core.gan.networks import build, build_critic
from massgan_core.nn import Critic, UNet
from massgan_core.nn.published import PublishedCritic, PublishedUNet
from massgan_core.posterior import Sampler, stream
from massgan_core.sky import Draws

TINY = {
    "kind": "published",
    "widths": [4, 6, 8],
    "latent": 2,
    "bottleneck": 1,
    "critic_widths": [4, 6, 8],
}


def gflop(preset):
    """Of the encoder and of one sample's decoder, for a 300² field with its padding."""
    with torch.device("meta"):
        network = build(asdict(read_config(preset).network))
        side = 300 + -300 % network.multiple
        condition = torch.empty(1, 7, side, side)
        noise = [torch.empty(1, *s) for s in network.latent_shapes((side, side))]
        with FlopCounterMode(display=False) as encoder:
            shares = network.shares(network.features(condition))
        with FlopCounterMode(display=False) as decoder:
            network.paint(shares, noise)
    return encoder.get_total_flops() / 1e9, decoder.get_total_flops() / 1e9


def test_presets_choose_their_networks():
    for preset, (kind, critic_kind) in {
        "default": (UNet, Critic),
        "mmgan-paper": (PublishedUNet, PublishedCritic),
    }.items():
        network = asdict(read_config(preset).network)
        with torch.device("meta"):
            assert type(build(network)) is kind
            assert type(build_critic(network, 8, 300)) is critic_kind


def test_cards_older_than_the_choice_are_u_nets(card):
    assert "kind" not in card["network"] and type(build(card["network"])) is UNet


def test_unknown_kinds_list_the_known():
    for make in (build, lambda n: build_critic(n, 8, 64)):
        with pytest.raises(ValueError, match="`kind` must be unet or published, got 'resnet'"):
            make(TINY | {"kind": "resnet"})


def test_one_sample_of_the_default_costs_less_than_9_gflop():
    assert sum(gflop("default")) <= 9


def test_the_published_network_costs_what_was_published():
    """561 GFLOP a sample; four more bottleneck blocks and three more channels are here."""
    encoder, decoder = gflop("mmgan-paper")
    assert encoder == 0
    assert decoder == pytest.approx(561, rel=0.15)


@pytest.fixture
def published(tmp_path, card):
    """Path of a checkpoint of a tiny published network."""
    torch.manual_seed(0)
    path = tmp_path / "published.safetensors"
    save(path, build(TINY).state_dict(), card | {"network": TINY})
    return path


def test_published_networks_stream_like_any_sampler(published, small_field):
    sampler = load(published)
    assert isinstance(sampler, Sampler)
    runs = [list(stream(sampler, small_field, 4, b, seed=3))[-1] for b in (1, 2)]
    assert runs[0].samples.shape == (4, *small_field.grid.shape) and runs[0].std.min() > 0
    torch.testing.assert_close(runs[0].samples, runs[1].samples, rtol=1e-3, atol=1e-6)
    assert torch.equal(
        load(published).sample(small_field, 2, Draws(1)), sampler.sample(small_field, 2, Draws(1))
    )


def test_loading_changes_nothing_but_the_precision(published):
    torch.manual_seed(0)
    weights = build(TINY).state_dict()
    for key, value in load(published).network.state_dict().items():
        assert torch.equal(value, weights[key].half().float())


def test_the_trainer_takes_it(tmp_path, card, rng):
    """Both networks, the gradient penalty through InstanceNorm, and the averaged statistics."""
    pytest.importorskip("lightning_fabric")
    from massgan_core.gan.sampler import normalizer_of
    from massgan_core.gan.schedule import make_fabric
    from massgan_core.gan.trainer import Batch, Trainer
    from massgan_core.sky import Grid, ShearField, ShearOperator

    few = [
        "train.adversarial.steps=2",
        "train.adversarial.batch=3",
        "train.precision=fp32",
        "train.adversarial.ema=0",
    ]
    grid, kappa = Grid((20, 20), 1.0), 0.02 * torch.randn(3, 20, 20, generator=rng)
    sigma = torch.full((3, 20, 20), 0.1)
    field = ShearField(grid, ShearOperator(grid)(kappa), sigma, sigma > 0, kappa=kappa)
    torch.manual_seed(0)
    trainer = Trainer(
        build(TINY),
        build_critic(TINY, 8, 20),
        normalizer_of(card["normalization"]),
        lambda _: Batch(field, 0.02),
        lambda _: dict.fromkeys(("gain", "crps", "rmse"), 1.0),
        read_config("mmgan-paper", few),
        stage="adversarial",
        out=tmp_path,
        fabric=make_fabric("cpu", "fp32"),
    )
    trainer.run()
    for key, value in trainer.network.state_dict().items():
        torch.testing.assert_close(trainer.average[key], value)
    assert trainer.resume()
