"""The conditional GAN: conditioning, losses, training, checkpoints, sampling."""

from massgan_core.gan.checkpoint import checkpoints, load_card
from massgan_core.gan.sampler import GanSampler, load

Generator = GanSampler  # the noun of the public API

__all__ = ["GanSampler", "Generator", "checkpoints", "load", "load_card"]
