"""The bundled field: the published figures, and two facts of the real sky."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from massgan_core.mapping import KaiserSquires
from massgan_core.sky import ShearField, remove_mean
from massgan_core.survey import (
    clusters,
    cosmos,
    cosmos_catalog,
    cosmos_sources,
    cosmos_spectrum,
    open_field,
)

SMOOTHING = 4 * 0.29  # 4 pixels [arcmin]


def shear_over_sigma(field: ShearField) -> float:
    unit = field.gamma[field.mask] / field.sigma[field.mask]
    return float(torch.view_as_real(unit).square().mean().sqrt())


def test_the_catalogue_is_whole() -> None:
    catalog = cosmos_catalog()
    assert len(catalog) == 417_117
    assert catalog.ra.dtype == catalog.dec.dtype == np.float64
    assert catalog.e1.std() == pytest.approx(0.30516, abs=1e-4)
    assert catalog.e2.std() == pytest.approx(0.30563, abs=1e-4)
    assert (np.median(catalog.ra), np.median(catalog.dec)) == pytest.approx(
        (150.1161025, 2.2474903), abs=1e-7
    )


def test_the_field_has_the_published_figures() -> None:
    field = cosmos()
    assert field.grid.shape == (300, 300) and field.grid.pixel_scale == 0.29
    assert field.counts.sum() == 417_117  # no galaxy falls off the grid
    assert float(field.mask.float().mean()) == pytest.approx(0.769, abs=0.002)
    assert int(field.counts.max()) == 23
    assert float(field.counts[field.mask].float().mean()) == pytest.approx(6.03, abs=0.01)
    depth = float(field.counts.sum() / field.mask.sum()) / 0.29**2
    assert depth == pytest.approx(71.7, abs=0.1)
    assert field.sources is None and field.kappa is None


def test_sigma_is_the_scatter_of_the_shear() -> None:
    assert cosmos_catalog().scatter == pytest.approx(0.295, abs=0.0005)
    assert 1.00 <= shear_over_sigma(cosmos()) <= 1.02
    published = cosmos(noise="published")
    assert shear_over_sigma(published) == pytest.approx(1.03, abs=0.005)
    n = published.counts[published.mask]
    torch.testing.assert_close(
        published.sigma[published.mask] * n.sqrt(), torch.full(n.shape, 0.3054), atol=1e-4, rtol=0
    )
    assert float(published.sigma[published.mask].median()) == pytest.approx(0.125, abs=0.001)


def test_north_is_turned_by_less_than_a_twentieth_of_a_degree() -> None:
    from massgan_core.survey.binning import turn_to_grid

    catalog = cosmos_catalog()[::100]
    one = np.ones(len(catalog), complex)
    angle = np.degrees(np.angle(turn_to_grid(one, catalog.ra, catalog.dec, cosmos().grid))) / 2
    assert 0.02 < np.abs(angle).max() < 0.05


def test_a_second_call_gives_the_same_object() -> None:
    assert cosmos() is cosmos() is cosmos(center=(150.1161025, 2.2474903), size=87)
    assert cosmos_catalog() is cosmos_catalog()


def test_a_region_at_another_scale() -> None:
    field = cosmos(center=(149.9, 2.5), size=(20, 10), pixel_scale=0.5)
    assert field.grid.shape == (20, 40)
    assert (
        field.counts.sum()
        == open_field("cosmos", center=(149.9, 2.5), size=(20, 10), pixel_scale=0.25).counts.sum()
    )
    with pytest.raises(ValueError, match="no galaxy of COSMOS lies in the field"):
        cosmos(center=(10.0, 2.0), size=10)


def test_sources_and_their_spectrum() -> None:
    assert cosmos_sources().mean == pytest.approx(1.41, abs=0.01)
    spectrum = cosmos_spectrum()
    assert spectrum.ell[0] == 10 and spectrum.ell[-1] == 1e5 and len(spectrum.ell) == 80


def test_the_bundled_spectrum_is_that_of_pyccl() -> None:
    import pyccl as ccl

    cosmology = ccl.Cosmology(
        Omega_c=0.26,
        Omega_b=0.049,
        h=0.677,
        sigma8=0.81,
        n_s=0.965,
        transfer_function="eisenstein_hu",
        matter_power_spectrum="halofit",
    )
    sources, table = cosmos_sources(), cosmos_spectrum()
    tracer = ccl.WeakLensingTracer(cosmology, dndz=(sources.redshift, sources.density))
    expected = ccl.angular_cl(cosmology, tracer, tracer, table.ell[::4])
    np.testing.assert_allclose(table.power[::4], expected, rtol=2e-3)


# Two facts of the real sky


@cache
def inner() -> dict[str, np.ndarray]:
    """Pixels well inside the field, in two senses.

    ``holes``: at least one smoothing length from any pixel off the footprint, stars' holes
    included. ``edge``: on the footprint, at least 3′ from its outer edge.
    """
    area = cosmos().footprint.numpy()
    room = 0.29 * distance_transform_edt(area)
    edge = 0.29 * distance_transform_edt(binary_fill_holes(area))
    return {"holes": room >= SMOOTHING, "edge": area & (edge >= 3)}


def stacked(kappa: torch.Tensor, where: str) -> tuple[int, float, float]:
    """Clusters, their mean κ, and its height above 3,000 random sets of positions [σ]."""
    field, area = cosmos(), inner()[where]
    image = remove_mean(kappa, field.footprint).numpy()
    found = clusters()
    column, row = (np.rint(v).astype(int) for v in field.grid.sky_to_pixel(found.ra, found.dec))
    on = (column >= 0) & (column < 300) & (row >= 0) & (row < 300)
    on[on] = area[row[on], column[on]]
    mean = image[row[on], column[on]].mean()
    everywhere = image[area]
    rng = np.random.default_rng(2007)
    random = everywhere[rng.integers(0, everywhere.size, (3000, on.sum()))].mean(1)
    return int(on.sum()), float(mean), float((mean - random.mean()) / random.std())


@pytest.mark.parametrize(("where", "least"), [("holes", 45), ("edge", 50)])
def test_mass_stands_on_the_inner_clusters(where: str, least: int) -> None:
    n, kappa, height = stacked(KaiserSquires(SMOOTHING).map(cosmos()), where)
    assert n >= least
    assert kappa == pytest.approx(0.0145, abs=0.0015)
    assert height >= 6.5


@pytest.mark.parametrize("where", ["holes", "edge"])
def test_neither_the_b_mode_nor_the_wrong_sign_of_e2_does(where: str) -> None:
    estimator = KaiserSquires(SMOOTHING)
    _, _, b_mode = stacked(estimator.b_mode(cosmos()), where)
    _, _, flipped = stacked(estimator.map(open_field("cosmos", flip_e2=True)), where)
    assert abs(b_mode) < 3
    assert abs(flipped) < 3


def test_the_cluster_at_redshift_073_is_the_highest_peak() -> None:
    field = cosmos()
    kappa = KaiserSquires(SMOOTHING).map(field).where(field.footprint, torch.tensor(-1.0))
    y, x = divmod(int(kappa.argmax()), 300)
    there = field.grid.sky_to_pixel(149.92, 2.51)
    assert 0.29 * np.hypot(x - there[0], y - there[1]) < 1
