r"""Lognormal convergence fields with a given power spectrum.

.. math:: \kappa = \lambda\,(e^{G - \sigma_G^2/2} - 1), \qquad
          \xi_G(\theta) = \ln\left(1 + \xi_\kappa(\theta)/\lambda^2\right)

The Gaussian field's spectrum is solved for on the grid itself, by way of the correlation
functions, so that κ has the wanted C_ℓ there and not only to first order.

References:
    Coles & Jones (1991); Xavier, Abdalla & Joachimi (2016), https://arxiv.org/abs/1602.08503
"""

from __future__ import annotations

from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.sky import Grid, PowerSpectrum, gaussian_field

#: shift/σ_κ at 0.29′ that gives κTNG's one-point skewness of 2.5 (3x + x³ = 2.5, x = σ_κ/λ).
SHIFT = 1.37


class Lognormal:
    """Lognormal maps on one periodic grid.

    Args:
        grid: Pixels of the (large) field.
        power: Wanted C_ℓ of κ.
        shift: λ > 0: the lowest possible κ is −λ. Default :data:`SHIFT` × std(κ at 0.29′).
    """

    def __init__(self, grid: Grid, power: PowerSpectrum, shift: float | None = None) -> None:
        shift = SHIFT * power.std(0.29) if shift is None else shift
        if not shift > 0:
            raise ValueError(f"`shift` must be positive, got {shift}")
        self.grid, self.shift = grid, float(shift)
        pixels = grid.shape[0] * grid.shape[1]
        c_kappa = power.on(grid) / grid.pixel_area
        xi_kappa = torch.fft.ifft2(c_kappa).real
        xi = torch.log1p((xi_kappa / shift**2).clamp_min(-0.99))
        # Where the target cannot be lognormal the solved spectrum dips below zero: clip it.
        c_gauss = torch.fft.fft2(xi).real.clamp_min(0)
        c_gauss[0, 0] = 0
        self.spectrum = c_gauss * grid.pixel_area
        self.variance = float(c_gauss.sum() / pixels)

    def __call__(
        self, generator: torch.Generator, batch: tuple[int, ...] = ()
    ) -> Float[Tensor, "*B H W"]:
        """Maps of κ, float32."""
        gauss = gaussian_field(self.spectrum, self.grid, generator, batch)
        return self.shift * torch.expm1(gauss - self.variance / 2)

    @property
    def std(self) -> float:
        """Std of κ in a pixel."""
        return self.shift * sqrt(torch.expm1(torch.tensor(self.variance)).item())


def lognormal(
    grid: Grid, power: PowerSpectrum, generator: torch.Generator, shift: float | None = None
) -> Float[Tensor, "H W"]:
    """One lognormal κ map; see :class:`Lognormal`."""
    return Lognormal(grid, power, shift)(generator)
