"""What is taken away: the library's arrays bit for bit, and nothing left behind."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from astropy.io import fits
from astropy.wcs import WCS
from zarr.storage import ZipStore

import massgan_core as mg
from explorer import files, store
from explorer.files import Run


@pytest.fixture
def summary(small_field: Any) -> Any:
    *_, last = mg.stream(mg.sampler("wiener", small_field), small_field, 5, 2, seed=7)
    return last


@pytest.fixture
def run(summary: Any) -> Run:
    return Run(summary, "wiener", smoothing=2.0, threshold=0.04, blur=1.5)


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob("massgan-*")) == []


def check_maps(run: Run, read: Any) -> None:
    summary, field = run.summary, run.summary.field
    area = field.footprint
    ks = mg.KaiserSquires(run.smoothing).map(field)
    low, high = summary.quantile((0.025, 0.975))
    for name, expected in {
        "MEAN": summary.mean,
        "STD": summary.std,
        "SNR": summary.snr,
        "LOW": low,
        "HIGH": high,
        "KS": ks - ks[area].mean(),
        "TRUTH": field.truth,
    }.items():
        exact = np.testing.assert_array_equal if name != "KS" else np.testing.assert_allclose
        exact(read(name), expected.numpy(), **({"atol": 1e-7} if name == "KS" else {}))
    soft = mg.SmoothedSamples(run.blur)
    for name in ("mean", "std", "snr"):
        expected = getattr(soft, name)(summary).numpy()
        np.testing.assert_array_equal(read(f"{name.upper()}_SM"), expected)
    chance = summary.probability(run.threshold, run.smoothing)
    np.testing.assert_array_equal(read("PROB")[area.numpy()], chance[area].numpy())


def test_fits_holds_the_maps_a_wcs_and_what_made_them(run: Run) -> None:
    with fits.open(io.BytesIO(files.fits(run))) as hdus:
        check_maps(run, lambda name: hdus[name].data)
        header, grid = hdus[0].header, run.summary.field.grid
        assert (header["METHOD"], header["NSAMP"], header["SEED"]) == ("wiener", 5, 7)
        assert (header["PROBTHR"], header["KSSMO"], header["CALIB"]) == (0.04, 2.0, False)
        assert header["BLUR"] == hdus["STD_SM"].header["BLUR"] == 1.5
        sky = WCS(hdus["MEAN"].header).pixel_to_world_values(3, 5)
        np.testing.assert_allclose(sky, grid.pixel_to_sky(3, 5), rtol=1e-12)


def test_netcdf_and_zarr_hold_the_samples_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "run.nc").write_bytes(files.netcdf(run))
    (tmp_path / "run.zarr.zip").write_bytes(files.zarr(run))
    for data in (
        xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf"),
        xarray.open_zarr(ZipStore(tmp_path / "run.zarr.zip", mode="r")),
    ):
        with data:
            check_maps(run, lambda name, data=data: data[name.lower()].values)
            np.testing.assert_array_equal(data["samples"].values, run.summary.samples.numpy())
            assert data.attrs["method"] == "wiener" and data.attrs["seed"] == 7


def test_one_sample_is_a_file_too(small_field: Any) -> None:
    (one,) = mg.stream(mg.sampler("wiener", small_field), small_field, 1, 1)
    with fits.open(io.BytesIO(files.fits(Run(one, "wiener", 1.0, 0.05)))) as hdus:
        np.testing.assert_array_equal(hdus["MEAN"].data, one.mean.numpy())
        assert np.isnan(hdus["STD"].data).all()


@pytest.mark.parametrize("name", store.trained())
def test_the_interval_in_the_file_is_the_one_on_the_page(name: str) -> None:
    """Where there is none the file says why, in the page's words."""
    field = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    *_, summary = mg.stream(store.sampler(name, field), field, 3, 3)
    promise = store.promise(name, summary)
    with fits.open(io.BytesIO(files.fits(Run(summary, name, 1.0, 0.05)))) as hdus:
        header = hdus[0].header
        assert header["CALIB"] == (promise.low is not None)
        assert header["CKPT"] == name.partition(":")[2]
        said = re.sub(r"\s", "", "".join(map(str, header["HISTORY"])))
        if promise.low is None:
            assert "notcalibrated:" in said
        else:
            np.testing.assert_array_equal(hdus["LOW"].data, promise.low)
            np.testing.assert_array_equal(hdus["HIGH"].data, promise.high)


def test_what_is_too_large_for_a_page_is_refused(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000.0)
    for make in (files.netcdf, files.zarr):
        with pytest.raises(ValueError, match="5 samples of 33 × 24 pixels"):
            make(run)
    assert files.fits(run)  # holds no samples


def test_a_full_disk_is_a_sentence_that_names_no_folder(run: Run, monkeypatch: Any) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "/somewhere/secret")

    monkeypatch.setattr("massgan_core.export.write", full)
    with pytest.raises(OSError) as refused:
        files.fits(run)
    assert str(refused.value) == "the file could not be made: No space left on device"


def test_names_are_fit_for_files(run: Run) -> None:
    assert run.name == "small-wiener-n5-seed7"
    assert files.file_name("../a b/κ:c") == "a-b-κ-c" and files.file_name("///") == "massgan"
    assert len(files.file_name("x" * 500)) <= 80


def test_regions_are_the_clusters_of_the_field() -> None:
    field = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    circles = store.circles(field)
    chosen = str(circles.name[2])
    lines = files.regions(circles, chosen).decode("ascii").splitlines()
    assert lines[0].startswith("# Region file format: DS9") and "fk5" in lines
    pattern = re.compile(r"circle\(([\d.]+),([+-][\d.]+),([\d.]+)'\) # text=\{([^{}]*)\}(.*)")
    found = [match.groups() for line in lines if (match := pattern.fullmatch(line))]
    assert [name for *_, name, _ in found] == list(circles.name) and len(found) > 3
    ra, dec, radius = (np.array([row[i] for row in found], float) for i in range(3))
    x, y = field.grid.sky_to_plane(ra, dec)
    np.testing.assert_allclose(x, circles.x, atol=1e-4)
    np.testing.assert_allclose(y, circles.y, atol=1e-4)
    np.testing.assert_allclose(radius, circles.radius, atol=1e-4)
    marked = [name for *_, name, mark in found if "tag={chosen}" in mark]
    assert marked == [chosen]
