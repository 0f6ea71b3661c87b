"""Blocks shared by the generator and the critic.

No layer looks further than its kernel (no batch, instance or group statistics), so that the
output at a pixel depends on its surroundings alone and a network runs on any field size.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.2  #: of LeakyReLU


def conv(inside: int, outside: int, *, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    """A convolution that keeps the size (or divides it by `stride`), He-initialised."""
    layer = nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE, nonlinearity="leaky_relu")
    nn.init.zeros_(layer.bias)
    return layer


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))); the last convolution starts small, hence stable depth."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = conv(width, width), conv(width, width)
        self.act = nn.LeakyReLU(SLOPE)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return x + self.second(self.act(self.first(self.act(x))))


class Down(nn.Module):
    """Halve the resolution by a strided convolution."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = conv(inside, outside, stride=2)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        return self.conv(x)


class Up(nn.Module):
    """Double the resolution, then mix with a skip and latents.

    Bilinear: copies of a pixel leave a lattice in the samples that training must undo.
    """

    def __init__(
        self, inside: int, skip: int, latent: int, outside: int, mode: str = "bilinear"
    ) -> None:
        super().__init__()
        self.mode = mode
        self.narrow = conv(inside, outside, kernel=1)
        self.mix = conv(outside + skip + latent, outside)

    def forward(
        self,
        x: Float[Tensor, "B C h w"],
        skip: Float[Tensor, "B S H W"],
        latent: Float[Tensor, "B L H W"],
    ) -> Float[Tensor, "B D H W"]:
        x = nn.functional.interpolate(self.narrow(x), scale_factor=2.0, mode=self.mode)
        return self.mix(torch.cat([x, skip, latent], dim=1))
