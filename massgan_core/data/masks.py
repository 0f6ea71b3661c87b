"""Random masks: round holes about bright stars, bad columns and rows."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massgan_core.sky import Grid

HOLES, LINES = 40, 4  #: at most, in a field
LEAST = 0.2  #: a mask that leaves less of the field is dropped


def random_mask(
    grid: Grid,
    key: torch.Generator,
    batch: tuple[int, ...] = (),
    device: torch.device | str = "cpu",
    *,
    chosen: Bool[Tensor, " n"] | None = None,
) -> Bool[Tensor, "*M H W"]:
    """Up to 40 round holes of 0.5′–4′ (stars) and up to 4 bad columns or rows a mask.

    Args:
        grid: Pixels.
        key: CPU generator: every device sees the same masks.
        batch: Leading axes.
        device: Of the masks.
        chosen: Which of `batch` = (n,) masks to make, as if all were; default all.
    """
    n = int(torch.Size(batch).numel())
    holes = (torch.rand((n, HOLES, 3), generator=key), _counts(n, HOLES, key))
    lines = (torch.rand((n, LINES, 3), generator=key), _counts(n, LINES, key))
    if chosen is not None:
        batch = (int(chosen.sum()),)
        holes, lines = (tuple(x[chosen] for x in random) for random in (holes, lines))
    mask = _holes(grid, *(x.to(device, non_blocking=True) for x in holes))
    mask &= _lines(grid, *(x.to(device, non_blocking=True) for x in lines))
    small = mask.float().mean((1, 2), keepdim=True) < LEAST
    return (mask | small).reshape(*batch, *grid.shape)


def _counts(n: int, most: int, key: torch.Generator) -> Int[Tensor, "n 1"]:
    return torch.randint(most + 1, (n, 1), generator=key)


def _holes(
    grid: Grid, random: Float[Tensor, "n J 3"], counts: Int[Tensor, "n 1"]
) -> Bool[Tensor, "n H W"]:
    """True outside all holes.

    A hole covers an interval of each row. +1 at its start and −1 behind its end, summed
    along the row, count the holes over a pixel: the cost is holes × rows, not × pixels.
    """
    height, width = grid.shape
    x, y, size = random.unbind(-1)
    x, y, radius = x * width, y * height, 0.5 * 8.0**size / grid.pixel_scale
    rows = torch.arange(height, device=random.device)[:, None]
    square = (radius**2)[:, None] - (rows - y[:, None]) ** 2  # [n, H, J]
    numbers = torch.arange(random.shape[1], device=random.device)
    used = (square >= 0) & (numbers < counts)[:, None]
    half = square.clamp_min(0).sqrt()
    first = torch.ceil(x[:, None] - half).clamp(0, width)
    after = (torch.floor(x[:, None] + half) + 1).clamp(0, width)
    steps = torch.zeros((len(x), height, width + 1), dtype=torch.int32, device=random.device)
    one = used.to(torch.int32)
    steps.scatter_add_(-1, first.long(), one).scatter_add_(-1, after.long(), -one)
    return steps[..., :-1].cumsum(-1, dtype=torch.int32) == 0


def _lines(
    grid: Grid, random: Float[Tensor, "n J 3"], counts: Int[Tensor, "n 1"]
) -> Bool[Tensor, "n H W"]:
    """True outside all bad columns and rows, which are 1 to 7 pixels wide."""
    height, width = grid.shape
    place, kind, size = (r[..., None] for r in random.unbind(-1))
    numbers = torch.arange(random.shape[1], device=random.device)
    used = (numbers < counts)[..., None]

    def bad(n: int, chosen: Tensor) -> Tensor:
        distance = (torch.arange(n, device=random.device) - place * n).abs()
        return ((distance <= 0.5 + 3 * size) & chosen & used).any(1)

    return ~(bad(width, kind < 0.5)[:, None, :] | bad(height, kind >= 0.5)[:, :, None])
