r"""Power spectra on the flat sky.

Convention: :math:`\langle \hat\kappa(\ell)\,\hat\kappa^*(\ell') \rangle =
(2\pi)^2 \delta(\ell - \ell')\, C_\ell`, so for an ``fft2`` of an H × W map
:math:`C_\ell = |\hat\kappa|^2\, \Omega_{pix} / (H W)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.sky.grid import Grid


@dataclass(frozen=True, eq=False)
class PowerSpectrum:
    """A table of C_ℓ, interpolated in log–log, power-law beyond its ends.

    Args:
        ell: Increasing multipoles > 0 [K].
        power: C_ℓ > 0 there [sr] [K].

    Raises:
        ValueError: Fewer than two points, `ell` that is not positive and increasing, or `power`
            that is not positive and finite.
    """

    ell: ArrayLike
    power: ArrayLike

    def __post_init__(self) -> None:
        ell, power = (np.asarray(a, float).ravel() for a in (self.ell, self.power))
        good = ell.size == power.size >= 2 and (ell > 0).all() and (np.diff(ell) > 0).all()
        if not good or not (power > 0).all() or not np.isfinite(power).all():
            raise ValueError("a power spectrum needs increasing `ell` > 0 and finite `power` > 0")
        object.__setattr__(self, "ell", ell)
        object.__setattr__(self, "power", power)

    def __call__(self, ell: ArrayLike) -> np.ndarray:
        """C_ℓ [sr] at any `ell` ≥ 0, in its shape (C_0 = 0: the mean is lost)."""
        ell = np.asarray(ell, float)
        x, y = np.log(self.ell), np.log(self.power)
        at = np.log(np.maximum(ell, 1e-3))
        out = np.interp(at, x, y)
        low, high = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
        out = np.where(at < x[0], y[0] + low * (at - x[0]), out)
        out = np.where(at > x[-1], y[-1] + high * (at - x[-1]), out)
        return np.where(ell > 0, np.exp(out), 0.0)

    def on(self, grid: Grid, device: torch.device | None = None) -> Float[Tensor, "H W"]:
        """C_ℓ [sr] of every ``fft2`` mode of `grid`, float64 on `device`; 0 at ℓ = 0."""
        values = self(grid.multipoles().numpy())
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    def std(self, pixel_scale: float, side: int = 600) -> float:
        """σ_κ: std of a Gaussian map of `side`² pixels of `pixel_scale` [arcmin]."""
        grid = Grid((side, side), pixel_scale)
        return float(torch.sqrt(self.on(grid).sum() / (side**2 * grid.pixel_area)))


def gaussian_field(
    power: PowerSpectrum | Float[Tensor, "H W"],
    grid: Grid,
    generator: torch.Generator,
    batch: tuple[int, ...] = (),
) -> Float[Tensor, "*B H W"]:
    """Periodic Gaussian maps with spectrum `power`, zero mean, float32.

    Args:
        power: C_ℓ [sr], as a table or of every ``fft2`` mode.
        grid: Pixels.
        generator: Of the white noise behind the maps.
        batch: Leading axes.
    """
    c_ell = power.on(grid) if isinstance(power, PowerSpectrum) else power
    white = torch.randn((*batch, *grid.shape), generator=generator)
    scale = torch.sqrt(c_ell / grid.pixel_area).to(white.dtype)
    return torch.fft.irfft2(
        torch.fft.rfft2(white) * scale[:, : grid.shape[1] // 2 + 1], s=grid.shape
    )


def band_power(
    kappa: Float[Tensor, "*B H W"],
    grid: Grid,
    edges: ArrayLike,
    other: Float[Tensor, "*B H W"] | None = None,
) -> tuple[Float[Tensor, " K"], Float[Tensor, "*B K"]]:
    """Mean ℓ and mean C_ℓ [sr] of the modes between consecutive `edges` (auto or cross).

    Bins without a mode give NaN. The map is taken as it is: no apodisation, no mask
    correction; compare only spectra measured with the same window.

    Args:
        kappa: Maps, taken for periodic.
        grid: Pixels.
        edges: Of the bins in ℓ, increasing [K + 1].
        other: Maps to cross `kappa` with; by default itself.
    """
    first = torch.fft.fft2(kappa.double())
    second = first if other is None else torch.fft.fft2(other.double())
    power = (first * second.conj()).real * grid.pixel_area / (grid.shape[0] * grid.shape[1])
    return band_means(power, grid, edges)


def band_means(
    power: Float[Tensor, "*B H W"], grid: Grid, edges: ArrayLike
) -> tuple[Float[Tensor, " K"], Float[Tensor, "*B K"]]:
    """Mean ℓ and mean `power` of the ``fft2`` modes of `grid` between consecutive `edges`.

    Bins without a mode give NaN.
    """
    edges = torch.as_tensor(np.asarray(edges, float))
    ell, power = grid.multipoles(), power.flatten(-2)
    index = torch.bucketize(ell.flatten(), edges, right=True) - 1
    inside = (index >= 0) & (index < len(edges) - 1)
    bins = len(edges) - 1
    count = torch.zeros(bins, dtype=torch.float64).index_add_(
        0, index[inside], torch.ones(int(inside.sum()), dtype=torch.float64)
    )
    mean_ell = torch.zeros(bins, dtype=torch.float64).index_add_(
        0, index[inside], ell.flatten()[inside]
    )
    total = torch.zeros((*power.shape[:-1], bins), dtype=torch.float64)
    total = total.index_add_(-1, index[inside], power[..., inside.to(power.device)].cpu())
    return mean_ell / count, total / count


def band_edges(low: float, high: float, bins: int) -> np.ndarray:
    """Logarithmic edges from `low` to `high`."""
    return np.geomspace(low, high, bins + 1)


def nyquist(pixel_scale: float) -> float:
    """Largest ℓ along an axis at `pixel_scale` [arcmin]."""
    return pi / (pixel_scale * pi / 180 / 60)
