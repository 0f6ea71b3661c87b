r"""Which scales of a map are right: cross-power with the truth, scale by scale.

.. math:: r_\ell = \frac{P_{\hat\kappa\kappa}}{\sqrt{P_{\hat\kappa\hat\kappa} P_{\kappa\kappa}}},
          \qquad T_\ell = \frac{P_{\hat\kappa\kappa}}{P_{\kappa\kappa}}, \qquad
          P_{\hat\kappa - \kappa} = P_{\hat\kappa\hat\kappa} + P_{\kappa\kappa}
          - 2 P_{\hat\kappa\kappa}

Both maps lose their footprint mean and pass the same window, and modes fall into the same
bins, as in :func:`massgan_core.evaluate.windowed_power`; only ratios mean anything. Ratios are
taken of means over maps: :meth:`CrossPower.averaged`, then the properties.

**What to expect.** κ plus independent noise of power N: r² = P/(P + N), T = 1. The mean of an
exact posterior: its error is uncorrelated with it, so P(κ̂, κ) = P(κ̂, κ̂) and T = r². One
sample of it: it has the truth's power, so T = r, with the r² of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from massgan_core.evaluate.spectra import EDGES
from massgan_core.sky import Grid, band_power, remove_mean


@dataclass(frozen=True, eq=False)
class CrossPower:
    """Band powers of an estimate, of the truth, and of both together.

    Args:
        ell: Mean ℓ of each bin's modes; NaN where a bin holds none.
        estimate: P(κ̂, κ̂) [sr], with the window's loss in it.
        truth: P(κ, κ).
        cross: P(κ̂, κ).
    """

    ell: Float[Tensor, " K"]
    estimate: Float[Tensor, "*B K"]
    truth: Float[Tensor, "*B K"]
    cross: Float[Tensor, "*B K"]

    @property
    def residual(self) -> Float[Tensor, "*B K"]:
        """Power of the error κ̂ − κ [sr]."""
        return self.estimate + self.truth - 2 * self.cross

    @property
    def correlation(self) -> Float[Tensor, "*B K"]:
        """Cross-correlation coefficient r_ℓ, between −1 and 1."""
        return self.cross / torch.sqrt(self.estimate * self.truth)

    @property
    def transfer(self) -> Float[Tensor, "*B K"]:
        """Transfer function T_ℓ: the share of the truth's modes that the estimate holds."""
        return self.cross / self.truth

    def averaged(self, weights: Float[Tensor, "D F"] | None = None) -> CrossPower:
        """Mean powers over the first axis, of which r_ℓ and T_ℓ are then taken.

        Args:
            weights: How often each of the F maps counts in each of D sets, as
                :func:`massgan_core.evaluate.box_weights` draws them: the std over the first axis
                of the sets' r_ℓ is its error over boxes. By default each counts once and the
                axis goes.
        """

        def mean(power: Tensor) -> Tensor:
            if weights is None:
                return power.mean(0)
            scale = weights.to(power) / weights.to(power).sum(1, keepdim=True)
            return torch.tensordot(scale, power, 1)

        return CrossPower(self.ell, *(mean(p) for p in (self.estimate, self.truth, self.cross)))


def cross_power(
    estimate: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    edges: ArrayLike = EDGES,
    *,
    window: Float[Tensor, "H W"] | None = None,
) -> CrossPower:
    """Band powers and cross-power of two masked maps, for every pair; float64.

    Args:
        estimate: κ̂.
        truth: κ.
        grid: Pixels.
        area: Footprint, whose unweighted mean both maps lose.
        edges: Of the bins in ℓ, increasing [K + 1].
        window: 0 outside the footprint, e.g. from :func:`taper`; by default the footprint
            cut hard, as :func:`massgan_core.evaluate.windowed_power` cuts it.

    Raises:
        ValueError: `window` reaches beyond the footprint.
    """
    window = area.double() if window is None else window.double()
    if bool((window[~area] != 0).any()):
        raise ValueError("`window` must be 0 outside `area`; multiply it by the footprint")
    a, b = (
        remove_mean(torch.where(area, m.double(), 0.0), area) * window for m in (estimate, truth)
    )
    ell, first = band_power(a, grid, edges)
    second, both = band_power(b, grid, edges)[1], band_power(a, grid, edges, b)[1]
    return CrossPower(ell, first, second, both)


def taper(area: Bool[Tensor, "H W"], grid: Grid, width: float) -> Float[Tensor, "H W"]:
    r"""Window that rises from 0 outside the footprint to 1 at `width` [arcmin] inside it.

    .. math:: w(d) = x - \frac{\sin 2\pi x}{2\pi}, \qquad x = \min(d/\mathrm{width}, 1)

    with the distance d to the nearest pixel centre outside; the border of the grid is outside.
    The hard cut couples scales; the taper costs the pixels near edges and holes: of the COSMOS
    footprint 1′ leaves 95 % of the weight, 2′ 85 % and 4′ 62 %. 0 is the footprint itself.

    Args:
        area: Footprint.
        grid: Pixels.
        width: Of the rise [arcmin].

    Raises:
        ValueError: `width` is negative.

    References:
        Grain, Tristram & Stompor (2009), https://arxiv.org/abs/0903.2350
    """
    if not width >= 0:
        raise ValueError(f"`width` must be ≥ 0 [arcmin], got {width}")
    if width == 0:
        return area.double()
    room = distance_transform_edt(np.pad(area.cpu().numpy(), 1))[1:-1, 1:-1] * grid.pixel_scale
    x = torch.from_numpy(np.minimum(room / width, 1.0)).to(area.device)
    return x - torch.sin(2 * pi * x) / (2 * pi)
