r"""κ that is nothing outside its footprint has no edge: there χ² is known exactly."""

import numpy as np
import pytest
import torch

from massgan_core.evaluate.predictive import (
    chi_square,
    chi_square_error,
    chi_square_map,
    inner,
    predicted_shear,
    predictive_map,
    residual,
)
from massgan_core.mapping import Wiener
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    generator,
    reduced_shear,
    remove_mean,
    shape_noise,
)

SIDE = 64
GRID = Grid((SIDE, SIDE), 1.0)
POWER = PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])


def lone(rng, n=1, sigma=0.1, linear=False):
    """κ on a footprint in empty sky, its shear measured on part of it."""
    mask = torch.rand(SIDE, SIDE, generator=rng) > 0.2
    mask[:, :6] = False
    area = torch.ones(SIDE, SIDE, dtype=torch.bool)
    area[:, :4] = area[:3] = False
    mask &= area
    kappa = 0.1 * torch.randn(n, SIDE, SIDE, generator=rng)
    kappa = torch.where(area, remove_mean(kappa, area), 0.0)
    large = torch.zeros(n, 2 * SIDE, 2 * SIDE)
    large[:, :SIDE, :SIDE] = kappa
    gamma = ShearOperator((2 * SIDE, 2 * SIDE))(large)[:, :SIDE, :SIDE]
    gamma = gamma if linear else reduced_shear(gamma, kappa)
    noise = sigma * (0.7 + 0.6 * torch.rand(SIDE, SIDE, generator=rng)).expand(n, -1, -1)
    gamma = gamma + shape_noise(noise, rng)
    shape = (n, SIDE, SIDE)
    return ShearField(GRID, gamma, noise, mask.expand(shape), kappa, area=area.expand(shape))


@pytest.mark.parametrize("linear", [False, True])
def test_the_truth_has_chi_square_one_and_a_wrong_sigma_has_not(linear, rng):
    field = lone(rng, 20, linear=linear)
    value = chi_square(field.kappa, field, linear=linear)
    error = 1 / field.mask[0].sum().sqrt()
    assert value.shape == (20,)
    assert abs(value.mean() - 1) < 3 * error / 20**0.5
    assert 0.5 * error < value.std() < 1.6 * error
    wrong = ShearField(GRID, field.gamma, 1.1 * field.sigma, field.mask, area=field.area)
    torch.testing.assert_close(chi_square(field.kappa, wrong, linear=linear), value / 1.21)


def test_reduced_shear_is_not_shear(rng):
    """Strong κ, little noise: a field of g rates the linear prediction badly."""
    field = lone(rng, 1, sigma=0.005)
    right, wrong = (chi_square(field.kappa, field, linear=linear) for linear in (False, True))
    assert right == pytest.approx(1, abs=0.1) and wrong > 3


def test_residuals_are_standard_normal_where_observed(rng):
    field = lone(rng, 4)
    r = residual(field.kappa, field)
    assert (r[~field.mask] == 0).all()
    for part in (r.real, r.imag):
        assert part[field.mask].std() == pytest.approx(1, abs=0.03)
        assert part[field.mask].mean() == pytest.approx(0, abs=0.03)


def test_neither_zero_point_nor_outside_counts(rng):
    field = lone(rng, 1)
    want = chi_square(field.kappa, field)
    junk = torch.randn(1, SIDE, SIDE, generator=rng)
    junk[0, 0, 0] = torch.nan
    poisoned = torch.where(field.area, field.kappa + 0.05, junk)
    torch.testing.assert_close(chi_square(poisoned, field), want, rtol=1e-5, atol=0)


def test_samples_broadcast_against_one_field(rng):
    fields = lone(rng, 2)
    one = ShearField(GRID, fields.gamma[0], fields.sigma[0], fields.mask[0], area=fields.area[0])
    samples = 0.1 * torch.randn(3, 2, SIDE, SIDE, generator=rng)
    value = chi_square(samples, one)
    assert value.shape == (3, 2)
    torch.testing.assert_close(value[1, 0], chi_square(samples[1, 0], one))
    torch.testing.assert_close(chi_square(samples, fields)[1, 0], value[1, 0])


def test_a_gaussian_posterior_is_as_derived():
    """E T = 1 for truth and exact sample, 1 − p/dof for the mean: dense algebra, 12² pixels."""
    side, prior, sigma, draws = 12, 0.1, 0.15, 400
    key, area = generator(3), torch.ones(side, side, dtype=torch.bool)
    basis = prior * torch.eye(side**2, dtype=torch.float64).reshape(-1, side, side)
    shear = predicted_shear(basis, area, linear=True).flatten(1) / sigma
    a = torch.cat([shear.real, shear.imag], 1).T
    precision = torch.eye(side**2, dtype=torch.float64) + a.T @ a
    root = torch.linalg.cholesky(torch.linalg.inv(precision))
    expected = torch.trace(a @ torch.linalg.inv(precision) @ a.T).item() / len(a)
    assert 0.1 < expected < 0.4

    def white(n):
        return torch.randn(draws, n, generator=key, dtype=torch.float64)

    truth = white(side**2)
    data = truth @ a.T + white(len(a))
    mean = torch.linalg.solve(precision, a.T @ data.T).T
    sample = mean + white(side**2) @ root.T
    gamma = sigma * torch.complex(*data.reshape(draws, 2, side, side).unbind(1))
    whole = area.expand(draws, side, side)
    noise = torch.full((draws, side, side), sigma, dtype=torch.float64)
    field = ShearField(Grid((side, side), 1.0), gamma, noise, whole, area=whole)
    values = [
        chi_square(prior * m.reshape(draws, side, side), field, linear=True)
        for m in (truth, sample, mean)
    ]
    error = 4 * (2 / len(a) / draws) ** 0.5
    for value, want in zip(values, (1, 1, 1 - expected), strict=True):
        assert value.mean().item() == pytest.approx(want, abs=error)
    # Samples of one field share its noise: their mean scatters over fields like the truth's.
    assert values[1].std() == pytest.approx(values[0].std().item(), rel=0.15)
    assert np.corrcoef(values[2], values[1])[0, 1] > 0.7


