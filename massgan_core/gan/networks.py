"""Generator and critic from the settings that a checkpoint keeps of them."""

from __future__ import annotations

from typing import Any

from massgan_core.gan.moments import Moments
from massgan_core.gan.normalize import CHANNELS
from massgan_core.gan.residual import NOISES
from massgan_core.nn import Critic, UNet
from massgan_core.nn.published import PublishedCritic, PublishedUNet

KINDS = ("unet", "published")

#: What a generator does before its latents enter; all of its weights where they enter first.
_ENCODERS = {"unet": ("enter", "encode", "down"), "published": ()}


def build(network: dict[str, Any]) -> UNet:
    """The generator that a card's ``network`` section describes.

    Raises:
        ValueError: Its kind is unknown.
    """
    options = {
        "widths": tuple(network["widths"]),
        "latent": network["latent"],
        "bottleneck": network["bottleneck"],
    }
    if kind_of(network) == "published":
        return PublishedUNet(CHANNELS, **options)
    # Cards of 0.1 do not say.
    upsample, noise = network.get("upsample", "nearest"), network.get("noise", "white")
    if noise not in NOISES:
        raise ValueError(f"`noise` must be {' or '.join(NOISES)}, got {noise!r}")
    if noise == "posterior" and network["latent"] < network["shuffle"] ** 2:
        raise ValueError(
            f"`latent` must be at least {network['shuffle'] ** 2} for noise='posterior', "
            f"got {network['latent']}: one channel for each of the {network['shuffle']}² pixels"
        )
    return UNet(CHANNELS, **options, shuffle=network["shuffle"], upsample=upsample, noise=noise)


def build_moments(network: dict[str, Any], variance: bool = True) -> Moments:
    """Such a generator as a network of the posterior mean, and a decoder of the variance.

    Args:
        network: Section ``network`` of a card or of the settings.
        variance: Whether there is one.

    Raises:
        ValueError: Its kind is unknown.
    """
    mean, second = build(network), None
    if variance:
        second = build(network)
        for part in _ENCODERS[kind_of(network)]:
            delattr(second, part)
    return Moments(mean, second)


def build_critic(network: dict[str, Any], channels: int, side: int) -> Critic:
    """The critic that belongs to such a generator.

    Args:
        network: Section ``network`` of a card or of the settings.
        channels: Channels of image and condition together.
        side: Of the square fields it will see [pixels].

    Raises:
        ValueError: Its kind is unknown, or the fields are too small for it.
    """
    widths = tuple(network["critic_widths"])
    if kind_of(network) == "published":
        return PublishedCritic(channels, widths, side=side)
    return Critic(channels, widths, shuffle=network["shuffle"])


def kind_of(network: dict[str, Any]) -> str:
    """One of `KINDS`; checkpoints older than the choice are of the first."""
    kind = network.get("kind", KINDS[0])
    if kind not in KINDS:
        raise ValueError(f"`kind` must be {' or '.join(KINDS)}, got {kind!r}")
    return kind
