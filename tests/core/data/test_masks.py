import torch

from massgan_core.data import masks
from massgan_core.data.masks import random_mask
from massgan_core.sky import Grid, generator

GRID = Grid((50, 70), 1.0)


def test_holes_are_discs(rng):
    random = torch.rand(3, 40, 3, generator=rng)
    counts = torch.tensor([[0], [7], [40]])
    have = masks._holes(GRID, random, counts)
    y, x = torch.arange(50.0)[:, None], torch.arange(70.0)
    for i, n in enumerate(counts.flatten().tolist()):
        want = torch.ones(50, 70, dtype=torch.bool)
        for u, v, size in random[i, :n].unbind():
            want &= (x - u * 70) ** 2 + (y - v * 50) ** 2 > (0.5 * 8**size) ** 2
        assert (have[i] != want).sum() <= 1  # a pixel may lie on an edge, within rounding
    assert have[0].all() and not have[2].all()


def test_lines_cross_the_whole_field(rng):
    random = torch.rand(40, 4, 3, generator=rng)
    mask = masks._lines(GRID, random, torch.full((40, 1), 4))
    columns, rows = (~mask).all(1), (~mask).all(2)
    assert torch.equal(~mask, columns[:, None, :] | rows[:, :, None])
    assert columns.any() and rows.any()


def test_masks_differ_within_a_batch_and_repeat():
    first, again = (random_mask(GRID, generator(3), (6,)) for _ in range(2))
    assert first.shape == (6, 50, 70) and torch.equal(first, again)
    assert len(first.flatten(1).unique(dim=0)) == 6
    assert random_mask(GRID, generator(3)).shape == (50, 70)


def test_a_small_field_is_never_lost_whole():
    tiny = Grid((16, 16), 0.29)  # as large as one large hole
    fraction = random_mask(tiny, generator(1), (200,)).float().mean((1, 2))
    assert fraction.min() >= masks.LEAST and (fraction < 1).any()
