"""Shear fields on disk: round trips, mirrors, and a sentence for every way to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from astropy.io import fits

from massgan_core.sky import Grid, ShearField, ShearOperator, Sources
from massgan_core.survey import open_field, read_shear_fits, write_shear_fits

SHAPE = (21, 34)  # odd, not square
SCALE = 0.5


def made(*, sky: bool = True, truth: bool = True) -> ShearField:
    """An asymmetric halo with shear, a hole in the mask and uneven noise."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    kappa = torch.from_numpy(
        0.3 * np.exp(-((x - 9) ** 2 + 2 * (y - 14) ** 2 + (x - 9) * (y - 14)) / 18)
    ).float()
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[3:8, 20:24] = False
    grid = Grid.tan(SHAPE, SCALE, center=(0.05, 80)) if sky else Grid(SHAPE, SCALE)
    return ShearField(
        grid=grid,
        gamma=ShearOperator(grid)(kappa),
        sigma=0.1 + torch.rand(SHAPE, generator=torch.Generator().manual_seed(9)),
        mask=mask,
        kappa=kappa if truth else None,
        counts=mask.int() * 7,
        sources=Sources.plane(1.0),
        name="halo",
    )


def check_same(first: ShearField, second: ShearField) -> None:
    for name in ("gamma", "sigma", "mask", "footprint"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name
    for name in ("kappa", "counts"):
        one, other = getattr(first, name), getattr(second, name)
        assert (one is None) == (other is None) and (one is None or torch.equal(one, other))
    assert first.grid.shape == second.grid.shape
    assert first.grid.pixel_scale == pytest.approx(second.grid.pixel_scale, rel=1e-12)
    if first.grid.wcs is not None:
        corner = [g.pixel_to_sky(0, 0) for g in (first.grid, second.grid)]
        np.testing.assert_allclose(*corner, rtol=1e-12)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A file with the contract's HDUs alone, changed by the caller."""

    def make(
        change: Callable[[fits.HDUList], None] = lambda hdus: None,
        *,
        name: str = "shear",
        sky: bool = True,
    ) -> Path:
        field, path = made(sky=sky), tmp_path / f"{name}.fits"
        header = None if field.grid.wcs is None else field.grid.wcs.to_header()
        images = {
            "GAMMA1": field.gamma.real.numpy(),
            "GAMMA2": field.gamma.imag.numpy(),
            "SIGMA": field.sigma.numpy(),
            "MASK": field.mask.numpy().astype(np.int16),
        }
        hdus = fits.HDUList([fits.PrimaryHDU()])
        if header is None:
            hdus[0].header["PIXSCALE"] = SCALE
        for name, image in images.items():
            hdus.append(fits.ImageHDU(np.array(image), header, name=name))
        change(hdus)
        hdus.writeto(path)
        return path

    return make


@pytest.mark.parametrize("sky", [True, False])
@pytest.mark.parametrize("truth", [True, False])
def test_writing_and_reading_is_the_identity(sky: bool, truth: bool, tmp_path: Path) -> None:
    field = made(sky=sky, truth=truth)
    path = write_shear_fits(field, tmp_path / "field.fits")
    again = read_shear_fits(path)
    check_same(field, again)
    assert again.name == "halo"
    assert again.sources.mean == pytest.approx(1.0, abs=1e-6)
    assert [p.name for p in tmp_path.iterdir()] == ["field.fits"]  # no part left


def test_unobserved_noise_is_never_zero_on_disk(tmp_path: Path) -> None:
    path = write_shear_fits(made(), tmp_path / "field.fits")
    with fits.open(path) as hdus:
        assert np.isnan(hdus["SIGMA"].data[hdus["MASK"].data == 0]).all()
        assert hdus["GAMMA1"].header["CTYPE1"] == "RA---TAN"
        assert hdus["GAMMA1"].header["CDELT1"] < 0


def test_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    path = write_shear_fits(made(), tmp_path / "field.fits")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="exists"):
        write_shear_fits(made(truth=False), path)
    assert path.read_bytes() == before
    write_shear_fits(made(truth=False), path, overwrite=True)
    assert read_shear_fits(path).kappa is None


@pytest.mark.parametrize("sky", [True, False])
def test_the_contracts_hdus_are_enough(sky: bool, write: Callable) -> None:
    field = read_shear_fits(write(sky=sky))
    expected = made(sky=sky)
    assert torch.equal(field.gamma, expected.gamma) and torch.equal(field.mask, expected.mask)
    assert field.kappa is None and field.counts is None and field.sources is None


def test_shear_outside_the_mask_is_never_seen(write: Callable) -> None:
    def spoil(hdus: fits.HDUList) -> None:
        outside = hdus["MASK"].data == 0
        for name, value in {"GAMMA1": 1e6, "GAMMA2": np.nan, "SIGMA": 0.0}.items():
            hdus[name].data[outside] = value

    check_same(read_shear_fits(write(spoil, name="spoilt")), read_shear_fits(write()))


