"""The ground: networks, layers and the files that keep them. No physics."""

from massgan_core.nn.critic import Critic
from massgan_core.nn.unet import UNet

__all__ = ["Critic", "UNet"]
