from dataclasses import replace

import pytest
import torch

from massgan_core.mapping import Wiener
from massgan_core.mapping.sparse import Sparse, _noise, analyse, starlets
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    generator,
    shape_noise,
)

POWER = PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])


def observed(kappa, sigma, key, scale=1.0):
    """The whole of a map, with noise of std `sigma`."""
    noise = torch.full_like(kappa, sigma)
    gamma = ShearOperator(tuple(kappa.shape))(kappa) + shape_noise(noise, key)
    mask = torch.ones_like(noise, dtype=torch.bool)
    return ShearField(Grid(tuple(kappa.shape), scale), gamma, noise, mask, kappa)


def halo(height, shape=(64, 51), at=(40, 20), width=2.5):
    """A Gaussian bump."""
    y, x = (torch.arange(n, dtype=torch.float32) - c for n, c in zip(shape, at, strict=True))
    return height * torch.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * width**2))


@pytest.mark.parametrize("shape", [(32, 32), (31, 45)])
def test_starlet_coefficients_add_up_to_the_image(shape, rng):
    wavelets, image = starlets(Grid(shape), 4, torch.ones(())), torch.randn(shape, generator=rng)
    coefficients = analyse(image, wavelets)
    assert coefficients.shape == (5, *shape)
    torch.testing.assert_close(coefficients.sum(0), image, rtol=0, atol=1e-5)
    torch.testing.assert_close(coefficients[:-1].sum((-2, -1)), torch.zeros(4), rtol=0, atol=1e-3)


def test_finest_wavelet_is_a_pixel_less_the_spline():
    """The filter bank is that of the B3 spline [1, 4, 6, 4, 1]/16."""
    point = torch.zeros(16, 16)
    point[8, 8] = 1
    finest = analyse(point, starlets(Grid((16, 16)), 1, point))[0]
    spline = torch.tensor([0.0, 1, 4, 6, 4, 1, 0]) / 16
    want = point[5:12, 5:12] - spline[:, None] * spline
    torch.testing.assert_close(finest[5:12, 5:12], want, rtol=0, atol=1e-6)


def test_noise_is_that_of_white_noise_with_the_fields_sigma(small_field):
    shape = small_field.grid.shape
    operator, weight = ShearOperator(shape), small_field.weight**2
    wavelets = starlets(small_field.grid, 4, weight)[:-1]
    many = small_field.sigma.expand(800, *shape)
    draws = operator.adjoint(weight * shape_noise(many, generator(5)))
    spread = torch.stack([analyse(d, wavelets) for d in draws]).std(0)
    ratio = spread / _noise(wavelets, operator, weight)
    assert abs(ratio.mean() - 1) < 0.01 and ratio.std() < 0.05


def test_noise_free_full_field_is_recovered(rng):
    large = Grid((128, 128), 1.0)
    kappa = gaussian_field(POWER, large, rng)
    part, sigma = slice(32, 96), torch.full((64, 64), 1e-3)
    gamma = ShearOperator(large)(kappa)[part, part]
    field = ShearField(Grid((64, 64), 1.0), gamma, sigma, sigma > 0, kappa[part, part])
    inner = slice(16, 48)
    a, b = Sparse(POWER).map(field)[inner, inner], field.kappa[inner, inner]
    assert torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] > 0.98


def test_planted_halo_comes_out_higher_than_with_wiener_and_nearer_to_the_truth():
    for seed in range(3):
        key = generator(3, seed)
        sky = gaussian_field(POWER, Grid((64, 51), 1.0), key)
        field = observed(sky + halo(0.25), 0.15, key)
        tall, low = (m.map(field)[39:42, 19:22].mean() for m in (Sparse(POWER), Wiener(POWER)))
        truth = field.kappa[39:42, 19:22].mean()
        assert tall > 1.2 * low
        assert abs(tall - truth) < abs(low - truth)


@pytest.mark.parametrize("observed_part", [1.0, 0.5])
def test_strong_halo_has_its_height_whatever_is_unobserved(observed_part, rng):
    field = observed(halo(0.5), 0.02, generator(8))
    field = replace(field, mask=torch.rand(field.grid.shape, generator=rng) < observed_part)
    sparse, gaussian = Sparse(POWER).components(field)
    core = (slice(38, 43), slice(18, 23))
    truth = field.kappa[core].mean()
    assert abs((sparse + gaussian)[core].mean() / truth - 1) < 0.1
    assert 0.65 < sparse[core].mean() / truth < 1


def test_void_stays_with_the_gaussian_component():
    field = observed(halo(-0.25), 0.15, generator(4))
    sparse, gaussian = Sparse(POWER).components(field)
    around = (slice(38, 43), slice(18, 23))
    assert gaussian[around].max() < -0.01 and not sparse[around].any()


def test_where_nothing_is_significant_it_is_the_wiener_filter(small_field):
    sparse, gaussian = Sparse(POWER, threshold=50.0).components(small_field)
    assert not sparse.any()
    assert torch.equal(gaussian, Wiener(POWER).map(small_field))


def test_pure_noise_is_hardly_ever_significant():
    field = observed(torch.zeros(96, 96), 0.15, generator(6))
    many, few = (Sparse(POWER, threshold=t).components(field)[0].std() for t in (1.0, 4.0))
    assert few < 0.05 * many


def test_shear_outside_the_mask_changes_nothing(small_field):
    gamma = torch.where(small_field.mask, small_field.gamma, 1e6 + 0j)
    poisoned, sparse = replace(small_field, gamma=gamma), Sparse(POWER, threshold=1.5)
    assert sparse.components(small_field)[0].any()
    assert torch.equal(sparse.map(poisoned), sparse.map(small_field))


def test_samples_are_the_map_and_the_map_is_always_the_same(small_field):
    maps = [Sparse(POWER, threshold=1.5).map(small_field) for _ in range(2)]
    assert maps[0].shape == small_field.grid.shape == (24, 33)
    assert torch.equal(*maps)
    draws = Sparse(POWER, threshold=1.5).sample(small_field, 3, 9)
    assert torch.equal(draws, maps[0].expand(3, -1, -1))


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"scales": 1}, {"iterations": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
        Sparse(POWER, **wrong)
