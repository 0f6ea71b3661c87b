"""The published MMGAN's networks, rebuilt from their description to compare cost and maps.

The generator is a U-Net with batch normalisation whose latents join the condition at the
input, so that nothing but the condition can be kept between the samples of a field. One thing
differs on purpose: the published condition has four channels (shear and its Kaiser–Squires map,
real and imaginary parts); here it has those of `massgan_core.gan.normalize`, which know nothing
of the shear outside the mask.

A bias that the next normalisation would take out again is left out: no weight is dead.

References:
    Whitney et al. (2024), https://arxiv.org/abs/2410.24197
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.nn.critic import Critic
from massgan_core.nn.layers import SLOPE
from massgan_core.nn.unet import UNet

_LEAST = 1e-5  # added to variances, as torch does


class BatchNorm(nn.Module):
    """Batch normalisation whose state is floats alone (no step counter), so it can be averaged.

    Processes that train one network have the statistics of their batches together.
    """

    def __init__(self, width: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight, self.bias = (nn.Parameter(f(width)) for f in (torch.ones, torch.zeros))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        if self.training and _processes() > 1:
            return self._with_others(x.float())
        return nn.functional.batch_norm(
            x, self.mean, self.var, self.weight, self.bias, self.training, self.momentum
        )

    def _with_others(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        # SyncBatchNorm does the same, but not on a CPU.
        from torch.distributed.nn.functional import all_reduce as total

        pixels = x.new_full((1,), x.numel() / x.shape[1])
        *sums, count = total(torch.cat([x.sum((0, 2, 3)), pixels])).split([x.shape[1], 1])
        mean = sums[0] / count
        var = total(((x - mean[:, None, None]) ** 2).sum((0, 2, 3))) / count
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.var.lerp_(var * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(var + _LEAST)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


def _processes() -> int:
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if together else 1


def unit(inside: int, outside: int) -> nn.Sequential:
    """3×3 convolution, batch normalisation, PReLU."""
    layer = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
    return nn.Sequential(layer, BatchNorm(outside), nn.PReLU())


class ShortcutBlock(nn.Module):
    """Two units beside a 1×1 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.units = nn.Sequential(unit(width, width), unit(width, width))
        self.shortcut = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        return self.units(x) + self.shortcut(x)


class PublishedUNet(UNet):
    """Condition and latents to one image; stands wherever a :class:`UNet` does.

    Args:
        channels: Channels of the condition.
        widths: Channels of the encoder at each resolution, finest first. The decoder's are
            the same one level up: 512, 256, 128, 128.
        latent: Latent channels beside the condition.
        bottleneck: Residual blocks at the coarsest resolution. The talks on it show five; with
            one, weights and arithmetic are those published (86.7 M, 561 GFLOP at 300²) within
            3 %: see ``make bench BENCH=sampling``.
    """

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...] = (128, 256, 512, 1024),
        *,
        latent: int = 2,
        bottleneck: int = 5,
    ) -> None:
        nn.Module.__init__(self)  # none of UNet's layers
        self.latent, self.widths = latent, tuple(widths)
        self.shuffle, self.noise = 1, "white"
        finer = (widths[0], *widths[:-1])
        self.encode = nn.ModuleList(
            nn.Sequential(unit(a, b), ShortcutBlock(b))
            for a, b in zip((channels + latent, *widths[:-1]), widths, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Conv2d(w, w, 3, stride=2, padding=1, bias=False) for w in widths
        )
        self.bottom = nn.Sequential(*(ShortcutBlock(widths[-1]) for _ in range(bottleneck)))
        # Coarsest first: a level's input and skip are as wide as the encoder there.
        levels = list(zip(widths[::-1], finer[::-1], strict=True))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1, bias=False)
            for a, b in levels
        )
        self.decode = nn.ModuleList(
            nn.Sequential(unit(b + a, b), ShortcutBlock(b)) for a, b in levels
        )
        half = max(widths[0] // 2, 1)
        self.leave = nn.Sequential(
            nn.Conv2d(widths[0], half, 1), nn.PReLU(), nn.Conv2d(half, 1, 1)
        )

    @property
    def multiple(self) -> int:
        """Height and width of the condition must be multiples of this."""
        return 2 ** len(self.widths)

    def decoder(self) -> list[nn.Module]:
        """All of it."""
        return list(self.children())

    def features(self, condition: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """The condition itself: the latents change all that follows."""
        return [condition]

    def shares(self, features: list[Tensor]) -> list[Tensor]:
        """The condition itself."""
        return features

    def paint(self, shares: list[Tensor], latents: list[Tensor]) -> Float[Tensor, "B 1 H W"]:
        """The whole network; a batch of latents may share one field's condition."""
        (condition,), (latent,) = shares, latents
        condition = condition.expand(len(latent), -1, -1, -1)
        x, skips = torch.cat([condition, latent.to(condition.dtype)], dim=1), []
        for block, down in zip(self.encode, self.down, strict=True):
            skips.append(block(x))
            x = down(skips[-1])
        x = self.bottom(x)
        for up, block, skip in zip(self.up, self.decode, reversed(skips), strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
        return self.leave(x)

    def latent_shapes(self, shape: tuple[int, int]) -> list[tuple[int, int, int]]:
        """Shape of one sample's latents: the input's resolution alone."""
        return [(self.latent, *shape)]


class PublishedCritic(Critic):
    """One score a map, from fields of one size; stands wherever a :class:`Critic` does.

    Args:
        channels: Channels of image and condition together.
        widths: Channels of the first layer, and after each halving of the resolution.
        side: Of the square fields [pixels]; sides that halve to the same last one will do.
    """

    of_linear_pieces = False  # but for instance normalisation

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512),
        *,
        side: int,
    ) -> None:
        nn.Module.__init__(self)  # none of Critic's layers
        last = side >> (len(widths) - 1)
        if last < 2:
            least = 2 ** len(widths)
            raise ValueError(f"`side` must be at least {least} for {widths}, got {side}")
        self.side, self.widths = side, tuple(widths)
        self.enter = nn.Conv2d(channels, widths[0], 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.AvgPool2d(2),
                nn.Conv2d(a, b, 3, padding=1, bias=False),
                nn.InstanceNorm2d(b),
                nn.LeakyReLU(SLOPE),
            )
            for a, b in zip(widths, widths[1:], strict=False)
        )
        self.act = nn.LeakyReLU(SLOPE)
        self.leave = nn.Linear(widths[-1] * last**2, 1)

    def forward(
        self, image: Float[Tensor, "B 1 H W"], condition: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        x = self.act(self.enter(torch.cat([image, condition], dim=1)))
        for layer in self.layers:
            x = layer(x)
        if x[0].numel() != self.leave.in_features:
            shape = tuple(image.shape[-2:])
            raise ValueError(f"`image` must have about {self.side}² pixels, got shape {shape}")
        return self.leave(x.flatten(1)).squeeze(-1)
