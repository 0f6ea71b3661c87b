"""What can be told of them by one process; `tests/core/test_together.py` trains with several."""

from types import SimpleNamespace

import pytest
import torch

from massgan_core.gan.processes import Processes


def processes(number, count):
    return Processes(SimpleNamespace(global_rank=number, world_size=count))


@pytest.mark.parametrize(("n", "count"), [(4, 1), (4, 2), (4, 3), (7, 7), (64, 5)])
def test_parts_make_up_the_batch_and_are_as_even_as_can_be(n, count):
    parts = [range(n)[processes(i, count).part(n)] for i in range(count)]
    assert [item for part in parts for item in part] == list(range(n))
    sizes = [len(part) for part in parts]
    assert min(sizes) > 0 and max(sizes) - min(sizes) <= 1


def test_a_batch_smaller_than_the_processes_is_refused():
    sentence = "`train.regression.batch` must be at least the number of processes .* 3, got 2"
    with pytest.raises(ValueError, match=sentence):
        processes(0, 3).part(2, "train.regression.batch")


def test_one_process_talks_to_nobody():
    alone, sums = processes(0, 1), torch.ones(2, requires_grad=True)
    assert alone.total(sums) is sums and alone.tell("a") == "a" and alone.chief
    assert alone.late(0.0) and not alone.late(float("inf"))


def test_sums_of_others_have_no_slope_here(monkeypatch):
    """The total's derivative by this process's own terms is one."""
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda x: x.add_(5.0))
    own = torch.tensor([1.0, 2.0], requires_grad=True)
    whole = processes(1, 2).total(own)
    assert whole.tolist() == [6.0, 7.0] and own.tolist() == [1.0, 2.0]
    (whole[0] ** 2).backward()
    assert own.grad.tolist() == [12.0, 0.0]


def test_gradients_are_added_and_none_is_zero(monkeypatch):
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda x: x.mul_(2.0))
    seen, unseen = torch.nn.Conv2d(2, 3, 3, bias=False), torch.nn.Linear(2, 1, bias=False)
    seen.to(memory_format=torch.channels_last)(torch.ones(1, 2, 3, 3)).sum().backward()
    processes(0, 2).add_slopes([seen.weight, unseen.weight])
    assert torch.equal(seen.weight.grad, torch.full((3, 2, 3, 3), 2.0))
    assert seen.weight.grad.stride() == seen.weight.stride()
    assert torch.equal(unseen.weight.grad, torch.zeros(1, 2))


def test_a_lost_process_is_told_in_a_sentence(monkeypatch):
    def lost(numbers):
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr(torch.distributed, "all_reduce", lost)
    with pytest.raises(ConnectionError, match="process 2 of 2 has lost another one: .* --resume"):
        processes(1, 2).total(torch.ones(1))
