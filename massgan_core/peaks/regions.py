r"""The mass inside a region of any form: one number a sample, so a posterior.

.. math:: \bar\kappa_i = \frac{1}{|R|} \sum_{p \in R} \kappa_i(p), \qquad
          \hat\kappa_i = \max_{p \in R} \kappa_i(p)

for each sample i, where R are the pixels of the footprint whose centres lie in the region.
Quantiles over i are posterior intervals. The highest pixel is that of each sample: samples are
sharper than their mean, so it lies above the highest pixel of the mean map.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky import Grid


def enough(n: int, level: float) -> bool:
    """Whether one of `n` samples or more is expected beyond each end of a central interval."""
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}")
    return n * (1 - level) >= 2 - 1e-9  # rounding: 40 samples are enough for 95 %


@dataclass(frozen=True, eq=False)
class Sampled:
    """The posterior of one number, by its value in every sample.

    Args:
        values: One a sample.
    """

    values: Float[Tensor, " N"]

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return float(self.values.mean())

    @property
    def std(self) -> float:
        """Posterior standard deviation (ddof = 1); NaN for one sample."""
        return float(self.values.std()) if len(self.values) > 1 else nan

    def interval(self, level: float) -> tuple[float, float] | None:
        """Ends of the central interval of probability `level`; None for too few samples.

        Too few: less than one of them would be expected beyond each end.

        Raises:
            ValueError: `level` is not between 0 and 1.
        """
        if not enough(len(self.values), level):
            return None
        ends = self.values.new_tensor([(1 - level) / 2, (1 + level) / 2])
        low, high = torch.quantile(self.values, ends).tolist()
        return low, high

    def above(self, threshold: float = 0.0) -> int:
        """Number of samples whose value exceeds `threshold`."""
        return int((self.values > threshold).sum())


@dataclass(frozen=True, eq=False)
class Measured:
    """What samples say of one region.

    Args:
        area: Of its part in the footprint [arcmin²].
        seen: That part, as a share of the region's pixels on the grid.
        kappa: Mean κ inside.
        peak: κ of the highest pixel inside.
    """

    area: float
    seen: float
    kappa: Sampled
    peak: Sampled


def measure_region(
    samples: Float[Tensor, "N H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    inside: Bool[Tensor, "H W"],
) -> Measured:
    """The posterior of the mean and of the highest κ in a region.

    Args:
        samples: Of the posterior, less their footprint mean as those of a ``Summary``.
        grid: Pixels.
        area: Footprint.
        inside: The region, see :func:`circle_mask` and
            :func:`massgan_core.sky.inside_polygon`.

    Raises:
        ValueError: No samples, or no pixel of the region lies in the footprint.
    """
    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    used = area & inside
    count, whole = int(used.sum()), int(inside.sum())
    if not count:
        raise ValueError(
            "`inside` must hold the centre of a pixel of the footprint, got none: draw the "
            "region larger, or further inside"
        )
    kappa = samples[:, used].double()
    size = count * grid.pixel_scale**2
    return Measured(size, count / whole, Sampled(kappa.mean(1)), Sampled(kappa.amax(1)))


def circle_mask(grid: Grid, place: tuple[float, float], radius: float) -> Bool[Tensor, "H W"]:
    """Pixels whose centres lie inside a circle.

    Args:
        grid: Pixels.
        place: Offset (x, y) of the circle's centre from that of the grid [arcmin].
        radius: Of the circle [arcmin].
    """
    height, width = grid.shape
    x, y = grid.pixel_to_plane(np.arange(width, dtype=float), np.arange(height, dtype=float))
    return torch.from_numpy((x - place[0]) ** 2 + (y[:, None] - place[1]) ** 2 <= radius**2)
