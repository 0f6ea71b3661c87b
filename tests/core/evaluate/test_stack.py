import pytest
import torch

from massgan_core.evaluate import paired_stacks, stack

INSIDE = torch.zeros(100, 100, dtype=torch.bool)
INSIDE[10:90, 10:90] = True


def places(rng, n=50):
    return torch.randint(10, 90, (n, 2), generator=rng)


def test_the_height_is_that_above_random_sets_of_places(rng):
    kappa, at = torch.randn(100, 100, generator=rng) + 5, places(rng)
    kappa[tuple(at.T)] += 1
    height, signal = stack(kappa, INSIDE, at)
    everywhere = kappa[INSIDE].double()
    random = everywhere[torch.randint(len(everywhere), (4000, 50), generator=rng)].mean(1)
    mean = kappa[tuple(at.T)].double().mean()
    assert height == pytest.approx(float(mean - everywhere.mean()))
    assert signal == pytest.approx(float((mean - random.mean()) / random.std()), rel=0.05)


def test_empty_places_have_no_signal(rng):
    _, signal = stack(torch.randn(100, 100, generator=rng), INSIDE, places(rng))
    assert abs(signal) < 3


def test_two_maps_are_compared_in_pairs(rng):
    kappa, at = torch.randn(100, 100, generator=rng), places(rng)
    kappa[tuple(at.T)] += 1
    same = paired_stacks(kappa, 3 * kappa + 1, INSIDE, at)
    assert same == pytest.approx((0, 0), abs=1e-5)
    noisy = kappa + 0.5 * torch.randn(100, 100, generator=rng)
    difference, error = paired_stacks(kappa, noisy, INSIDE, at)
    expected = stack(kappa, INSIDE, at)[1] - stack(noisy, INSIDE, at)[1]
    assert difference == pytest.approx(expected)
    assert 0 < error < 1  # each alone scatters by about 1
