"""A small U-Net that knows the noise level: what the Gaussian denoiser misses.

It works on a pixel-unshuffled field, in units of σ_κ. The noise level and σ_κ itself (how deep
the sources are, hence how skewed the sky) scale and shift the features of every block.
"""

from __future__ import annotations

from math import pi

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.nn.layers import SLOPE, Down, Residual, Up, conv

FREQUENCIES = 4  #: of the logarithm of the noise level, in the embedding
_SPAN = 12.0  # width in ln t of the slowest wave: no two noise levels look the same


class Modulated(Residual):
    """A residual block whose input is scaled and shifted, channel by channel."""

    def forward(
        self,
        x: Float[Tensor, "B C H W"],
        scale: Float[Tensor, "B C 1 1"],
        shift: Float[Tensor, "B C 1 1"],
    ) -> Float[Tensor, "B C H W"]:
        inner = self.first(self.act(x * (1 + scale) + shift))
        return x + self.second(self.act(inner))


class LevelUNet(nn.Module):
    """Channels and noise level to one image; zero until trained.

    Args:
        channels: Channels of the input.
        widths: Channels at each resolution, finest first.
        shuffle: Side of the pixel blocks that become channels at the input.
        bottleneck: Residual blocks at the coarsest resolution.
        embedding: Width of the embedded noise level.
    """

    def __init__(
        self,
        channels: int = 2,
        widths: tuple[int, ...] = (32, 64, 96, 128),
        *,
        shuffle: int = 2,
        bottleneck: int = 2,
        embedding: int = 64,
    ) -> None:
        super().__init__()
        self.shuffle, self.widths = shuffle, tuple(widths)
        self.enter = conv(channels * shuffle**2, widths[0])
        self.encode = nn.ModuleList(Modulated(w) for w in widths[:-1])
        self.down = nn.ModuleList(Down(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.bottom = nn.ModuleList(Modulated(widths[-1]) for _ in range(bottleneck))
        self.up = nn.ModuleList(
            Up(deep, w, 0, w) for deep, w in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.decode = nn.ModuleList(Modulated(w) for w in widths[-2::-1])
        self.act = nn.LeakyReLU(SLOPE)
        self.leave = conv(widths[0], shuffle**2)
        nn.init.zeros_(self.leave.weight)
        blocks = [*widths[:-1], *[widths[-1]] * bottleneck, *widths[-2::-1]]
        self.embed = nn.Sequential(
            nn.Linear(2 + 2 * FREQUENCIES, embedding),
            nn.SiLU(),
            nn.Linear(embedding, embedding),
            nn.SiLU(),
        )
        self.modulate = nn.ModuleList(nn.Linear(embedding, 2 * w) for w in blocks)
        for layer in self.modulate:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    @property
    def multiple(self) -> int:
        """Height and width of the input must be multiples of this."""
        return self.shuffle * 2 ** (len(self.widths) - 1)

    def forward(
        self,
        channels: Float[Tensor, "B C H W"],
        level: Float[Tensor, " B"],
        depth: Float[Tensor, " B"],
    ) -> Float[Tensor, "B H W"]:
        """One image for each input.

        Args:
            channels: Of order unity.
            level: ln(t/σ_κ).
            depth: ln(σ_κ/σ_κ of the fiducial sources) [dimensionless].
        """
        wave = pi / _SPAN * level[:, None] * 2 ** torch.arange(FREQUENCIES, device=level.device)
        facts = [level[:, None] / _SPAN, depth[:, None], wave.sin(), wave.cos()]
        known = self.embed(torch.cat(facts, dim=1))
        turns = iter([m(known)[..., None, None].chunk(2, dim=1) for m in self.modulate])
        x, skips = self.enter(nn.functional.pixel_unshuffle(channels, self.shuffle)), []
        for block, down in zip(self.encode, self.down, strict=True):
            skips.append(block(x, *next(turns)))
            x = down(skips[-1])
        for block in self.bottom:
            x = block(x, *next(turns))
        for up, block, skip in zip(self.up, self.decode, reversed(skips), strict=True):
            x = block(up(x, up.mix.of_part(1, skip), skip[:, :0]), *next(turns))
        return nn.functional.pixel_shuffle(self.leave(self.act(x)), self.shuffle)[:, 0]
