import numpy as np
import pytest
import torch

from massgan_core.peaks import aperture_mass, aperture_mean
from massgan_core.sky import Grid, ShearOperator

GRID = Grid((80, 100), 0.5)
WHOLE = torch.ones(80, 100, dtype=torch.bool)
CENTRES = np.array([[0.1, -0.2], [10.0, 5.3], [-12.03, 0.0]])


def distance(place):
    """Of each pixel from a place [arcmin]."""
    row, column = torch.meshgrid(torch.arange(80.0), torch.arange(100.0), indexing="ij")
    x, y = GRID.pixel_to_plane(column, row)
    return torch.hypot(x - place[0], y - place[1])


def test_a_disc_of_constant_mass_has_its_height_inside():
    kappa = torch.zeros(80, 100)
    kappa[distance(CENTRES[1]) < 6.0] = 0.3
    inside = aperture_mean(kappa, GRID, WHOLE, CENTRES, 4.0)
    assert inside.shape == (3,)
    mean = kappa.double().mean()
    torch.testing.assert_close(inside[1], 0.3 - mean, rtol=1e-5, atol=0)
    torch.testing.assert_close(inside[2], -mean, rtol=1e-5, atol=0)
    wide = aperture_mean(kappa, GRID, WHOLE, CENTRES, 12.0)[1]
    assert (wide + mean).item() == pytest.approx(0.3 / 4, rel=0.02)


def test_each_place_may_have_its_own_radius():
    kappa = torch.exp(-distance(CENTRES[0]) / 3)
    radii = np.array([1.0, 3.0, 8.0])
    together = aperture_mean(kappa, GRID, WHOLE, CENTRES, radii)
    alone = [aperture_mean(kappa, GRID, WHOLE, CENTRES, float(r))[i] for i, r in enumerate(radii)]
    torch.testing.assert_close(together, torch.stack(alone))


def test_pixels_count_by_the_part_inside():
    """A tilted plane has its central value in any circle, even one smaller than a pixel."""
    row, column = torch.meshgrid(torch.arange(80.0), torch.arange(100.0), indexing="ij")
    x, y = GRID.pixel_to_plane(column, row)
    plane = 0.01 * x - 0.02 * y
    for radius, tolerance in ((0.4, 3e-3), (1.3, 1e-3), (5.0, 1e-4)):
        got = aperture_mean(plane, GRID, WHOLE, CENTRES, radius)
        want = torch.from_numpy(CENTRES @ [0.01, -0.02])
        torch.testing.assert_close(got, want, rtol=0, atol=tolerance)


def test_aperture_mass_knows_no_sheet_and_is_that_of_the_shear():
    """∫ κ U = ∫ γ_t Q: one from κ, the other from its tangential shear."""
    place, theta = CENTRES[1], 8.0
    kappa = 0.2 * torch.exp(-(distance(place) ** 2) / (2 * 2.0**2)).double()
    mass = aperture_mass(kappa, GRID, WHOLE, CENTRES, theta)
    sheet = aperture_mass(kappa + 0.5, GRID, WHOLE, CENTRES, theta)
    torch.testing.assert_close(mass, sheet, rtol=0, atol=1e-12)
    flat = aperture_mass(torch.full((80, 100), 0.5), GRID, WHOLE, CENTRES, theta)
    assert flat.abs().max() < 1e-12

    row, column = torch.meshgrid(torch.arange(80.0), torch.arange(100.0), indexing="ij")
    x, y = GRID.pixel_to_plane(column, row)
    phase = torch.polar(torch.ones(80, 100), torch.atan2(y - place[1], x - place[0]))
    tangential = -(ShearOperator(GRID)(kappa) * phase.conj() ** 2).real
    x2 = (distance(place) / theta) ** 2
    q = torch.where(x2 < 1, 6 / (np.pi * theta**2) * x2 * (1 - x2), 0.0)
    want = (tangential * q).sum() * GRID.pixel_scale**2
    assert mass[1].item() == pytest.approx(want.item(), rel=0.02)
    assert mass[1] > 20 * mass[2].abs()


def test_what_is_outside_changes_nothing(rng):
    kappa, area = torch.randn(80, 100, generator=rng), torch.rand(80, 100, generator=rng) > 0.1
    poisoned = torch.where(area, kappa + 3, torch.nan)
    for weigh in (aperture_mean, aperture_mass):
        got, want = (weigh(m, GRID, area, CENTRES, 4.0) for m in (poisoned, kappa))
        assert torch.isfinite(got).all()
        torch.testing.assert_close(got, want, rtol=0, atol=1e-6)


def test_a_masked_circle_is_weighed_by_what_is_seen():
    area = WHOLE.clone()
    area[:, 50:] = False
    kappa = torch.where(distance((0.0, 0.0)) < 10, 0.1, 0.0)
    kappa = torch.where(area, kappa, 5.0)
    mean = kappa.double()[area].mean()
    half = np.array([[-0.25, 0.0]])  # between the last column seen and the first unseen
    got = aperture_mean(kappa, GRID, area, half, 4.0, least=0.4)
    torch.testing.assert_close(got[0], 0.1 - mean, rtol=1e-5, atol=0)
    assert aperture_mass(kappa, GRID, area, half, 4.0, least=0.4).abs() < 1e-8


def test_circles_that_are_hardly_seen_are_nan():
    places = np.array([[0.0, 0.0], [24.9, 19.9], [500.0, 0.0], [np.nan, np.nan]])
    kappa = torch.ones(4, 80, 100)
    seen = torch.isfinite(aperture_mean(kappa, GRID, WHOLE, places, 3.0))
    assert seen.shape == (4, 4) and seen[0].tolist() == [True, False, False, False]
    corner = aperture_mean(kappa, GRID, WHOLE, places, 3.0, least=0.2)
    assert torch.isfinite(corner)[0].tolist() == [True, True, False, False]


def test_samples_are_weighed_one_by_one(rng):
    kappa = torch.randn(2, 5, 80, 100, generator=rng)
    for weigh in (aperture_mean, aperture_mass):
        got = weigh(kappa, GRID, WHOLE, CENTRES, 3.0)
        assert got.shape == (2, 5, 3)
        torch.testing.assert_close(got[1, 2], weigh(kappa[1, 2], GRID, WHOLE, CENTRES, 3.0))
    assert aperture_mean(kappa, GRID, WHOLE, np.zeros((0, 2)), 3.0).shape == (2, 5, 0)


def test_the_mean_of_white_noise_scatters_as_its_pixels(rng):
    kappa = torch.randn(400, 80, 100, generator=rng)
    std = aperture_mean(kappa, GRID, WHOLE, CENTRES, 3.0).std(0)
    want = GRID.pixel_scale / (np.pi * 3.0**2) ** 0.5
    torch.testing.assert_close(std, torch.full((3,), want).double(), rtol=0.12, atol=0)


def test_a_radius_is_positive():
    with pytest.raises(ValueError, match="`radius` must be positive"):
        aperture_mean(torch.zeros(80, 100), GRID, WHOLE, CENTRES, 0.0)
