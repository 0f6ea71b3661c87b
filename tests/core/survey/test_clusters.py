"""The bundled cluster lists."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.sky import Grid
from massgan_core.survey import clusters, cosmos


@pytest.mark.parametrize(("name", "length"), [("finoguenov2007", 72), ("george2011", 129)])
def test_lists_load_by_name_and_make_sense(name: str, length: int) -> None:
    found = clusters(name)
    assert len(found) == length == len(set(found.id)) == len(set(found.name))
    for key in ("ra", "dec", "r500", "redshift", "m500"):
        assert np.isfinite(getattr(found, key)).all() and (getattr(found, key) > 0).all()
    assert found.ra.min() > 149 and found.ra.max() < 151.5
    assert found.r500.min() > 0.2 and found.r500.max() < 6  # arcmin
    assert found.m500.min() > 0.1 and found.m500.max() < 50  # 1e13 Msun


def test_the_two_lists_agree_about_their_common_clusters() -> None:
    ours, theirs = clusters("finoguenov2007"), clusters("george2011")
    apart = np.hypot(
        (ours.ra[:, None] - theirs.ra) * np.cos(np.deg2rad(2.2)), ours.dec[:, None] - theirs.dec
    )
    nearest = apart.argmin(1)
    common = 60 * apart.min(1) < 1.5
    assert 40 <= common.sum() <= 50
    same = common & (np.abs(ours.redshift - theirs.redshift[nearest]) < 0.05)
    assert same.sum() > 20
    ratio = theirs.m500[nearest][same] / ours.m500[same]
    assert 0.5 < np.median(ratio) < 2
    ratio = theirs.r500[nearest][same] / ours.r500[same]
    assert 0.7 < np.median(ratio) < 1.4


def test_selection_keeps_rows_together() -> None:
    found = clusters()
    some = found[found.redshift == 0.73]
    assert len(some) == (found.redshift == 0.73).sum()
    near = np.hypot(some.ra - 149.92, some.dec - 2.51).argmin()
    assert some.ra[near] == pytest.approx(149.92, abs=0.01)
    assert len(found[3]) == 1 and found[3].name[0] == found.name[3]


def test_positions_on_the_grid_are_those_of_the_sky() -> None:
    """What an image viewer shows: North up, East left, offsets by spherical trigonometry."""
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

    found, grid = clusters(), cosmos().grid
    x, y = grid.sky_to_pixel(found.ra, found.dec)
    center = SkyCoord(*grid.pixel_to_sky(149.5, 149.5), unit="deg")
    east, north = center.spherical_offsets_to(SkyCoord(found.ra, found.dec, unit="deg"))
    np.testing.assert_allclose(149.5 - east.arcmin / 0.29, x, atol=0.05)
    np.testing.assert_allclose(149.5 + north.arcmin / 0.29, y, atol=0.05)
    # And by the header alone, as another program reads it (pixels counted from 1).
    header = WCS(grid.wcs.to_header())
    np.testing.assert_allclose(header.all_world2pix(found.ra, found.dec, 1), (x + 1, y + 1))
    corner = Grid.tan((300, 300), 0.29, center=(150.1161025, 2.2474903))
    np.testing.assert_allclose(corner.sky_to_pixel(found.ra, found.dec), (x, y))


def test_an_unknown_list_gets_one_sentence() -> None:
    with pytest.raises(ValueError, match="one of finoguenov2007, george2011, got 'abell'"):
        clusters("abell")
