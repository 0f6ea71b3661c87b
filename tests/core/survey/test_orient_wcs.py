"""Any TAN header brought to North up, East left, without moving a position."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io.fits import Header
from astropy.wcs import WCS

from massgan_core.survey.orient_wcs import north_up, sky_wcs

SHAPE = (40, 60)


def header(**cards: object) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [12, 80], [7, 3]
    wcs.wcs.cdelt = [-0.01, 0.01]
    for key, value in cards.items():
        setattr(wcs.wcs, key, value)
    wcs.wcs.set()
    return wcs


@pytest.mark.parametrize("cdelt", [(-0.01, 0.01), (0.01, 0.01), (-0.01, -0.01), (0.01, -0.01)])
def test_every_pixel_keeps_its_place_on_the_sky(cdelt: tuple[float, float]) -> None:
    wcs = header(cdelt=cdelt)
    ours, flip_x, flip_y = north_up(wcs, SHAPE)
    assert (flip_x, flip_y) == (cdelt[0] > 0, cdelt[1] < 0)
    x, y = np.array([0, 59, 12]), np.array([0, 5, 39])
    mirrored = (59 - x if flip_x else x), (39 - y if flip_y else y)
    np.testing.assert_allclose(
        ours.all_pix2world(*mirrored, 0), wcs.all_pix2world(x, y, 0), rtol=1e-12
    )
    assert ours.wcs.cdelt[0] < 0 < ours.wcs.cdelt[1]


def test_a_cd_matrix_is_as_good_as_steps() -> None:
    sky = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 12.0, "CRVAL2": 80.0}
    pixels = {"CRPIX1": 7.0, "CRPIX2": 3.0, "CD1_1": -0.01, "CD1_2": 0.0}
    given = Header({**sky, **pixels, "CD2_1": 0.0, "CD2_2": 0.01})
    ours, *flips = north_up(sky_wcs(given), SHAPE)
    assert flips == [False, False]
    np.testing.assert_allclose(ours.wcs.cdelt, (-0.01, 0.01))
    np.testing.assert_allclose(ours.wcs.pc, np.eye(2), atol=1e-15)


def test_a_header_without_sky_has_none() -> None:
    assert sky_wcs(Header({"SIMPLE": True})) is None
    assert sky_wcs(Header({"CTYPE1": "LINEAR", "CDELT1": 0.1})) is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cdelt": [-0.01, 0.012]}, "pixels must be square, got 0.6′ × 0.72′"),
        ({"lonpole": 90.0}, "North must point up within 1°, it is 90.0° off"),
        ({"ctype": ["DEC--TAN", "RA---TAN"]}, "plain TAN projection"),
        ({"ctype": ["RA---CAR", "DEC--CAR"]}, "plain TAN projection"),
    ],
)
def test_what_cannot_be_turned_is_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        north_up(header(**change), SHAPE)


def test_the_pole_itself_is_legal() -> None:
    wcs = header(crval=[12, 90])
    ours, *_ = north_up(wcs, SHAPE)
    np.testing.assert_allclose(ours.all_pix2world(20, 30, 0), wcs.all_pix2world(20, 30, 0))
