"""The critic: one number for an image and its condition."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.nn.layers import SLOPE, conv


class Critic(nn.Module):
    """Convolutions and average pooling to one score a map; no normalisation, any field size.

    (A gradient penalty is a penalty per map: statistics over the batch would void it.)

    Args:
        channels: Channels of image and condition together.
        widths: Channels after each halving of the resolution.
        shuffle: Side of the pixel blocks that become channels at the input.

    Attributes:
        of_linear_pieces: Whether second derivatives by the image vanish wherever they exist.
    """

    of_linear_pieces = True

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...] = (32, 48, 64, 96, 128, 128),
        *,
        shuffle: int = 2,
    ) -> None:
        super().__init__()
        self.shuffle = shuffle
        self.enter = conv(channels * shuffle**2, widths[0])
        pairs = zip(widths, widths[1:], strict=False)
        self.layers = nn.ModuleList(conv(a, b) for a, b in pairs)
        self.act = nn.LeakyReLU(SLOPE)
        self.leave = nn.Linear(widths[-1], 1)

    def forward(
        self, image: Float[Tensor, "B 1 H W"], condition: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """The score of each `image` beside its `condition` (C channels), unbounded."""
        x = torch.cat([image, condition], dim=1)
        x = self.act(self.enter(nn.functional.pixel_unshuffle(x, self.shuffle)))
        for layer in self.layers:
            x = nn.functional.avg_pool2d(self.act(layer(x)), 2)
        return self.leave(x.mean((-2, -1))).squeeze(-1)
