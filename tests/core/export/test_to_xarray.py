"""Datasets: dims, coordinates, attributes; zarr and netCDF round trips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray
from astropy.wcs import WCS

from massgan_core.export import to_xarray, write
from massgan_core.sky import Grid


def test_dims_and_variables(wiener, ks):
    dataset = to_xarray(wiener, ks=ks, threshold=0.02)
    assert dict(dataset.sizes) == {"y": 24, "x": 33, "sample": 12}
    assert {"mean", "std", "snr", "ks", "ks_b", "low", "high", "prob"} <= set(dataset)
    assert {"mask", "footprint", "truth", "samples"} <= set(dataset)
    assert dataset["samples"].dims == ("sample", "y", "x")
    np.testing.assert_allclose(dataset["samples"].mean("sample"), dataset["mean"], atol=1e-6)
    np.testing.assert_allclose(dataset["samples"].std("sample", ddof=1), dataset["std"], rtol=1e-4)


def test_coordinates_are_offsets_and_sky(wiener, small_grid):
    dataset = to_xarray(wiener)
    assert dataset["x"].attrs["units"] == dataset["y"].attrs["units"] == "arcmin"
    assert float(dataset["x"].mean()) == pytest.approx(0, abs=1e-12)
    assert float(dataset["y"][-1]) == 11.5  # up, 1′ pixels
    ra, dec = small_grid.pixel_to_sky(4, 20)
    assert float(dataset["ra"][20, 4]) == ra and float(dataset["dec"][20, 4]) == dec


def test_a_field_that_is_nowhere_has_no_sky(wiener):
    nowhere = replace(wiener.field, grid=Grid((24, 33), 0.7))
    dataset = to_xarray(replace(wiener, field=nowhere))
    assert set(dataset.coords) == {"x", "y", "sample"} and "wcs" not in dataset.attrs


def test_summary_and_export_speak_alike(wiener):
    xarray.testing.assert_identical(wiener.to_xarray(), to_xarray(wiener))


def test_samples_can_stay_at_home(wiener):
    assert "samples" not in to_xarray(wiener, save_samples=False)
    assert "samples" not in to_xarray(replace(wiener, batches=()))


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_what_is_written_is_read_back(wiener, ks, tmp_path, suffix):
    path = write(wiener, tmp_path / f"out{suffix}", ks=ks, save_samples=True, outside=["far"])
    want = to_xarray(wiener, ks=ks, outside=["far"])
    engine = {".zarr": "zarr", ".nc": "h5netcdf"}[suffix]
    with xarray.open_dataset(path, engine=engine) as dataset:
        xarray.testing.assert_equal(dataset.load(), want)
        assert dict(dataset.attrs) == dict(want.attrs)
        assert dataset.attrs["in_domain"] == 0 and dataset.attrs["calibrated"] == 0
        assert "outside the domain: far" in dataset.attrs["remarks"]
        wcs = WCS(dataset.attrs["wcs"])
    grid = wiener.field.grid
    np.testing.assert_allclose(wcs.all_pix2world(3, 7, 0), grid.pixel_to_sky(3, 7), atol=1e-9)


@pytest.mark.parametrize(("suffix", "writer"), [(".zarr", "to_zarr"), (".nc", "to_netcdf")])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_writer_that_dies_leaves_what_was_there(
    wiener, tmp_path, monkeypatch, suffix, writer, error
):
    path = write(wiener, tmp_path / f"out{suffix}")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    original = getattr(xarray.Dataset, writer)

    def late(self, part, **options):
        original(self, part, **options)
        raise error

    monkeypatch.setattr(xarray.Dataset, writer, late)
    with pytest.raises(type(error)):
        write(wiener, path, overwrite=True, save_samples=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_overwrite_leaves_nothing_of_the_old(wiener, tmp_path, suffix):
    path = write(wiener, tmp_path / f"out{suffix}", save_samples=True)
    write(wiener, path, overwrite=True)
    engine = {".zarr": "zarr", ".nc": "h5netcdf"}[suffix]
    with xarray.open_dataset(path, engine=engine) as dataset:
        assert "samples" not in dataset and "mean" in dataset
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
