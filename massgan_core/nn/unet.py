"""A U-Net on a pixel-unshuffled field whose latent noise enters in the decoder alone.

The encoder sees only the condition: it runs once for a field and serves all its samples. The
latents enter at every resolution, so that uncertain structure of any scale has noise of its
own scale to be made from.

References:
    Ronneberger, Fischer & Brox (2015), https://arxiv.org/abs/1505.04597
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.nn.layers import SLOPE, Down, Residual, Up, conv


class UNet(nn.Module):
    """Condition (and latents) to one image.

    Args:
        channels: Channels of the condition.
        widths: Channels at each resolution, finest first.
        latent: Latent channels at each resolution; 0 makes a deterministic network.
        shuffle: Side of the pixel blocks that become channels at the input.
        bottleneck: Residual blocks at the coarsest resolution.
        upsample: ``bilinear`` or ``nearest``.
        noise: What the latents are to those who make them; the network only says so.
    """

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...] = (32, 64, 96, 128, 128),
        *,
        latent: int = 4,
        shuffle: int = 2,
        bottleneck: int = 2,
        upsample: str = "bilinear",
        noise: str = "white",
    ) -> None:
        super().__init__()
        self.noise = noise
        self.latent, self.shuffle, self.widths = latent, shuffle, tuple(widths)
        self.enter = conv(channels * shuffle**2, widths[0])
        self.encode = nn.ModuleList(Residual(w) for w in widths[:-1])
        self.down = nn.ModuleList(Down(a, b) for a, b in zip(widths, widths[1:], strict=False))
        self.seed = conv(widths[-1] + latent, widths[-1])
        self.bottom = nn.Sequential(*(Residual(widths[-1]) for _ in range(bottleneck)))
        self.up = nn.ModuleList(
            Up(deep, w, latent, w, upsample)
            for deep, w in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.decode = nn.ModuleList(Residual(w) for w in widths[-2::-1])
        self.act = nn.LeakyReLU(SLOPE)
        self.leave = conv(widths[0], shuffle**2)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)

    @property
    def multiple(self) -> int:
        """Height and width of the condition must be multiples of this."""
        return self.shuffle * 2 ** (len(self.widths) - 1)

    def features(self, condition: Float[Tensor, "B C H W"]) -> list[Tensor]:
        """Encoder features of `condition`, which no latent changes.

        A tensor for each resolution, finest first [B, C, h, w].
        """
        x = self.enter(nn.functional.pixel_unshuffle(condition, self.shuffle))
        features = []
        for block, down in zip(self.encode, self.down, strict=True):
            x = block(x)
            features.append(x)
            x = down(x)
        return [*features, x]

    def paint(self, features: list[Tensor], latents: list[Tensor]) -> Float[Tensor, "B 1 H W"]:
        """Decode features with latents; a batch of latents may share one field's features.

        Args:
            features: Of :meth:`features` [B, C, h, w]; B is 1 where N latents share them.
            latents: At each resolution, finest first [N, L, h, w].
        """
        batch = len(latents[0])
        *skips, x = (f if len(f) == batch else f.expand(batch, -1, -1, -1) for f in features)
        *finer, coarsest = latents
        x = self.bottom(self.seed(torch.cat([x, coarsest.to(x.dtype)], dim=1)))
        levels = zip(self.up, self.decode, reversed(skips), reversed(finer), strict=True)
        for up, block, skip, latent in levels:
            x = block(up(x, skip, latent.to(x.dtype)))
        return nn.functional.pixel_shuffle(self.leave(self.act(x)), self.shuffle)

    def latent_shapes(self, shape: tuple[int, int]) -> list[tuple[int, int, int]]:
        """Shape of one sample's latents at each resolution, finest first."""
        height, width = (n // self.shuffle for n in shape)
        return [(self.latent, height >> k, width >> k) for k in range(len(self.widths))]

    def latents(
        self, shape: tuple[int, int], generators: list[torch.Generator]
    ) -> list[Float[Tensor, "N L h w"]]:
        """Standard normal latents for a field of `shape` (H, W), one of `generators` a sample.

        They are drawn on the device of the generators: on a CPU by a few threads, since a GPU
        paints samples faster than one thread draws them.
        """
        shapes = self.latent_shapes(shape)

        def draw(key: torch.Generator) -> list[Tensor]:
            return [torch.randn(s, generator=key, device=key.device) for s in shapes]

        threads = min(len(generators), torch.get_num_threads())
        if threads > 1 and generators[0].device.type == "cpu":
            with ThreadPoolExecutor(threads) as pool:
                samples = list(pool.map(draw, generators))
        else:
            samples = [draw(key) for key in generators]
        return [torch.stack(level) for level in zip(*samples, strict=True)]

    def forward(
        self, condition: Float[Tensor, "B C H W"], latents: list[Tensor]
    ) -> Float[Tensor, "N 1 H W"]:
        """One image for each latent; N/B latents in turn belong to each condition.

        Args:
            condition: B fields.
            latents: At each resolution, finest first [N, L, h, w].
        """
        features = self.features(condition)
        times = len(latents[0]) // len(condition)
        if times > 1:
            features = [repeat(f, "b c h w -> (b n) c h w", n=times) for f in features]
        return self.paint(features, latents)
