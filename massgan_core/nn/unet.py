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

from massgan_core.nn.layers import SLOPE, Down, Mix, Residual, Up, conv


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
        self.seed = Mix((widths[-1], latent), widths[-1])
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

    def decoder(self) -> list[nn.Module]:
        """What every sample passes, while the rest runs once for a field."""
        return [self.seed, self.bottom, self.up, self.decode, self.leave]

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

    def shares(self, features: list[Tensor]) -> list[Tensor]:
        """What features add to each resolution of the decoder, which no latent changes.

        Args:
            features: Of :meth:`features`, of this network or of another with its shape.
        """
        *skips, deepest = features
        levels = zip(self.up, reversed(skips), strict=True)
        finer = [up.mix.of_part(1, skip) for up, skip in levels]
        return [*reversed(finer), self.seed.of_part(0, deepest)]

    def paint(self, shares: list[Tensor], latents: list[Tensor]) -> Float[Tensor, "B 1 H W"]:
        """Decode with latents; a batch of latents may have one field's shares.

        Args:
            shares: Of :meth:`shares` [B, C, h, w]; B is 1 where N latents have one field.
            latents: At each resolution, finest first [N, L, h, w].
        """
        *skips, deepest = shares
        *finer, coarsest = latents
        x = self.bottom(self.seed.rest((None, coarsest.to(deepest.dtype)), deepest))
        levels = zip(self.up, self.decode, reversed(skips), reversed(finer), strict=True)
        for up, block, skip, latent in levels:
            x = block(up(x, skip, latent.to(x.dtype)))
        return nn.functional.pixel_shuffle(self.leave(self.act(x)), self.shuffle)

    def latent_shapes(self, shape: tuple[int, int]) -> list[tuple[int, int, int]]:
        """Shape of one sample's latents at each resolution, finest first."""
        height, width = (n // self.shuffle for n in shape)
        return [(self.latent, height >> k, width >> k) for k in range(len(self.widths))]

    def latents(
        self, shape: tuple[int, int], generators: list[torch.Generator], *, pinned: bool = False
    ) -> list[Float[Tensor, "N L h w"]]:
        """Standard normal latents for a field of `shape` (H, W), one of `generators` a sample.

        They are drawn on the device of the generators: on a CPU by a few threads, since a GPU
        paints samples faster than one thread draws them.

        Args:
            shape: Of the field.
            generators: One a sample.
            pinned: Into memory that a GPU copies from while the program goes on.
        """
        device = generators[0].device
        levels = [
            torch.empty(len(generators), *s, device=device, pin_memory=pinned)
            for s in self.latent_shapes(shape)
        ]

        asked = torch.is_inference_mode_enabled()  # a thread begins without

        def draw(index: int, key: torch.Generator) -> None:
            with torch.inference_mode(asked):
                for level in levels:
                    level[index].normal_(generator=key)

        threads = min(len(generators), torch.get_num_threads())
        if threads > 1 and device.type == "cpu":
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(draw, range(len(generators)), generators))
        else:
            for index, key in enumerate(generators):
                draw(index, key)
        return levels

    def forward(
        self, condition: Float[Tensor, "B C H W"], latents: list[Tensor]
    ) -> Float[Tensor, "N 1 H W"]:
        """One image for each latent; N/B latents in turn belong to each condition.

        Args:
            condition: B fields.
            latents: At each resolution, finest first [N, L, h, w].
        """
        shares = self.shares(self.features(condition))
        times = len(latents[0]) // len(condition)
        if times > 1:
            shares = [repeat(f, "b c h w -> (b n) c h w", n=times) for f in shares]
        return self.paint(shares, latents)
