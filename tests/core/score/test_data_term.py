"""The conditional Gaussian draw, against dense linear algebra."""

from dataclasses import replace

import pytest
import torch

from massgan_core.score.data_term import DataTerm
from massgan_core.sky import Grid, ShearField, ShearOperator
from massgan_core.sky.modes import prior_variance


@pytest.fixture
def setting(power, rng):
    """A 6×7 field in the corner of an 11×13 grid, √C of its modes, a mean map."""
    part, grid = Grid((6, 7), 1.0), Grid((11, 13), 1.0)
    gamma = 0.1 * torch.complex(torch.randn(6, 7, generator=rng), torch.randn(6, 7, generator=rng))
    sigma = 0.01 + 0.05 * torch.rand(6, 7, generator=rng)
    mask = torch.rand(6, 7, generator=rng) > 0.2
    mean = 0.05 * torch.randn(1, *grid.shape, generator=rng)
    variance = prior_variance(power, grid)
    root = torch.sqrt(variance * 0.02**2 / (variance + 0.02**2))
    return ShearField(part, gamma, sigma, mask), grid, root, mean


def dense(setting):
    """Mean and covariance of κ given γ, with matrices, float64."""
    field, grid, root, mean = setting
    n, lens = grid.shape[0] * grid.shape[1], ShearOperator(grid)
    unit = torch.eye(n, dtype=torch.float64).unflatten(1, grid.shape)
    modes = torch.fft.rfft2(unit) * root.double() ** 2
    prior = torch.fft.irfft2(modes, s=grid.shape).flatten(1)
    corner = torch.zeros(grid.shape, dtype=torch.bool)
    corner[:6, :7] = field.mask
    shear = lens(unit)[:, corner]
    operator = torch.cat([shear.real, shear.imag], 1).T
    sigma = field.sigma[field.mask].double()
    noise = torch.diag(torch.cat([sigma, sigma]) ** 2)
    seen = field.gamma[field.mask]
    data = torch.cat([seen.real, seen.imag]).double()
    gain = prior @ operator.T @ torch.linalg.inv(noise + operator @ prior @ operator.T)
    start = mean.flatten().double()
    return start + gain @ (data - operator @ start), prior - gain @ operator @ prior


def test_mean_and_covariance_are_those_of_linear_algebra(setting, rng):
    field, grid, root, mean = setting
    term, n = DataTerm(field, grid, tolerance=1e-6), 4000
    white = torch.fft.rfft2(torch.randn(n, *grid.shape, generator=rng))
    noise = torch.randn(n, 2, 6, 7, generator=rng)
    modes = term.draw(torch.fft.rfft2(mean).expand(n, -1, -1), root, white, noise)
    maps = torch.fft.irfft2(modes, s=grid.shape).flatten(1).double()
    want, covariance = dense(setting)
    std = covariance.diagonal().sqrt()
    pull = (maps.mean(0) - want) / std * n**0.5
    assert (pull**2).mean().sqrt() < 1.3
    apart = (maps.T.cov() - covariance) / torch.outer(std, std)
    assert (apart**2).mean().sqrt() < 1.3 / n**0.5
    assert (maps.std(0) / std - 1).abs().max() < 0.06


def test_without_noise_draws_the_conditional_mean_is_met_exactly(setting):
    field, grid, root, mean = setting
    modes = torch.fft.rfft2(mean)
    got = DataTerm(field, grid, tolerance=1e-7).draw(
        modes, root, torch.zeros_like(modes), torch.zeros(1, 2, 6, 7)
    )
    got = torch.fft.irfft2(got, s=grid.shape).flatten().double()
    want, _ = dense(setting)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-4 * float(want.abs().max()))


def test_running_out_of_iterations_is_said(setting):
    field, grid, root, mean = setting
    loud = replace(field, sigma=1e-4 * field.sigma)
    term, modes = DataTerm(loud, grid, max_iterations=2), torch.fft.rfft2(mean)
    with pytest.raises(ValueError, match="did not reach a residual of 0.001 in 2 iterations"):
        term.draw(modes, root, modes, torch.ones(1, 2, 6, 7))
