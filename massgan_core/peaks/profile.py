r"""κ along a straight line through a map, and how long the line is.

.. math:: \kappa(t) = \kappa\big(a + t\,(b - a)/|b - a|\big), \qquad 0 \le t \le |b - a|

between pixels by bilinear interpolation. A straight line on a tangent plane is a great circle.
The band between samples is pointwise: at each t alone so many of them lie inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.peaks.regions import enough
from massgan_core.sky import Grid

MOST = 600  #: points along a line
_AT_ONCE = 64  # maps, to bound memory


@dataclass(frozen=True, eq=False)
class Profile:
    """Maps along a line.

    Args:
        distance: From the line's beginning [arcmin].
        kappa: Of every map; NaN outside the footprint.
    """

    distance: Float[np.ndarray, " P"]
    kappa: Float[Tensor, "*B P"]

    def band(self, level: float) -> Float[Tensor, "2 P"] | None:
        """Ends of the central interval of `level` between the maps, pointwise; None: too few."""
        if self.kappa.ndim < 2 or not enough(self.kappa[..., 0].numel(), level):
            return None
        ends = self.kappa.new_tensor([(1 - level) / 2, (1 + level) / 2])
        return torch.quantile(self.kappa.flatten(0, -2), ends, dim=0)


def profile(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    start: tuple[float, float],
    end: tuple[float, float],
) -> Profile:
    """κ of every map along the line from `start` to `end`, half a pixel apart.

    Args:
        kappa: Samples or maps.
        grid: Pixels.
        area: Footprint; NaN where one of the pixels between which a point lies is outside.
        start: Offset (x, y) from the centre of the grid [arcmin].
        end: Another one.

    Raises:
        ValueError: The two ends are one.
    """
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if not 0 < length < np.inf:
        raise ValueError(f"`end` must be another place than `start`, got {start} and {end}")
    points = min(MOST, 2 + int(2 * length / grid.pixel_scale))
    t = np.linspace(0, 1, points)
    column, row = grid.plane_to_pixel(*(a + t * (b - a) for a, b in zip(start, end, strict=True)))
    known = _between(area[None].double(), row, column)[0] > 1 - 1e-6
    flat = kappa.reshape(-1, *area.shape)
    parts = [
        _between(torch.where(area, part, 0.0).double(), row, column)
        for part in flat.split(_AT_ONCE)
    ]
    along = torch.where(known, torch.cat(parts), torch.nan)
    return Profile(t * length, along.reshape(*kappa.shape[:-2], points))


def _between(
    maps: Float[Tensor, "M H W"], row: Float[np.ndarray, " P"], column: Float[np.ndarray, " P"]
) -> Float[Tensor, "M P"]:
    """Bilinear interpolation at pixel coordinates; 0 beyond the edge."""
    height, width = maps.shape[-2:]
    # 0 … n − 1 becomes −1 … 1; a side of one pixel has no such scale.
    at = [2 * v / max(n - 1, 1) - 1 for v, n in ((column, width), (row, height))]
    places = torch.from_numpy(np.stack(at, -1))[None, None].to(maps)
    found = torch.nn.functional.grid_sample(maps[None], places, align_corners=True)
    return found[0, :, 0]


def separation(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Angle between two positions [arcmin], and the position angle of the second [deg].

    The position angle is counted at the first from North through East, 0 … 360.

    Args:
        start: Right ascension and declination [deg].
        end: Another one.
    """
    from astropy.coordinates import angular_separation, position_angle

    places = np.deg2rad([*start, *end])
    angle = np.rad2deg(angular_separation(*places)) * 60
    return float(angle), float(position_angle(*places).deg % 360)
