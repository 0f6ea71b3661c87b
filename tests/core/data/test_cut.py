import pytest
import torch

from massgan_core.data import dihedral
from massgan_core.data.cut import cut, turn_shear

TURNS = torch.arange(8)


@pytest.mark.parametrize("shape", [(6, 6), (5, 8)])
def test_a_batch_of_cuts_is_what_slicing_and_dihedral_give(shape, rng):
    maps = torch.randn(8, 17, 20, generator=rng)
    gamma = torch.complex(maps, torch.randn(8, 17, 20, generator=rng))
    corner = torch.randint(8, (2, 8), generator=rng)
    parts = cut(maps, corner, TURNS, shape), turn_shear(cut(gamma, corner, TURNS, shape), TURNS)
    for i in range(8):
        (top, left), part = corner[:, i].tolist(), shape[::-1] if i & 4 else shape
        here = (i, slice(top, top + part[0]), slice(left, left + part[1]))
        for have, want in zip(parts, dihedral(maps[here], gamma[here], i), strict=True):
            assert torch.equal(have[i], want)


def test_one_map_can_be_cut_many_times_without_copies(rng):
    mask = torch.rand(9, 9, generator=rng) > 0.5
    parts = cut(mask.expand(8, -1, -1), torch.zeros(2, 8, dtype=torch.long), TURNS, (9, 9))
    assert parts.dtype == torch.bool
    assert torch.equal(parts[0], mask) and torch.equal(parts[3], mask.flip(0, 1))
    assert torch.equal(parts[4], mask.T)
