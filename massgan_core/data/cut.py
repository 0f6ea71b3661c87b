"""Patches cut out of maps and turned, a whole batch in one gather.

A turn is one of the 8 symmetries of the square: bit 0 flips x, bit 1 flips y, bit 2 swaps
x and y, in this order. Shear has spin 2: a flip conjugates it, a swap also changes its sign.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Int, Shaped
from torch import Tensor


def cut(
    maps: Shaped[Tensor, "B Y X"],
    corner: Int[Tensor, "2 B"],
    turn: Int[Tensor, " B"],
    shape: tuple[int, int],
) -> Shaped[Tensor, "B H W"]:
    """The patch of each map whose first pixel is at `corner` (y, x), turned.

    Args:
        maps: Large maps.
        corner: First row and column, before turning.
        turn: Which symmetry, 0 to 7.
        shape: (H, W) of a patch after turning.
    """
    flip_x, flip_y, swap = ((turn & bit).bool()[:, None] for bit in (1, 2, 4))
    width = maps.shape[-1]

    def rows(n: int) -> Tensor:
        steps = torch.arange(n, device=maps.device)
        return (corner[0, :, None] + torch.where(flip_y, n - 1 - steps, steps)) * width

    def columns(n: int) -> Tensor:
        steps = torch.arange(n, device=maps.device)
        return corner[1, :, None] + torch.where(flip_x, n - 1 - steps, steps)

    down = torch.where(swap, columns(shape[0]), rows(shape[0]))
    across = torch.where(swap, rows(shape[1]), columns(shape[1]))
    pixel = down[:, :, None] + across[:, None, :]
    return maps.flatten(1).gather(1, pixel.flatten(1)).unflatten(1, shape)


def turn_shear(
    gamma: Complex[Tensor, "B H W"], turn: Int[Tensor, " B"]
) -> Complex[Tensor, "B H W"]:
    """Components of shear along the axes of patches that :func:`cut` has turned."""
    swap = turn >> 2 & 1
    odd = (turn ^ turn >> 1 ^ turn >> 2) & 1  # an odd number of mirrors
    signs = 1 - 2 * torch.stack([swap, swap ^ odd], dim=-1)
    real = torch.view_as_real(gamma) * signs[:, None, None, :].to(gamma.real.dtype)
    return torch.view_as_complex(real)