@pytest.mark.parametrize("axes", [(1,), (0,), (0, 1)])
def test_fields_stored_mirrored_are_mirrored_back(axes: tuple[int, ...], write: Callable) -> None:
    def mirror(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            hdu.data = np.flip(hdu.data, axes).copy()
            if hdu.name == "GAMMA2" and len(axes) == 1:
                hdu.data = -hdu.data
            for axis in axes:
                key = 2 - axis  # array axis 1 is FITS axis 1
                hdu.header[f"CRPIX{key}"] = hdu.data.shape[axis] + 1 - hdu.header[f"CRPIX{key}"]
                hdu.header[f"CDELT{key}"] = -hdu.header[f"CDELT{key}"]

    check_same(read_shear_fits(write(mirror, name="mirrored")), read_shear_fits(write()))


def without(*names: str) -> Callable[[fits.HDUList], None]:
    def change(hdus: fits.HDUList) -> None:
        for name in names:
            del hdus[name]

    return change


def header(**cards: object) -> Callable[[fits.HDUList], None]:
    def change(hdus: fits.HDUList) -> None:
        for hdu in hdus[1:]:
            hdu.header.update(cards)

    return change


def turn(degrees: float) -> Callable[[fits.HDUList], None]:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return header(PC1_1=c, PC1_2=-s, PC2_1=s, PC2_2=c)


def pixels(name: str, value: object, inside: bool = True) -> Callable[[fits.HDUList], None]:
    def change(hdus: fits.HDUList) -> None:
        if inside:
            hdus[name].data[10, 5] = value
        else:
            hdus[name].data[:] = value

    return change


def reshaped(hdus: fits.HDUList) -> None:
    hdus["SIGMA"].data = hdus["SIGMA"].data[:-1]


def cube(hdus: fits.HDUList) -> None:
    hdus["GAMMA2"].data = np.stack([hdus["GAMMA2"].data] * 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("SIGMA", "MASK"), "without SIGMA, MASK .* it holds PRIMARY, GAMMA1, GAMMA2"),
        (pixels("MASK", 0, inside=False), "`mask` must hold at least one observed pixel"),
        (pixels("SIGMA", 0.0), "`sigma` must be positive and finite inside the mask, got 1"),
        (pixels("SIGMA", -0.1), "`sigma` must be positive"),
        (pixels("SIGMA", np.nan), "`sigma` must be positive"),
        (pixels("GAMMA1", np.nan), "`gamma` must be finite inside the mask"),
        (reshaped, r"SIGMA must have the shape \(21, 34\) of GAMMA1, got \(20, 34\)"),
        (cube, "GAMMA2 must be an image of two axes"),
        (header(CDELT1=-0.02), "pixels must be square"),
        (turn(17), "North must point up within 1°, it is 17"),
        (header(CTYPE1="RA---SIN", CTYPE2="DEC--SIN"), "plain TAN projection"),
        (header(CTYPE1="GLON-TAN", CTYPE2="GLAT-TAN"), "plain TAN projection"),
    ],
)
def test_bad_fields_get_one_sentence(change: Callable, sentence: str, write: Callable) -> None:
    path = write(change)
    with pytest.raises(ValueError, match=sentence) as caught:
        open_field(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 0.0, -0.3, "wide"])
def test_without_a_wcs_the_pixels_must_have_a_size(value: object, write: Callable) -> None:
    def change(hdus: fits.HDUList) -> None:
        del hdus[0].header["PIXSCALE"]
        if value is not None:
            hdus[0].header["PIXSCALE"] = value

    with pytest.raises(ValueError, match="PIXSCALE"):
        open_field(write(change, sky=False))


def test_a_truth_with_holes_is_refused(write: Callable) -> None:
    def change(hdus: fits.HDUList) -> None:
        hdus.append(fits.ImageHDU(np.full(SHAPE, np.nan, np.float32), name="KAPPA"))

    with pytest.raises(ValueError, match="KAPPA must be finite"):
        open_field(write(change))


def test_a_plain_image_is_no_shear_field(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(path)
    with pytest.raises(ValueError, match="must hold the image HDUs GAMMA1, GAMMA2, SIGMA, MASK"):
        open_field(path)


@pytest.mark.parametrize("part", [100, 2880, 4000, 9000])
def test_truncated_files_get_one_sentence(part: int, write: Callable) -> None:
    path = write()
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(ValueError, match="shear.fits") as caught:
        open_field(path)
    assert "\n" not in str(caught.value)


def test_a_small_turn_of_north_is_kept_in_the_positions(write: Callable) -> None:
    from astropy.wcs import WCS

    path = write(turn(0.4))
    expected = WCS(fits.getheader(path, "GAMMA1"))
    found = read_shear_fits(path).grid
    np.testing.assert_allclose(found.pixel_to_sky(3, 18), expected.all_pix2world(3, 18, 0))
