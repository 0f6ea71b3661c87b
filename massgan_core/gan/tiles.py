"""Large fields by parts: the decoder on overlapping tiles of one field's features and latents.

Latents belong to the field, not to a tile, so tiles agree where they overlap but for what they
cannot see beyond their edges. Each pixel is taken from the one tile whose core it lies in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

CORE = 64  #: side of a tile's core, in pixels of the coarsest level (64 × 32 = 2048 pixels)
MARGIN = 6  #: seen around it; κ differs by less than 1e-3 of its posterior std (a slow test)


def in_tiles(
    paint: Callable[[list[Tensor], list[Tensor]], Tensor],
    shares: list[Float[Tensor, "_ _ _ _"]],
    latents: list[Float[Tensor, "N _ _ _"]],
    coarsest: tuple[int, int],
    *,
    core: int = CORE,
    margin: int = MARGIN,
) -> Float[Tensor, "N 1 H W"]:
    """What `paint` makes of all of `shares` and `latents`, from tiles of them.

    Args:
        paint: A decoder.
        shares: Of each resolution.
        latents: Likewise.
        coarsest: Height and width of the network's coarsest level.
        core: Side of a tile without its margin [pixels of the coarsest level].
        margin: On each side of it, but for those of the field.
    """
    if max(coarsest) <= core + 2 * margin:
        return paint(shares, latents)
    cores = list(product(*(list(_spans(n, core)) for n in coarsest)))
    whole = None
    for rows, columns in cores:
        (top, above), (left, beside) = (
            (max(span.start - margin, 0), min(span.stop + margin, n))
            for span, n in zip((rows, columns), coarsest, strict=True)
        )
        seen = [
            [_cut(level, coarsest, (top, above), (left, beside)) for level in levels]
            for levels in (shares, latents)
        ]
        tile = paint(*seen)
        times = tile.shape[-2] // (above - top)
        if whole is None:
            whole = tile.new_empty(*tile.shape[:2], *(times * n for n in coarsest))
        inner = tile[
            ...,
            times * (rows.start - top) : times * (rows.stop - top),
            times * (columns.start - left) : times * (columns.stop - left),
        ]
        there = [slice(times * span.start, times * span.stop) for span in (rows, columns)]
        whole[..., there[0], there[1]] = inner
    return whole


def _spans(length: int, core: int) -> Iterator[range]:
    """Near-equal parts of at most `core`."""
    count = -(-length // core)
    edges = [round(k * length / count) for k in range(count + 1)]
    return (range(a, b) for a, b in zip(edges, edges[1:], strict=False))


def _cut(
    level: Tensor, coarsest: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> Tensor:
    """The part of a level that lies over those rows and columns of the coarsest one."""
    y, x = (n // d for n, d in zip(level.shape[-2:], coarsest, strict=True))
    part = level[..., y * rows[0] : y * rows[1], x * columns[0] : x * columns[1]]
    last = level.is_contiguous(memory_format=torch.channels_last)
    return part.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
