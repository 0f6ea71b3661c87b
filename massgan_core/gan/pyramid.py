"""Maps at ever coarser resolution, and the bands between: what losses of all scales look at."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def pyramid(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    bands: int,
    offset: tuple[int, int],
) -> Iterator[tuple[int, Float[Tensor, "B M h w"], Float[Tensor, "B 1 h w"]]]:
    """Level number, maps (samples, then truth) and weight of each level and each band."""
    rows, columns = (slice(start, None) for start in offset)
    maps = torch.cat([samples, truth[:, None]], dim=1)[..., rows, columns]
    weight = area[:, None, rows, columns].to(samples.dtype)
    for level in range(bands):
        yield level, maps, weight
        if level + 1 < bands:
            share = _halved(weight)
            coarse = _halved(maps * weight) / share.clamp_min(1e-6)
            yield level, maps - _doubled(coarse, maps), weight
            maps, weight = coarse, share


def _halved(maps: Float[Tensor, "B M H W"]) -> Float[Tensor, "B M h w"]:
    """Binomial smoothing (1 3 3 1)/8 along both axes and every second pixel."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=maps.dtype, device=maps.device) / 8
    padded = nn.functional.pad(maps.flatten(0, 1)[:, None], (1, 1, 1, 1))
    out = nn.functional.conv2d(padded, line.outer(line)[None, None], stride=2)
    return out[:, 0].unflatten(0, maps.shape[:2])


def _doubled(
    coarse: Float[Tensor, "B M h w"], like: Float[Tensor, "B M H W"]
) -> Float[Tensor, "B M H W"]:
    return nn.functional.interpolate(coarse, like.shape[-2:], mode="bilinear")
