"""Averages round every pixel."""

from dataclasses import replace

import pytest
import torch

import massgan_core as mg
from massgan_core.sky import galaxy_density, mean_shear


def test_even_skies_keep_their_values(small_field):
    even = replace(
        small_field,
        gamma=torch.full_like(small_field.gamma, 0.03 - 0.02j),
        counts=torch.full(small_field.grid.shape, 7.0),
    )
    area = even.footprint
    shear, density = mean_shear(even, 3.0), galaxy_density(even, 3.0)
    assert (shear[area] - (0.03 - 0.02j)).abs().max() < 1e-5
    assert float(density[area].std()) < 1e-4 * float(density[area].mean())
    assert density[area].mean() == pytest.approx(7 / even.grid.pixel_scale**2, rel=1e-4)
    assert not area.all() and torch.isnan(shear[~area].real).all() and density[~area].isnan().all()


def test_pixels_count_by_what_they_know(small_field):
    """A pixel with a very large σ says nothing."""
    wild = small_field.gamma.clone()
    sigma = small_field.sigma.clone()
    wild[::2], sigma[::2] = 50.0, 1e4
    field = replace(small_field, gamma=torch.where(small_field.mask, wild, 0), sigma=sigma)
    assert mean_shear(field, 2.0)[field.footprint].abs().max() < 1.0


def test_the_real_field_has_as_many_galaxies_as_its_catalogue():
    field = mg.cosmos()
    density = galaxy_density(field)
    total = density[field.footprint].sum() * field.grid.pixel_scale**2
    assert total == pytest.approx(float(field.counts.sum()), rel=0.01)


def test_counts_must_be_known(small_field):
    with pytest.raises(ValueError, match="galaxy counts"):
        galaxy_density(replace(small_field, counts=None))
