r"""A flat-sky pixel grid, optionally tied to the sky.

Arrays are ``[..., y, x]``: axis -2 is y (up), axis -1 is x (right). A sky grid is a tangent
plane (TAN) with North up and East **left**, so ``CDELT1 < 0``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import pi
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from astropy.wcs import WCS

ARCMIN = pi / 180 / 60  #: one arcminute [rad]


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape, pixel scale and, where the field lies on the sky, a celestial WCS.

    Args:
        shape: Number of pixels ``(H, W)``.
        pixel_scale: Side of a (square) pixel [arcmin].
        wcs: Celestial :class:`astropy.wcs.WCS`; `None` for a field that is nowhere.

    Raises:
        ValueError: The shape holds no pixel or the scale is not positive.
    """

    shape: tuple[int, int]
    pixel_scale: float = 0.29
    wcs: WCS | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise ValueError(f"`shape` must be two positive numbers of pixels, got {self.shape}")
        if not 0 < self.pixel_scale < float("inf"):
            raise ValueError(f"`pixel_scale` must be positive [arcmin], got {self.pixel_scale}")
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        object.__setattr__(self, "pixel_scale", float(self.pixel_scale))

    @classmethod
    def tan(
        cls, shape: tuple[int, int], pixel_scale: float, *, center: tuple[float, float]
    ) -> Grid:
        """A tangent plane, North up, East left.

        Args:
            shape: Number of pixels ``(H, W)``.
            pixel_scale: Side of a pixel [arcmin].
            center: (RA, Dec) of the middle [deg].
        """
        from astropy.wcs import WCS

        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [float(center[0]) % 360.0, float(center[1])]
        wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
        wcs.wcs.cdelt = [-pixel_scale / 60, pixel_scale / 60]
        wcs.wcs.set()
        return cls(shape, pixel_scale, wcs)

    @property
    def extent(self) -> tuple[float, float]:
        """Height and width of the field [arcmin]."""
        return self.shape[0] * self.pixel_scale, self.shape[1] * self.pixel_scale

    @property
    def pixel_area(self) -> float:
        """Solid angle of one pixel [sr], Ω_pix."""
        return (self.pixel_scale * ARCMIN) ** 2

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Edges (left, bottom, right, top) about the centre [arcmin], x to the right."""
        height, width = self.extent
        return -width / 2, -height / 2, width / 2, height / 2

    def wavenumbers(
        self, device: torch.device | None = None
    ) -> tuple[Float[Tensor, "H 1"], Float[Tensor, "1 W"]]:
        """Angular wavenumbers (ℓ_y, ℓ_x) of ``torch.fft.fft2`` [1/rad]."""
        step = self.pixel_scale * ARCMIN
        ky, kx = (
            2 * pi * torch.fft.fftfreq(n, step, device=device, dtype=torch.float64)
            for n in self.shape
        )
        return ky[:, None], kx[None, :]

    def multipoles(self, device: torch.device | None = None) -> Float[Tensor, "H W"]:
        """|ℓ| of every mode of ``torch.fft.fft2`` [1/rad], float64."""
        ky, kx = self.wavenumbers(device)
        return torch.sqrt(ky**2 + kx**2)

    def resized(self, shape: tuple[int, int], *, offset: tuple[int, int] = (0, 0)) -> Grid:
        """The grid of `shape` (H, W) whose pixel (0, 0) is this grid's pixel `offset` (y, x).

        A negative `offset` pads.
        """
        wcs = None
        if self.wcs is not None:
            wcs = self.wcs.deepcopy()
            wcs.wcs.crpix = [wcs.wcs.crpix[0] - offset[1], wcs.wcs.crpix[1] - offset[0]]
            wcs.wcs.set()
        return replace(self, shape=shape, wcs=wcs)

    def sky_to_pixel(self, ra: object, dec: object) -> tuple[object, object]:
        """Pixel coordinates (x, y), 0 at the centre of the first pixel, of positions.

        Positions on the far half of the sky, which a tangent plane cannot show, give NaN.

        Args:
            ra: Right ascension [deg], a number or an array.
            dec: Declination [deg], likewise.

        Raises:
            ValueError: The grid has no WCS.
        """
        import numpy as np

        self._need_wcs()
        ra, dec = np.broadcast_arrays(np.asarray(ra, float), np.asarray(dec, float))
        x, y = self.wcs.all_world2pix(ra, dec, 0)
        ra0, dec0 = np.deg2rad(self.wcs.wcs.crval)
        a, d = np.deg2rad(ra), np.deg2rad(dec)
        near = np.sin(dec0) * np.sin(d) + np.cos(dec0) * np.cos(d) * np.cos(a - ra0) > 0
        return np.where(near, x, np.nan), np.where(near, y, np.nan)

    def pixel_to_sky(self, x: object, y: object) -> tuple[object, object]:
        """Right ascension and declination [deg] of pixel coordinates `x` and `y`.

        Raises:
            ValueError: The grid has no WCS.
        """
        self._need_wcs()
        ra, dec = self.wcs.all_pix2world(x, y, 0)
        return ra, dec

    def sky_to_plane(self, ra: object, dec: object) -> tuple[object, object]:
        """Offsets (x, y) from the centre of the field [arcmin], x to the right (West).

        Args:
            ra: Right ascension [deg], a number or an array.
            dec: Declination [deg], likewise.

        Raises:
            ValueError: The grid has no WCS.
        """
        x, y = self.sky_to_pixel(ra, dec)
        return self.pixel_to_plane(x, y)

    def pixel_to_plane(self, x: object, y: object) -> tuple[object, object]:
        """Offsets (x, y) from the centre of the field [arcmin] of pixel coordinates `x`, `y`."""
        height, width = self.shape
        return (x - (width - 1) / 2) * self.pixel_scale, (y - (height - 1) / 2) * self.pixel_scale

    def plane_to_pixel(self, x: object, y: object) -> tuple[object, object]:
        """Pixel coordinates (x, y) of offsets `x`, `y` from the centre of the field [arcmin]."""
        height, width = self.shape
        return x / self.pixel_scale + (width - 1) / 2, y / self.pixel_scale + (height - 1) / 2

    def _need_wcs(self) -> None:
        if self.wcs is None:
            raise ValueError("this grid has no celestial WCS: it is not on the sky")
