"""Every kind of INPUT through the one door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from astropy.table import Table

from massgan_core.sky import Grid, ShearOperator
from massgan_core.survey import Catalog, cosmos, grid_catalog, open_field, write_shear_fits


def rows(catalog: Catalog) -> dict[str, np.ndarray]:
    return {key: np.array(getattr(catalog, key)) for key in ("ra", "dec", "e1", "e2", "weight")}


def save(catalog: Catalog | dict, path: Path) -> Path:
    table = rows(catalog) if isinstance(catalog, Catalog) else catalog
    if path.suffix == ".fits":
        Table(table).write(path)
    elif path.suffix == ".csv":
        pa.csv.write_csv(pa.table(table), path)
    else:
        pa.parquet.write_table(pa.table(table), path)
    return path


@pytest.mark.parametrize("suffix", [".fits", ".csv", ".parquet"])
def test_a_catalogue_is_gridded_all_of_it(
    suffix: str, make_catalog: Callable, tmp_path: Path
) -> None:
    catalog = make_catalog()
    field = open_field(save(catalog, tmp_path / f"survey{suffix}"))
    assert int(field.counts.sum()) == len(catalog)
    assert field.grid.pixel_scale == 0.29
    assert 20 <= max(field.grid.extent) < 21
    assert field.name == f"survey{suffix}" and field.sources is None
    expected = grid_catalog(catalog, field.grid)
    torch.testing.assert_close(field.gamma, expected.gamma)
    torch.testing.assert_close(field.sigma, expected.sigma)


def test_cosmos_by_name_is_the_bundled_field() -> None:
    assert open_field("cosmos") is cosmos()
    part = open_field("cosmos", center=(149.92, 2.51), size=20, noise="published")
    assert part.grid.shape == (69, 69) and part.notes["noise"] == "published"


def test_a_part_at_another_scale(make_catalog: Callable, tmp_path: Path) -> None:
    path = save(make_catalog(), tmp_path / "survey.csv")
    field = open_field(path, center=(150.05, 2.03), size=(8, 4), pixel_scale=0.5)
    assert field.grid.shape == (8, 16)
    np.testing.assert_allclose(field.grid.pixel_to_sky(7.5, 3.5), (150.05, 2.03))
    around = open_field(path, center=(150.1, 2.0))  # no size: what reaches all galaxies
    assert int(around.counts.sum()) == 2000
    middle = open_field(path, size=5)  # no centre: the middle
    assert np.hypot(*middle.grid.sky_to_plane(150, 2)) < 0.3


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 2.0), (359.99, -40.0), (200.0, 80.0)])
def test_the_same_sky_elsewhere_gives_the_same_field(
    ra: float, dec: float, make_catalog: Callable, tmp_path: Path
) -> None:
    """RA crossing 0° and a declination of 80° are nothing special."""
    catalog = make_catalog(ra=ra, dec=dec)
    field = open_field(save(catalog, tmp_path / "survey.parquet"), center=(ra, dec), size=20)
    usual = make_catalog()
    expected = grid_catalog(usual, Grid.tan(field.grid.shape, 0.29, center=(150, 2)))
    assert torch.equal(field.counts, expected.counts)
    torch.testing.assert_close(field.sigma, expected.sigma)
    # Local North differs by the convergence of the meridians alone.
    torch.testing.assert_close(field.gamma.abs(), expected.gamma.abs(), atol=0.01, rtol=0.01)


def test_flips_and_distortion(make_catalog: Callable, tmp_path: Path) -> None:
    catalog = make_catalog()
    path = save(catalog, tmp_path / "survey.parquet")
    field = open_field(path)
    # North turns by 0.3′ across the field: 1e-4 of a radian.
    flipped = open_field(path, flip_e2=True)
    torch.testing.assert_close(flipped.gamma, field.gamma.conj().resolve_conj(), atol=5e-4, rtol=0)
    both = open_field(path, flip_e1=True, flip_e2=True)
    torch.testing.assert_close(both.gamma, -field.gamma)
    small = rows(catalog)
    small["e1"], small["e2"] = 0.01 * small["e1"], 0.01 * small["e2"]
    path = save(small, tmp_path / "round.parquet")
    half = open_field(path, ellipticity="distortion")
    torch.testing.assert_close(half.gamma, open_field(path).gamma / 2, atol=1e-6, rtol=1e-3)


def test_redshifts_of_the_sources(make_catalog: Callable, tmp_path: Path) -> None:
    catalog = make_catalog()
    z = np.random.default_rng(2).gamma(4, 0.2, len(catalog))
    path = save({**rows(catalog), "z": z}, tmp_path / "survey.fits")
    expected = np.average(z, weights=catalog.weight)
    assert open_field(path).sources.mean == pytest.approx(expected, abs=0.01)
    assert open_field(path, columns="z=").sources is None
    assert open_field(path, zs=0.8).sources.mean == pytest.approx(0.8)
    table = tmp_path / "nz.csv"
    table.write_text("z,n\n0.0,0\n0.5,1\n1.0,0\n")
    assert open_field(path, nz=table).sources.mean == pytest.approx(0.75)
    assert open_field("cosmos", nz=table).sources.mean == pytest.approx(0.75)


def test_a_shear_field_is_cropped_where_asked(tmp_path: Path) -> None:
    whole = cosmos()
    path = write_shear_fits(whole, tmp_path / "cosmos.fits")
    part = open_field(path, center=(149.92, 2.51), size=(10, 20))
    assert part.grid.shape == (69, 35)
    x, y = part.grid.sky_to_pixel(149.92, 2.51)
    assert abs(x - 17) <= 0.5 and abs(y - 34) <= 0.5
    left, top = (round(float(v)) for v in whole.grid.sky_to_pixel(*part.grid.pixel_to_sky(0, 0)))
    assert torch.equal(part.gamma, whole.gamma[top : top + 69, left : left + 35])
    corner = open_field(path, center=(150.8, 1.6), size=30)  # part of it is off the field
    assert max(corner.grid.shape) < 104
    assert open_field(path, pixel_scale=0.29).grid.shape == (300, 300)
    flipped = open_field(path, flip_e2=True)
    assert torch.equal(flipped.gamma.imag, -whole.gamma.imag)


def test_odd_and_oblong_fields_are_legal(make_catalog: Callable, tmp_path: Path) -> None:
    path = save(make_catalog(), tmp_path / "survey.csv")
    field = open_field(path, center=(150, 2), size=(15.5, 9.5), pixel_scale=0.5)
    assert field.grid.shape == (19, 31)
    assert ShearOperator(field.grid).inverse(field.gamma).shape == (19, 31)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"center": (10.0, 2.0), "size": 5}, "no galaxy of survey.csv lies in the field"),
        ({"columns": "e1=ELL1"}, r"no column for e1 \('ELL1'\)"),
        ({"size": 0}, "`size` must be positive"),
        ({"pixel_scale": -1}, "`pixel_scale` must be positive"),
        ({"center": (10.0, 200.0)}, "`center` must be"),
        ({"ellipticity": "polarisation"}, "`ellipticity` must be one of shear, distortion"),
        ({"noise": "none"}, "`noise` must be one of weighted, published"),
        ({"zs": -1.0}, "`zs` must be a positive redshift"),
        ({"zs": 1.0, "nz": "nz.csv"}, "not both"),
        ({"pixel_scale": 0.001}, "the limit is 4096 on a side"),
    ],
)
def test_bad_choices_get_one_sentence(
    how: dict, sentence: str, make_catalog: Callable, tmp_path: Path
) -> None:
    path = save(make_catalog(50), tmp_path / "survey.csv")
    with pytest.raises(ValueError, match=sentence) as caught:
        open_field(path, **how)
    assert "\n" not in str(caught.value)


def test_what_is_for_catalogues_alone_is_said_so(tmp_path: Path) -> None:
    path = write_shear_fits(cosmos(), tmp_path / "cosmos.fits")
    with pytest.raises(ValueError, match="`columns` .* catalogues"):
        open_field(path, columns="ra=RA")
    with pytest.raises(ValueError, match="`ellipticity` .* catalogues"):
        open_field("cosmos", ellipticity="distortion")
    with pytest.raises(ValueError, match="`noise` .* catalogues"):
        open_field(path, noise="published")
    with pytest.raises(ValueError, match="`pixel_scale` of a shear-field FITS is fixed"):
        open_field(path, pixel_scale=0.5)
    with pytest.raises(ValueError, match="`center` must lie in the field"):
        open_field(path, center=(10.0, 2.0))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match="INPUT must be 'cosmos' or a file.*'nowhere.fits'"
    ):
        open_field("nowhere.fits")
    with pytest.raises(FileNotFoundError, match="`nz` must be a file"):
        open_field("cosmos", nz=tmp_path / "nz.csv")


def test_rows_with_nan_are_counted(make_catalog: Callable, tmp_path: Path) -> None:
    table = rows(make_catalog(500))
    table["e1"][:40] = np.nan
    path = save(table, tmp_path / "survey.fits")
    with pytest.warns(UserWarning, match="survey.fits: left out 40 of 500 rows"):
        assert int(open_field(path).counts.sum()) == 460
    table["e2"][:] = np.nan
    path = save(table, tmp_path / "nothing.fits")
    with pytest.raises(ValueError, match="nothing.fits holds no usable galaxy among 500 rows"):
        open_field(path)
