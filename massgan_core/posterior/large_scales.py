r"""Samples of a patch take their largest scales from samples of a wide field.

.. math:: \kappa_i \to \kappa_i + G * (c_i - \kappa_i)

G is a Gaussian, :math:`c_i` sample i of the wide field on coarse pixels. What is smooth on the
scale of G is then that of the wide field, in neighbouring patches alike; what is not stays. Where
κ and c are samples of the same random numbers
(:class:`massgan_core.sky.sky_noise.SkyNoise`), the spread of the scales between is right as well.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.ndimage import map_coordinates
from torch import Tensor

from massgan_core.sky import Grid, MaskedSmoothing
from massgan_core.sky.tangent import pixels_of


class LargeScales:
    """Brings samples on the grid of a patch to those of a wide field.

    Args:
        grid: Of the patch, on the sky.
        wide: Of the wide field, on the sky; it holds all of `grid`.
        smoothing: Std of G [arcmin].

    Raises:
        ValueError: `smoothing` is not positive, or a part of `grid` lies off `wide`.
    """

    def __init__(self, grid: Grid, wide: Grid, smoothing: float) -> None:
        if not smoothing > 0:
            raise ValueError(f"`smoothing` must be positive [arcmin], got {smoothing}")
        height, width = grid.shape
        # Blocks of pixels that G does not resolve.
        most = max(int(smoothing / grid.pixel_scale / 4), 1)
        self._block = max(b for b in range(1, most + 1) if height % b == width % b == 0)
        shape = height // self._block, width // self._block
        y, x = ((np.indices(shape)[k] + 0.5) * self._block - 0.5 for k in (0, 1))
        x, y = pixels_of(wide, *grid.pixel_to_sky(x, y))
        inside = (x > -0.5) & (x < wide.shape[1] - 0.5) & (y > -0.5) & (y < wide.shape[0] - 0.5)
        if not inside.all():
            raise ValueError("`wide` must hold all of `grid`, a part of it lies outside")
        self._at = np.stack([y, x])
        whole = torch.ones(shape, dtype=torch.bool)
        self._smooth = MaskedSmoothing(
            Grid(shape, self._block * grid.pixel_scale), smoothing, whole
        )

    def __call__(
        self, kappa: Float[Tensor, "N H W"], wide: Float[Tensor, "N h w"]
    ) -> Float[Tensor, "N H W"]:
        """`kappa`, sample by sample, with the large scales of `wide`."""
        blocks = torch.nn.functional.avg_pool2d(kappa[:, None], self._block)[:, 0]
        seen = [map_coordinates(c, self._at, order=3, mode="nearest") for c in wide.numpy()]
        change = self._smooth(torch.from_numpy(np.stack(seen)).to(blocks) - blocks)
        fine = torch.nn.functional.interpolate(
            change[:, None], size=tuple(kappa.shape[-2:]), mode="bicubic", align_corners=False
        )
        return kappa + fine[:, 0]
