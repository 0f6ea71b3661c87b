import pytest
import torch

from massgan_core.sky import Draws, generator


def test_sample_i_depends_on_seed_and_i_alone():
    whole = Draws(7).normal(6, (3, 2))
    parts = Draws(7)
    pieces = torch.cat([parts.normal(n, (3, 2)) for n in (1, 3, 2)])
    assert torch.equal(whole, pieces)
    assert torch.equal(whole[4:], Draws(7, start=4).normal(2, (3, 2)))


def test_neighbouring_keys_are_unrelated():
    keys = [(0, 0), (0, 1), (1, 0), (1, 1), (-1, 0), (2**40, 0)]
    rows = torch.stack([torch.randn(4000, generator=generator(*k)) for k in keys])
    off = torch.corrcoef(rows) - torch.eye(len(keys))
    assert off.abs().max() < 0.08


def test_of_accepts_seeds_generators_and_draws():
    draws = Draws(3)
    assert Draws.of(draws) is draws
    assert Draws.of(5).seed == 5 and Draws.of(None).seed == 0
    first, second = (Draws.of(torch.Generator().manual_seed(9)).seed for _ in range(2))
    assert first == second


def test_draws_of_what_failed_are_still_to_come():
    draws = Draws(2, start=4)
    with pytest.raises(KeyError), draws.all_or_none():
        draws.take(3)
        raise KeyError
    assert draws.next == 4
    with draws.all_or_none():
        draws.take(3)
    assert draws.next == 7
