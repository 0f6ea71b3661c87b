import pytest
import torch

from massgan_core.gan.config import StageConfig
from massgan_core.gan.descent import Descent
from massgan_core.gan.processes import Processes

SETTINGS = StageConfig(steps=10, betas=(0.9, 0.99), warmup=2)


@pytest.fixture
def alone():
    pytest.importorskip("lightning_fabric")
    from massgan_core.gan.schedule import make_fabric

    return Processes(make_fabric("cpu", "fp32"))


def layers():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))


def descend(descent, module, steps):
    for step in steps:
        descent.set_rate(step)
        descent((module(torch.ones(1, 3) * (1 + step)) ** 2).sum())


def test_frozen_weights_stay_where_they_are(alone):
    module = layers()
    module[0].requires_grad_(False)
    before = [p.clone() for p in module.parameters()]
    descend(Descent(module, 0.1, SETTINGS, alone), module, range(3))
    same = [torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True)]
    assert same == [True, True, False, False]


def test_a_restored_descent_goes_on_bit_for_bit(alone):
    whole, first, second = layers(), layers(), layers()
    descend(Descent(whole, 0.1, SETTINGS, alone), whole, range(6))
    start = Descent(first, 0.1, SETTINGS, alone)
    descend(start, first, range(3))
    second.load_state_dict(first.state_dict())
    rest = Descent(second, 0.1, SETTINGS, alone)
    rest.restore({k: v.clone() for k, v in start.state().items()})
    descend(rest, second, range(3, 6))
    for a, b in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_long_gradients_are_cut(alone):
    """Adam forgets the length of the first gradient, not of the second."""
    module = layers()
    descent = Descent(module, 0.1, SETTINGS, alone)
    descent(1e6 * module(torch.ones(1, 3)).sum())
    squares = sum(v.sum() for k, v in descent.state().items() if k.endswith("exp_avg_sq"))
    assert squares.item() == pytest.approx(0.01 * 5.0**2, rel=1e-3)
