"""Laws of gridding: sums are kept, biases undone, North turned to the grid, mirrors mirrored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from massgan_core.sky import Grid, ShearOperator
from massgan_core.sky.tangent_plane import Place
from massgan_core.survey import Catalog, cosmos_catalog, grid_around, grid_catalog, gridding
from massgan_core.survey.binning import turn_to_grid
from massgan_core.survey.gridding import pixel_sums, rotate_galaxies
from massgan_core.survey.outline import Outline


def east_right(grid: Grid) -> Grid:
    """The same patch of sky with East to the right."""
    wcs = grid.wcs.deepcopy()
    wcs.wcs.cdelt = -wcs.wcs.cdelt[0], wcs.wcs.cdelt[1]
    wcs.wcs.set()
    return replace(grid, wcs=wcs)


@pytest.mark.parametrize("shape", [(60, 60), (31, 77)])
def test_gridding_keeps_the_sums_of_the_galaxies_inside(
    make_catalog: Callable, shape: tuple[int, int]
) -> None:
    catalog = make_catalog()
    grid = Grid.tan(shape, 0.29, center=(150.02, 2.01))
    sums = pixel_sums(catalog, grid)
    x, y = grid.sky_to_plane(catalog.ra, catalog.dec)
    inside = (abs(x) < grid.extent[1] / 2) & (abs(y) < grid.extent[0] / 2)
    assert 0 < inside.sum() < len(catalog)
    weight = catalog.weight[inside].astype(float)
    assert sums["n"].sum() == inside.sum()
    assert sums["w"].sum() == pytest.approx(weight.sum(), rel=1e-12)
    assert sums["w2"].sum() == pytest.approx((weight**2).sum(), rel=1e-12)


def test_coarse_pixels_hold_what_their_fine_pixels_hold(make_catalog: Callable) -> None:
    catalog = make_catalog()
    fine = pixel_sums(catalog, Grid.tan((64, 64), 0.25, center=(150, 2)))
    coarse = pixel_sums(catalog, Grid.tan((32, 32), 0.5, center=(150, 2)))
    for key, values in fine.items():
        blocks = values.reshape(32, 2, 32, 2).sum((1, 3))
        np.testing.assert_allclose(coarse[key], blocks, atol=1e-10)


def test_shear_and_noise_are_those_of_the_definitions(make_catalog: Callable) -> None:
    catalog = make_catalog(400, side=4)
    grid = Grid.tan((8, 8), 0.5, center=(150, 2))
    field = grid_catalog(catalog, grid)
    x, y = grid.sky_to_pixel(catalog.ra, catalog.dec)
    here = (np.rint(x) == 2) & (np.rint(y) == 5)
    w = catalog.weight[here].astype(float)
    e = (catalog.e1 + 1j * catalog.e2)[here]
    assert here.sum() > 1 and field.counts[5, 2] == here.sum()
    # North turns by some arcseconds across this field: 1e-4 of a radian.
    assert complex(field.gamma[5, 2]) == pytest.approx((w * e).sum() / w.sum(), abs=1e-4)
    expected = catalog.scatter * np.sqrt((w**2).sum()) / w.sum()
    assert float(field.sigma[5, 2]) == pytest.approx(expected, rel=1e-6)
    published = grid_catalog(catalog, grid, noise="published")
    expected = catalog.plain_scatter / np.sqrt(here.sum())
    assert float(published.sigma[5, 2]) == pytest.approx(expected, rel=1e-6)
    assert torch.equal(published.gamma, field.gamma)


def test_the_unit_of_weights_and_the_order_of_galaxies_do_not_matter(
    make_catalog: Callable,
) -> None:
    catalog = make_catalog()
    grid = Grid.tan((40, 40), 0.5, center=(150, 2))
    field = grid_catalog(catalog, grid)
    order = np.random.default_rng(3).permutation(len(catalog))
    other = grid_catalog(replace(catalog[order], weight=8 * catalog.weight[order]), grid)
    torch.testing.assert_close(other.gamma, field.gamma)
    torch.testing.assert_close(other.sigma, field.sigma)
    assert torch.equal(other.counts, field.counts)


def test_biases_are_undone(make_catalog: Callable) -> None:
    catalog = make_catalog()
    grid = Grid.tan((20, 20), 1.0, center=(150, 2))
    field = grid_catalog(catalog, grid)
    rng = np.random.default_rng(4)
    m, c1, c2 = rng.uniform(-0.2, 0.1, len(catalog)), *rng.normal(0, 0.01, (2, len(catalog)))
    shifted = replace(catalog, e1=catalog.e1 + c1, e2=catalog.e2 + c2, c1=c1, c2=c2)
    torch.testing.assert_close(grid_catalog(shifted, grid).gamma, field.gamma)
    # A common bias scales shear and noise alike; shear/σ stays.
    for key, value in {"m": 0.25, "R": 1.25}.items():
        scaled = replace(
            catalog,
            e1=catalog.e1 * 1.25,
            e2=catalog.e2 * 1.25,
            **{key: np.full(len(catalog), value)},
        )
        for noise in gridding.NOISES:
            plain = grid_catalog(catalog, grid, noise=noise)
            biased = grid_catalog(scaled, grid, noise=noise)
            torch.testing.assert_close(biased.gamma, plain.gamma)
            torch.testing.assert_close(biased.sigma, plain.sigma)
    # Σw(e − c)/Σw(1 + m), pixel by pixel
    sums, plain = pixel_sums(replace(catalog, m=m), grid), pixel_sums(catalog, grid)
    np.testing.assert_array_equal(sums["e"], plain["e"])
    assert sums["response"].sum() == pytest.approx(
        (catalog.weight * (1.0 + m))[inside(catalog, grid)].sum()
    )


def inside(catalog: Catalog, grid: Grid) -> np.ndarray:
    x, y = grid.sky_to_plane(catalog.ra, catalog.dec)
    return (abs(x) < grid.extent[1] / 2) & (abs(y) < grid.extent[0] / 2)


def halo_far_from_the_centre(dec: float) -> tuple[Catalog, Grid, float, float]:
    """One galaxy a pixel, sheared tangentially (on the sphere) about a halo 2° off the centre.

    Any profile is a pure E mode; this one, θ² exp(−θ²/2s²), ends within the field.
    """
    from astropy.coordinates import SkyCoord

    grid = Grid.tan((300, 300), 1.0, center=(0.3, dec))  # RA = 0 runs through the field
    row, column = np.mgrid[0:300, 0:300]
    ra, dec_ = grid.pixel_to_sky(column.ravel(), row.ravel())
    galaxies = SkyCoord(ra, dec_, unit="deg")
    x, y = 149.5 + 115, 149.5 + 34  # 2° off, mostly to the West
    halo = SkyCoord(*grid.pixel_to_sky(x, y), unit="deg")
    theta = galaxies.separation(halo).arcmin
    towards = galaxies.position_angle(halo).rad  # from North through East
    polar = np.pi / 2 + towards  # from West through North
    size = 5.0
    tangential = 0.1 * (theta / size) ** 2 * np.exp(-0.5 * (theta / size) ** 2)
    e = -tangential * np.exp(2j * polar)
    return Catalog(ra, dec_, e.real, e.imag, name="halo"), grid, x, y


@pytest.mark.parametrize("dec", [2.2, 80.0, -80.0])
def test_a_halo_far_from_the_centre_has_no_b_mode(
    dec: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, grid, x, y = halo_far_from_the_centre(dec)
    sums = pixel_sums(catalog, grid)
    assert (sums["n"] == 1).all()

    def modes() -> torch.Tensor:
        return ShearOperator(grid).modes(grid_catalog(catalog, grid).gamma)

    kappa = modes()
    assert kappa.imag.std() < 0.01 * kappa.real.std()
    peak = divmod(int(kappa.real.argmax()), 300)
    assert abs(peak[1] - x) <= 1 and abs(peak[0] - y) <= 1  # a mass, not a hole
    if abs(dec) == 80:
        monkeypatch.setattr(Place, "turn", (1.0, 0.0))
        wrong = modes()
        assert wrong.imag.std() > 0.1 * wrong.real.std()


def test_north_leans_as_the_meridians_do() -> None:
    grid = Grid.tan((100, 100), 1.0, center=(30.0, 80.0))
    one = np.ones(1, complex)
    east = turn_to_grid(one, np.array([35.0]), np.array([80.0]), grid)
    west = turn_to_grid(one, np.array([25.0]), np.array([80.0]), grid)
    assert abs(east) == pytest.approx(1) and east == pytest.approx(west.conj())
    # Meridians meet at the pole: 5° east of the centre (left), North leans to the right by
    # about ΔRA·sin δ.
    assert np.degrees(np.angle(east)) / 2 == pytest.approx(-5 * np.sin(np.deg2rad(80)), abs=0.05)


def test_the_mirror_image_has_e2_negated(make_catalog: Callable) -> None:
    catalog = make_catalog()
    grid = Grid.tan((41, 60), 0.5, center=(150.02, 2.01))
    left, right = grid_catalog(catalog, grid), grid_catalog(catalog, east_right(grid))
    assert torch.equal(right.counts.flip(-1), left.counts)
    torch.testing.assert_close(right.gamma.flip(-1).conj(), left.gamma, atol=1e-6, rtol=1e-5)


def test_the_arrays_of_the_literature_are_our_mirror_image() -> None:
    """There: a plain RA/Dec histogram, RA increasing along x, e2 negated."""
    catalog = cosmos_catalog()
    center, scale = (150.1161025, 2.2474903), 0.29
    edges = (np.arange(301) - 150) * scale / 60
    plain = [
        np.histogram2d(catalog.dec - center[1], catalog.ra - center[0], (edges, edges), weights=w)[
            0
        ]
        for w in (catalog.weight, catalog.weight * catalog.e1, -catalog.weight * catalog.e2)
    ]
    theirs = (plain[1] + 1j * plain[2]) / np.where(plain[0] > 0, plain[0], 1)
    field = grid_catalog(catalog, Grid.tan((300, 300), scale, center=center))
    ours = field.gamma.flip(-1).numpy().conj()
    # Near the centre a plain histogram and a tangent plane agree galaxy by galaxy.
    middle = (slice(135, 165), slice(135, 165))
    same = np.abs(theirs - ours)[middle] < 1e-3
    assert same.mean() > 0.9
    # Across the field most galaxies fall into the same pixel; unmirrored, hardly any do.
    assert np.corrcoef(theirs.imag.ravel(), ours.imag.ravel())[0, 1] > 0.8
    assert abs(np.corrcoef(theirs.imag.ravel(), field.gamma.imag.numpy().ravel())[0, 1]) < 0.05
    assert np.corrcoef(theirs.imag.ravel(), -ours.imag.ravel())[0, 1] < -0.8


@pytest.mark.parametrize(("ra", "dec"), [(0.02, 10.0), (359.95, -3.0), (123.0, 80.0), (7.0, 89.9)])
def test_the_middle_of_a_catalogue_anywhere_on_the_sky(
    make_catalog: Callable, ra: float, dec: float
) -> None:
    catalog = make_catalog(ra=ra, dec=dec)
    middle, size = Outline().add(catalog.ra, catalog.dec).extent()
    offset = Grid.tan((1, 1), 1.0, center=(ra, dec)).sky_to_plane(*middle)
    assert np.hypot(*offset) < 0.2
    assert size == (pytest.approx(20, abs=0.1), pytest.approx(20, abs=0.1))
    field = grid_catalog(catalog, grid_around(middle, 20.6, 0.5))
    assert field.counts.sum() == len(catalog)
    # The same galaxies with RA counted from −180° are the same field.
    other = replace(catalog, ra=(catalog.ra + 180) % 360 - 180)
    again = grid_catalog(other, field.grid)
    assert torch.equal(again.counts, field.counts)
    torch.testing.assert_close(again.gamma, field.gamma, atol=1e-5, rtol=1e-4)


def test_galaxies_all_around_the_sky_have_no_middle() -> None:
    ra = np.linspace(0, 359, 50)
    catalog = Catalog(ra, np.zeros(50), np.full(50, 0.1), np.zeros(50))
    with pytest.raises(ValueError, match="spans more than half the sky"):
        Outline().add(catalog.ra, catalog.dec).extent()


def test_the_other_side_of_the_sky_is_not_the_field(make_catalog: Callable) -> None:
    with pytest.raises(ValueError, match="no galaxy of made up lies in the field of 10′ × 10′"):
        grid_catalog(make_catalog(), grid_around((330.0, -2.0), 10, 0.5))


def test_random_rotation_keeps_shapes_and_loses_shear(make_catalog: Callable) -> None:
    catalog = make_catalog(5000)
    sheared = replace(catalog, e1=catalog.e1 + 0.2)
    turned = rotate_galaxies(sheared, torch.Generator().manual_seed(5))
    again = rotate_galaxies(sheared, torch.Generator().manual_seed(5))
    np.testing.assert_array_equal(turned.e1, again.e1)
    np.testing.assert_allclose(
        np.hypot(turned.e1, turned.e2), np.hypot(sheared.e1, sheared.e2), rtol=1e-6
    )
    assert abs(turned.e1.mean()) < 4 * 0.3 / np.sqrt(5000)
    assert sheared.e1.mean() > 0.18


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"center": (150.0, 95.0)}, "`center` must be"),
        ({"center": (np.nan, 2.0)}, "`center` must be"),
        ({"size": -3.0}, "`size` must be positive"),
        ({"size": (10.0, 0.0)}, "`size` must be positive"),
        ({"pixel_scale": 0.0}, "`pixel_scale` must be positive"),
        ({"size": 6000.0}, "the limit is 4096 on a side"),
    ],
)
def test_impossible_fields_get_one_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        grid_around(**{"center": (150.0, 2.0), "size": 10.0, **change})


def test_a_whole_number_of_pixels_stays_one() -> None:
    assert grid_around((150, 2), 87.0, 0.29).shape == (300, 300)
    assert grid_around((150, 2), (29.0, 87.1), 0.29).shape == (301, 100)


def test_galaxies_that_are_all_round_have_no_known_noise() -> None:
    here = np.full(5, 10.0)
    catalog = Catalog(here, here, np.zeros(5), np.zeros(5), name="round ones")
    with pytest.raises(ValueError, match="every ellipticity is 0"):
        grid_catalog(catalog, grid_around((10, 10), 5, 0.5))
    with pytest.raises(ValueError, match="`noise` must be one of weighted, published"):
        grid_catalog(catalog, grid_around((10, 10), 5, 0.5), noise="none")
