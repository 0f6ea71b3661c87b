"""Bring the WCS of a file to ours: TAN, square pixels, North up, East left."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

LARGEST_TURN = 1.0  #: of North from up at the reference point [deg]


def sky_wcs(header: Header) -> WCS | None:
    """The celestial WCS of a header, or `None` where it has none."""
    from astropy.wcs import WCS, FITSFixedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(header)
    return wcs.celestial if wcs.has_celestial else None


def north_up(wcs: WCS, shape: tuple[int, int]) -> tuple[WCS, bool, bool]:
    """The same projection with East left and North up, and which axes (x, y) to mirror.

    Raises:
        ValueError: Not TAN in RA and Dec, pixels not square, or North not along an axis. The
            field must then be gridded anew.
    """
    from astropy.wcs import WCS

    kinds = [str(kind) for kind in wcs.wcs.ctype]
    if kinds[0][:2] + kinds[1][:3] != "RADEC" or {kind[-4:] for kind in kinds} != {"-TAN"}:
        raise ValueError(
            f"the WCS must be a plain TAN projection of RA and Dec, got {', '.join(kinds)}; "
            "grid the shear anew"
        )
    if wcs.sip is not None or wcs.cpdis1 is not None or wcs.cpdis2 is not None:
        raise ValueError("the WCS must have no distortion terms; grid the shear anew")
    matrix = np.asarray(wcs.pixel_scale_matrix)
    scales = np.hypot(*matrix)
    if abs(scales[0] / scales[1] - 1) > 1e-3:
        raise ValueError(
            f"pixels must be square, got {scales[0] * 60:.4g}′ × {scales[1] * 60:.4g}′; "
            "grid the shear anew"
        )
    turn = np.degrees(np.arctan2(abs(matrix[0, 1]), abs(matrix[1, 1])))
    skew = np.degrees(np.arctan2(abs(matrix[1, 0]), abs(matrix[0, 0])))
    # LONPOLE turns the sky about the reference point; at the pole itself 0 is its default.
    rest = 0.0 if wcs.wcs.crval[1] >= 90 else 180.0
    turn = max(turn, skew, abs((wcs.wcs.lonpole - rest + 180) % 360 - 180))
    if turn > LARGEST_TURN:
        raise ValueError(
            f"North must point up within {LARGEST_TURN:g}°, it is {turn:.1f}° off the y axis; "
            "grid the shear anew North up, East left"
        )
    flips = matrix[0, 0] > 0, matrix[1, 1] < 0
    ours = WCS(naxis=2)
    ours.wcs.ctype, ours.wcs.crval = kinds, wcs.wcs.crval
    scale = float(np.sqrt(abs(np.linalg.det(matrix))))
    mirror = np.array([-1.0 if flip else 1.0 for flip in flips])
    ours.wcs.cdelt = [-scale, scale]
    ours.wcs.pc = matrix * mirror / np.array([[-scale], [scale]])
    ours.wcs.crpix = [
        size + 1 - at if flip else at
        for at, size, flip in zip(wcs.wcs.crpix, shape[::-1], flips, strict=True)
    ]
    ours.wcs.lonpole = wcs.wcs.lonpole
    if wcs.wcs.radesys:
        ours.wcs.radesys = wcs.wcs.radesys
    ours.wcs.set()
    return ours, bool(flips[0]), bool(flips[1])
