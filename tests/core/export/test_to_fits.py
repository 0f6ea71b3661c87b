"""The FITS contract: HDUs, WCS, provenance; read back with astropy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.io import fits
from astropy.wcs import WCS

from massgan_core.export import Interval, to_fits
from massgan_core.sky import Grid

CONTRACT = ["MEAN", "STD", "SNR", "KS", "KS_B", "LOW", "HIGH", "PROB"]


@pytest.fixture
def written(wiener, ks, tmp_path):
    """Path of a file with everything in it."""
    field = replace(wiener.field, counts=torch.full((24, 33), 7.0), kappa=None)
    summary = replace(wiener, field=field)
    path = tmp_path / "out.fits"
    return to_fits(summary, path, ks=ks, threshold=0.02, outside=["x"], save_samples=True)


def test_the_file_holds_the_contract_s_hdus_in_order(written, wiener):
    with fits.open(written) as hdus:
        hdus.verify("exception")
        assert [h.name for h in hdus[1:]] == [*CONTRACT, "MASK", "FOOTPRT", "NGAL", "SAMPLES"]
        np.testing.assert_array_equal(hdus["MEAN"].data, wiener.mean)
        np.testing.assert_array_equal(hdus["SAMPLES"].data, wiener.samples)
        assert all(hdus[name].data.dtype == np.dtype(">f4") for name in CONTRACT)
        assert (hdus["NGAL"].data == 7).all()


def test_the_header_tells_where_the_maps_come_from(written, wiener):
    header = fits.getheader(written)
    want = {"METHOD": "wiener", "SEED": 3, "NSAMP": 12, "NKEPT": 12, "BATCH": 4}
    want |= {"ZEROPT": "footprint mean", "CALIB": False, "LEVEL": 0.95, "INDOMAIN": False}
    want |= {"DTYPE": "float32", "DEVICE": "cpu", "PROBTHR": 0.02, "PROBSMO": 1.0, "KSSMO": 1.5}
    assert {key: header[key] for key in want} == want
    assert {"VERSION", "THREADS", "PIXSCALE", "OBJECT"} <= set(header)
    assert "outside the domain: x" in str(header["HISTORY"])
    prob, low = fits.getheader(written, "PROB"), fits.getheader(written, "LOW")
    assert (prob["PROBTHR"], prob["PROBSMO"]) == (0.02, 1.0)
    assert (low["CALIB"], low["LEVEL"]) == (False, 0.95)


def test_a_calibrated_interval_says_how_and_what_for(wiener, tmp_path):
    facts = {"interval_method": "cqr", "calibration_maps": 120, "calibration_boxes": 24}
    facts |= {"calibration_samples": 32}
    promise = "coverage of a pixel: 95 % over simulated skies like the training ones"
    interval = Interval(wiener.mean - 0.1, wiener.mean + 0.1, promise, facts)
    path = to_fits(wiener, tmp_path / "out.fits", interval=interval)
    header = fits.getheader(path)
    want = {"CALIB": True, "CALMETH": "cqr", "CALMAPS": 120, "CALBOXES": 24, "CALSAMP": 32}
    assert {key: header[key] for key in want} == want
    comment = str(header["COMMENT"]).replace("\n", "")
    assert f"LOW and HIGH: {promise}." in comment and "no guarantee" not in comment
    assert "promise" not in str(header.get("HISTORY", ""))
    for name in ("LOW", "HIGH"):
        own = fits.getheader(path, name)
        assert (own["CALIB"], own["CALMETH"], own["LEVEL"]) == (True, "cqr", 0.95)
        assert promise in str(own["COMMENT"]).replace("\n", "")


@pytest.mark.parametrize("name", ["MEAN", "FOOTPRT", "SAMPLES"])
def test_the_wcs_is_the_field_s(written, small_grid, name):
    wcs = WCS(fits.getheader(written, name)).celestial
    x, y = np.array([0.0, 32.0, 10.5]), np.array([0.0, 23.0, 4.25])
    ra, dec = wcs.all_pix2world(x, y, 0)
    want = small_grid.pixel_to_sky(x, y)
    assert np.abs(ra - want[0]).max() < 1e-12 and np.abs(dec - want[1]).max() < 1e-12
    assert ra[0] > ra[1] and dec[1] > dec[0]  # East left, North up
    for key in ("crpix", "crval", "cdelt"):
        # A card holds 20 characters: sixteen digits of -0.01666…
        want = getattr(small_grid.wcs.wcs, key)
        np.testing.assert_allclose(getattr(wcs.wcs, key), want, rtol=1e-15, err_msg=key)


def test_a_crop_keeps_its_place_on_the_sky(wiener, tmp_path):
    part = wiener.field.crop(3, 5, (12, 14))
    moments = replace(
        wiener.moments,
        mean=wiener.moments.mean[3:15, 5:19],
        squares=wiener.moments.squares[3:15, 5:19],
    )
    path = to_fits(replace(wiener, field=part, moments=moments, batches=()), tmp_path / "c.fits")
    wcs = WCS(fits.getheader(path, "MEAN"))
    here = [float(v) for v in wcs.all_pix2world(0, 0, 0)]
    np.testing.assert_allclose(here, wiener.field.grid.pixel_to_sky(5, 3), atol=1e-12)


def test_a_field_that_is_nowhere_has_its_pixel_scale(wiener, tmp_path):
    nowhere = replace(wiener.field, grid=Grid((24, 33), 0.7))
    path = to_fits(replace(wiener, field=nowhere), tmp_path / "out.fits", save_samples=True)
    for name in (0, "MEAN", "SAMPLES"):
        header = fits.getheader(path, name)
        assert header["PIXSCALE"] == 0.7 and "CTYPE1" not in header


def test_the_same_summary_gives_the_same_bytes(wiener, ks, tmp_path):
    first, second = (
        to_fits(wiener, tmp_path / name, ks=ks, threshold=0.0) for name in ("a.fits", "b.fits")
    )
    assert first.read_bytes() == second.read_bytes()


def test_names_and_notes_beyond_ascii_are_spelt_out(wiener, tmp_path):
    notes = {"cut": "σ < 0.3′ – κ\nsecond line", "long": "word " * 60}
    field = replace(wiener.field, name="Pérez 20′", notes=notes)
    header = fits.getheader(to_fits(replace(wiener, field=field), tmp_path / "out.fits"))
    assert header["OBJECT"] == "P?rez 20'"
    assert "sigma < 0.3' - kappa second line" in str(header["HISTORY"]).replace("\n", "")
    assert str(header["HISTORY"]).replace("\n", "").count("word") == 60


def test_a_file_that_exists_is_kept(wiener, tmp_path):
    path = tmp_path / "out.fits"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="--overwrite"):
        to_fits(wiener, path)
    assert path.read_text() == "mine"
    to_fits(wiener, path, overwrite=True)
    assert fits.getheader(path)["NSAMP"] == 12
    assert [p.name for p in tmp_path.iterdir()] == ["out.fits"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, "mine"])
def test_a_writer_that_dies_leaves_what_was_there(wiener, tmp_path, monkeypatch, error, before):
    path = tmp_path / "out.fits"
    if before is not None:
        path.write_text(before)
    started = []

    def half(self, name, **_):
        name.write_bytes(b"SIMPLE  =")
        started.append(name)
        raise error

    monkeypatch.setattr(fits.HDUList, "writeto", half)
    with pytest.raises(type(error)):
        to_fits(wiener, path, overwrite=True)
    assert started and started[0].parent == tmp_path
    left = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert left == ({} if before is None else {"out.fits": before})
