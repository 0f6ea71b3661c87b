"""Flips and transposes."""

import torch

from massgan_core.simulate.turns import turned


def test_there_are_eight_and_they_are_named_by_their_bits():
    kappa = torch.arange(9.0).reshape(3, 3)
    maps = [turned(kappa, turn) for turn in range(8)]
    assert len({tuple(one.flatten().tolist()) for one in maps}) == 8
    assert torch.equal(maps[0], kappa) and torch.equal(maps[4], kappa.mT)
    assert torch.equal(maps[1], kappa.flip(-1)) and torch.equal(maps[2], kappa.flip(-2))
    assert turned(kappa[:2], 4).shape == (3, 2)
