r"""Mass inside circles about given places, for every sample at once.

.. math:: \bar\kappa = \frac{1}{\pi\theta^2} \int_{|\vartheta| < \theta} \kappa\,d^2\vartheta,
          \qquad M_{ap} = \int \kappa\,U(|\vartheta|)\,d^2\vartheta, \quad
          U = \frac{9}{\pi\theta^2}\,(1 - x^2)\left(\tfrac13 - x^2\right), \quad
          x = \vartheta/\theta

U integrates to zero: M_ap knows no mass sheet, and equals ∫ γ_t Q d²ϑ over the tangential shear
with Q = (6/πθ²) x²(1 − x²). κ is counted above its footprint mean. Pixels that a circle cuts
count by the part of them inside it. Pixels outside the footprint do not count; M_ap is then
compensated over the others. Mean and std over samples are those of the posterior of the mass.

Places that were picked because the *truth* is high there show the truth above the samples, for
an exact posterior too; places picked from the data alone do not.

References:
    Schneider (1996), https://ui.adsabs.harvard.edu/abs/1996MNRAS.283..837S
    Schneider et al. (1998), https://arxiv.org/abs/astro-ph/9708143 (this U, ℓ = 1)
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky import Grid, remove_mean

_PARTS = 5  #: sub-pixels along each side of a pixel
_AT_ONCE = 32  # maps, to bound memory


def aperture_mean(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    places: Float[np.ndarray, "M 2"],
    radius: float | Float[np.ndarray, " M"],
    *,
    least: float = 0.5,
) -> Float[Tensor, "*B M"]:
    """Mean κ inside a circle about each place, in every map; float64.

    Args:
        kappa: Samples or maps.
        grid: Pixels.
        area: Footprint, whose mean is removed.
        places: Offsets (x, y) from the centre of the grid [arcmin], anywhere between pixels.
        radius: θ [arcmin], one for all or one for each place.
        least: NaN where less than this part of a circle lies in the footprint.

    Raises:
        ValueError: `radius` is not positive.
    """
    return _apply(kappa, grid, area, places, radius, least, _disc)


def aperture_mass(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    places: Float[np.ndarray, "M 2"],
    radius: float | Float[np.ndarray, " M"],
    *,
    least: float = 0.5,
) -> Float[Tensor, "*B M"]:
    """M_ap of each place in every map [dimensionless], float64; as :func:`aperture_mean`."""
    return _apply(kappa, grid, area, places, radius, least, _compensated)


def _disc(share: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return share / share.sum(1, keepdims=True).clip(1e-30)


def _compensated(share: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return kernel - share * kernel.sum(1, keepdims=True) / share.sum(1, keepdims=True).clip(1e-30)


def _apply(
    kappa: Tensor,
    grid: Grid,
    area: Tensor,
    places: np.ndarray,
    radius: float | np.ndarray,
    least: float,
    weigh: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Tensor:
    radii = np.broadcast_to(np.asarray(radius, float), len(places))
    if not (radii > 0).all():
        raise ValueError(f"`radius` must be positive [arcmin], got {radius}")
    # Places a tangent plane cannot show are NaN: nothing is seen there.
    known = np.isfinite(places).all(1)
    pixel, inside, share, kernel = _circles(
        grid, area.cpu().numpy(), np.where(known[:, None], places, 0.0), radii
    )
    good = known & ((share * inside).sum(1) >= least * share.sum(1))
    weight = weigh(share * inside, kernel * inside)
    used = weight != 0
    matrix = torch.sparse_coo_tensor(
        np.stack([np.nonzero(used)[0], pixel[used]]),
        weight[used],
        (len(places), area.numel()),
        device=kappa.device,
        check_invariants=True,
    )
    flat = kappa.reshape(-1, *area.shape)
    parts = []
    for part in flat.split(_AT_ONCE):
        height = remove_mean(torch.where(area, part.double(), 0.0), area)
        parts.append(torch.sparse.mm(matrix, height.flatten(1).T).T)
    out = torch.cat(parts)
    out = torch.where(torch.from_numpy(good).to(out.device), out, torch.nan)
    return out.reshape(*kappa.shape[:-2], len(places))


def _circles(
    grid: Grid, area: np.ndarray, places: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of the pixels about each place: index, whether in the footprint, share and ∫U in it.

    Integrals over a pixel are sums over its sub-pixels.
    """
    x, y = (v[:, None] for v in grid.plane_to_pixel(*places.T))
    theta = radii[:, None] / grid.pixel_scale
    reach = int(np.ceil(theta.max(initial=0) + 1))
    step = np.arange(-reach, reach + 1)
    rows, columns = (v.ravel() for v in np.meshgrid(step, step, indexing="ij"))
    rows, columns = np.rint(y).astype(int) + rows, np.rint(x).astype(int) + columns
    share, kernel = np.zeros(rows.shape), np.zeros(rows.shape)
    parts = (np.arange(_PARTS) + 0.5) / _PARTS - 0.5
    for dy in parts:
        for dx in parts:
            x2 = ((columns + dx - x) ** 2 + (rows + dy - y) ** 2) / theta**2
            share += x2 <= 1
            kernel += np.where(x2 <= 1, (1 - x2) * (1 / 3 - x2), 0.0)
    share, kernel = share / _PARTS**2, kernel / _PARTS**2 * 9 / (pi * theta**2)
    height, width = grid.shape
    on = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    pixel = np.where(on, rows * width + columns, 0)
    return pixel, on & area.ravel()[pixel], share, kernel
