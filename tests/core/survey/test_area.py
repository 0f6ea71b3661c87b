"""The footprint of sparse catalogues: chance holes filled, real ones kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from massgan_core.sky import footprint
from massgan_core.survey import cosmos
from massgan_core.survey.area import closing_radius, galaxies_per_pixel, survey_area

PIXEL = 0.29**2  # [arcmin²]


def survey() -> np.ndarray:
    """A disc of a survey with one star cut out of it."""
    y, x = np.mgrid[-100:100, -100:100]
    return (x**2 + y**2 < 90**2) & ((x - 20) ** 2 + (y + 30) ** 2 > 15**2)


@pytest.mark.parametrize("depth", [3, 10, 30])
def test_chance_holes_are_filled_and_real_ones_kept(depth: float) -> None:
    truth = survey()
    counts = np.random.default_rng(6).poisson(depth * PIXEL * truth)
    mask = counts > 0
    empty = 1 - mask[truth].mean()
    area = survey_area(mask, counts)
    assert (area | mask == area).all()
    missed = 1 - area[truth].mean()
    assert missed < empty / 5 and missed < 0.03  # nearly all of it along the edges
    within = distance_transform_edt(truth) > 10
    assert 1 - area[within].mean() < 0.01
    assert area[~truth].mean() < 0.005
    y, x = np.mgrid[-100:100, -100:100]
    star = (x - 20) ** 2 + (y + 30) ** 2 < 8**2
    assert not area[star].any()


def test_ten_galaxies_an_arcminute_leave_43_percent_of_pixels_empty() -> None:
    counts = np.random.default_rng(7).poisson(10 * PIXEL, (400, 400))
    assert (counts == 0).mean() == pytest.approx(0.43, abs=0.01)
    assert survey_area(counts > 0, counts).mean() > 0.995


def test_at_cosmos_depth_only_single_empty_pixels_are_filled() -> None:
    field = cosmos()
    expected = footprint(field.mask)
    assert (survey_area(field.mask.numpy(), field.counts.numpy()) == expected.numpy()).all()
    assert expected.sum() > field.mask.sum()


@pytest.mark.parametrize(("rate", "error"), [(0.1, 0.04), (0.84, 0.005), (6.0, 0.002)])
def test_the_rate_of_galaxies_does_not_count_what_was_not_surveyed(
    rate: float, error: float
) -> None:
    counts = np.zeros((600, 600), int)
    counts[:200] = np.random.default_rng(8).poisson(rate, (200, 600))
    assert galaxies_per_pixel(counts) == pytest.approx(rate, rel=4 * error)  # 4 standard errors


def test_one_galaxy_a_pixel_and_a_single_one_are_legal() -> None:
    assert galaxies_per_pixel(np.ones((5, 5))) == 1
    lonely = np.zeros((9, 9))
    lonely[4, 4] = 1
    area = survey_area(lonely > 0, lonely)
    assert area[4, 4] and area.shape == (9, 9)


def test_the_disc_is_improbably_empty_and_no_larger() -> None:
    assert closing_radius(6.03, largest=150) == 0
    assert closing_radius(0.84, largest=150) == pytest.approx(2**0.5)
    assert closing_radius(1e-6, largest=150) == 150
    for rate in (0.02, 0.1, 0.25, 1.0):
        radius = closing_radius(rate, largest=150)
        assert np.pi * radius**2 * rate > 3 and np.pi * (radius - 1) ** 2 * rate < 12