def test_a_sample_agrees_with_the_truth_though_the_sky_goes_on():
    """Exact samples of skies cut from larger ones: T differs from 1, not from the truth's."""
    maps, large = 12, Grid((4 * SIDE, 4 * SIDE), 1.0)
    wiener, rows = Wiener(POWER), []
    for i in range(maps):
        key = generator(78, i)
        kappa = gaussian_field(POWER, large, key)
        gamma, part = ShearOperator(large)(kappa), slice(SIDE, 2 * SIDE)
        sigma = torch.full((SIDE, SIDE), 0.01)
        seen = gamma[part, part] + shape_noise(sigma, key)
        field = ShearField(GRID, seen, sigma, sigma > 0, kappa[part, part])
        sample, mean = wiener.sample(field, 1, i)[0], wiener.map(field)
        trio = torch.stack([field.kappa, sample, mean])
        rows.append(
            torch.stack([chi_square(trio, field, linear=True, margin=m) for m in (0.0, 4.0)])
        )
    truth, sample, mean = torch.stack(rows).unbind(-1)
    near, far = (truth.mean(0) - 1).tolist()
    assert near > 0.1  # the shear of what lies outside, at little noise
    assert far < 0.7 * near
    difference = (sample - truth)[:, 0]
    assert abs(difference.mean()) < 3 * difference.std() / maps**0.5 + 0.005
    assert (mean - truth)[:, 0].mean() < -0.1


def test_the_map_of_chi_square_is_flat_and_shows_a_bad_place(rng):
    field = lone(rng, 1)
    bad = field.gamma.clone()
    bad[0, 40:46, 40:46] += 0.3
    spoilt = ShearField(GRID, bad, field.sigma, field.mask, area=field.area)
    where = field.mask & inner(field.footprint, GRID, 2.0)
    for seen, peak in ((field, False), (spoilt, True)):
        picture = chi_square_map(residual(field.kappa, seen), where, GRID, 3.0)
        assert picture.shape == (1, SIDE, SIDE) and (picture[~where] == 0).all()
        away = picture[0][where[0]]
        assert away.mean() == pytest.approx(1, abs=0.3 if peak else 0.05)
        assert (away.max() > 2) == peak
    assert 0.5 < away.min()


def test_samples_that_explain_the_shear_lie_about_one_everywhere(rng):
    field = lone(rng, 1)
    one = ShearField(GRID, field.gamma[0], field.sigma[0], field.mask[0], area=field.area[0])
    where = one.mask & inner(one.footprint, GRID, 2.0)
    # The same map twice is a posterior without spread: its mean is that of one.
    picture = predictive_map(field.kappa.expand(2, -1, -1), one, 3.0)
    assert picture.shape == (SIDE, SIDE)
    assert torch.equal(picture.isnan(), ~where)
    alone = chi_square_map(residual(field.kappa[0], one), where, GRID, 3.0)
    torch.testing.assert_close(picture[where], alone[where])
    assert picture[where].mean() == pytest.approx(1, abs=0.05)
    # κ of 0.1 a pixel that is not there adds its shear to the noise.
    empty = predictive_map(torch.zeros(1, SIDE, SIDE), one, 3.0)
    assert empty[where].mean() > 1.2
    with pytest.raises(ValueError, match="`width` must be > 0"):
        predictive_map(field.kappa, one, 0.0)
    with pytest.raises(ValueError, match="at least one sample"):
        predictive_map(field.kappa[:0], one, 3.0)


def test_the_inside_is_a_margin_away_from_the_outer_edge_alone():
    area = torch.ones(40, 50, dtype=torch.bool)
    area[:, :10] = False
    area[20:23, 30:33] = False
    grid = Grid((40, 50), 0.5)
    inside = inner(area, grid, 3.0)
    want = torch.zeros_like(area)
    want[5:-5, 15:-5] = True  # the sixth pixel's centre is 3′ from the first one outside
    assert torch.equal(inside, want & area)
    assert torch.equal(inner(area, grid, 0.0), area)
    batch = inner(torch.stack([area, area.flip(1)]), grid, 3.0)
    assert torch.equal(batch, torch.stack([inside, inside.flip(1)]))
    with pytest.raises(ValueError, match="`margin` must be ≥ 0"):
        inner(area, grid, -1.0)


def test_the_error_is_the_scatter_of_the_truths(rng):
    field = lone(rng, 60)
    for margin in (0.0, 8.0):
        error = chi_square_error(field, margin)
        assert (error == error[0]).all()
        scatter = chi_square(field.kappa, field, margin=margin).std()
        assert scatter == pytest.approx(error[0].item(), rel=0.3)
    assert chi_square_error(field)[0] == pytest.approx(field.mask[0].sum().item() ** -0.5)
