"""The system of the Wiener filter, against dense linear algebra."""

import pytest
import torch

from massgan_core.sky import Grid, NormalEquations, PowerSpectrum, ShearOperator
from massgan_core.sky.modes import multiplicity, prior_variance, to_modes

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
PART = (7, 9)


@pytest.fixture(params=[(15, 19), (14, 18)], ids=["odd", "even"])
def grid(request):
    return Grid(request.param, 1.0)


@pytest.fixture
def weight(rng):
    weight = 50 + 50 * torch.rand(3, *PART, generator=rng)
    return weight * (torch.rand(3, *PART, generator=rng) > 0.2)


def equations(grid, weight):
    return NormalEquations(prior_variance(POWER, grid).sqrt(), weight, grid)


def shear(rng):
    parts = torch.randn(2, 3, *PART, generator=rng)
    return 0.1 * torch.complex(*parts)


def modes(grid, rng):
    """Of white noise, as the system counts them."""
    count = multiplicity(grid).sqrt()
    return torch.fft.rfft2(torch.randn(3, *grid.shape, generator=rng)) * count


def dot(grid, a, b):
    """Of the white maps that two sets of modes stand for."""
    count = multiplicity(grid).sqrt()
    a, b = (torch.fft.irfft2(x / count, s=grid.shape) for x in (a, b))
    return (a * b).sum((-2, -1))


def test_the_matrix_is_symmetric_and_at_least_one(grid, weight, rng):
    system = equations(grid, weight)
    a, b = modes(grid, rng), modes(grid, rng)
    torch.testing.assert_close(dot(grid, a, system.apply(b)), dot(grid, system.apply(a), b))
    assert (dot(grid, a, system.apply(a)) > dot(grid, a, a)).all()


def test_the_solution_solves_the_system(grid, weight, rng):
    system = equations(grid, weight)
    target = system.target(shear(rng))
    v = system.solve(target, 200, 1e-6)
    rest = system.apply(v) - target
    assert (rest.abs().square().sum() < 1e-10 * target.abs().square().sum()).item()


def test_it_is_the_mean_of_the_gaussian_posterior(weight, rng):
    """κ̂ = C Dᵀ (D C Dᵀ + N)⁻¹ γ over the observed pixels, all matrices dense."""
    grid = Grid((15, 19), 1.0)
    gamma, seen = shear(rng)[0], weight[0] > 0
    count = grid.shape[0] * grid.shape[1]
    units = torch.eye(count, dtype=torch.float64).reshape(count, *grid.shape)
    root = prior_variance(POWER, grid).double().sqrt()
    maps = torch.fft.irfft2(root * torch.fft.rfft2(units), s=grid.shape)
    lensed = ShearOperator(grid)(maps)[:, : PART[0], : PART[1]][:, seen]
    lens = torch.cat([lensed.real, lensed.imag], dim=1).T
    inside = maps[:, : PART[0], : PART[1]].reshape(count, -1).T
    noise = torch.diag((1 / weight[0][seen].double()).repeat(2))
    data = torch.cat([gamma.real[seen], gamma.imag[seen]]).double()
    want = inside @ lens.T @ torch.linalg.solve(lens @ lens.T + noise, data)
    system = equations(grid, weight[0])
    v = system.solve(system.target(gamma), 200, 1e-6)
    torch.testing.assert_close(
        system.kappa(v).double().flatten(), want, rtol=0, atol=1e-4 * want.abs().max().item()
    )


def test_each_field_of_a_batch_has_its_own_weight(grid, weight, rng):
    gamma = shear(rng)
    both = equations(grid, weight)
    v = both.solve(both.target(gamma), 5)
    for i in range(3):
        one = equations(grid, weight[i])
        alone = one.solve(one.target(gamma[i]), 5)
        torch.testing.assert_close(both.kappa(v)[i], one.kappa(alone), rtol=1e-4, atol=1e-7)


def test_more_iterations_come_nearer(grid, weight, rng):
    system = equations(grid, weight)
    target = system.target(shear(rng))
    exact = system.solve(target, 200, 1e-6)
    rests = [(system.solve(target, n) - exact).abs().square().sum() for n in (1, 3, 6)]
    assert rests[0] > 3 * rests[1] > 9 * rests[2] > 0


def test_too_few_iterations_are_told(grid, weight, rng):
    system = equations(grid, weight)
    target = system.target(shear(rng))
    with pytest.raises(ValueError, match=r"residual of 1e-06 in 1 iterations: `sigma` may be"):
        system.solve(target, 1, 1e-6)
    assert system.solve(target, 1).isfinite().all()


def test_without_data_nothing_is_said(grid, rng):
    system = equations(grid, torch.zeros(PART))
    target = system.target(shear(rng)[0])
    assert (system.solve(target, 10, 1e-6) == 0).all()
    assert (target == to_modes(torch.zeros(PART), grid.shape)).all()
