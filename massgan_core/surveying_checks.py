"""What is refused before a wide survey begins."""

from __future__ import annotations

from math import isfinite

from massgan_core.survey.gridding import NOISES
from massgan_core.survey.open import ELLIPTICITIES
from massgan_core.surveying_plan import INTERIOR, METHODS

LARGEST_NSIDE = 1 << 17  #: pixels of 1.6″


def check_settings(
    method: str,
    samples: int,
    batch: int,
    scale: float,
    interior: float | None,
    margin: float | None,
    nside: int | None,
    ellipticity: str,
    noise: str,
) -> None:
    """Settings that cannot be.

    Raises:
        ValueError: With what is wrong.
    """
    for name, value, known in (
        ("method", method, METHODS),
        ("ellipticity", ellipticity, ELLIPTICITIES),
        ("noise", noise, NOISES),
    ):
        if value not in known:
            raise ValueError(
                f"`{name}` of a wide survey must be one of {', '.join(known)}, got {value!r}"
            )
    for name, value in (("samples", samples), ("batch", batch)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}")
    if not (isfinite(scale) and 0 < scale < 4):
        raise ValueError(f"`pixel_scale` of a wide survey must lie in 0 to 4 arcmin, got {scale}")
    side = INTERIOR * scale if interior is None else interior
    if not 32 * scale <= side <= 600:
        raise ValueError(
            f"`patch` must be at least 32 pixels ({32 * scale:.3g}′) and at most 600′, got {side}"
        )
    if margin is not None and not 0 <= margin <= 120:
        raise ValueError(f"`margin` must lie between 0 and 120 arcmin, got {margin}")
    power = nside is None or nside > 0 and nside & (nside - 1) == 0
    if not power or (nside is not None and nside > LARGEST_NSIDE):
        raise ValueError(
            f"`healpix` must be a power of 2 of at most {LARGEST_NSIDE} (NSIDE), got {nside}"
        )
