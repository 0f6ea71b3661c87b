r"""Lognormal convergence fields with a given power spectrum.

.. math:: \kappa = \lambda\,(e^{G - \sigma_G^2/2} - 1), \qquad
          \xi_\kappa(\theta) = \lambda^2\left(e^{\xi_G(\theta)} - 1\right)

The spectrum of the Gaussian field G is solved for on the grid itself: the Fourier transform of
:math:`\ln(1 + \xi_\kappa/\lambda^2)`. Where that has negative modes the wanted spectrum is that
of no lognormal field: its other modes alone put more power there than was asked for. Those modes
of G are then empty, and the excess they end up with, μ, is solved for too:

.. math:: C_G = \mathcal F \ln\left(1 + \frac{\xi_\kappa + \mathcal F^{-1}\mu}{\lambda^2}\right),
          \qquad C_G \ge 0, \quad \mu \ge 0, \quad C_G\,\mu = 0

These are the conditions for the minimum of a convex function of μ, so there is one solution; a
projected gradient descent finds it. All other modes have exactly the wanted power. The mean
is free (it is lost in lensing): G has none.

References:
    Coles & Jones (1991), https://ui.adsabs.harvard.edu/abs/1991MNRAS.248....1C
    Hilbert, Hartlap & Schneider (2011), https://arxiv.org/abs/1105.3980
    Xavier, Abdalla & Joachimi (2016), https://arxiv.org/abs/1602.08503
    Tessore et al. (2023), https://arxiv.org/abs/2302.01942
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from math import asinh, expm1, sinh, sqrt

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.sky import Grid, PowerSpectrum, Sources

#: shift/σ_κ at 0.29′: a one-point skewness of 2.58 where κTNG has 2.5 ± 0.2.
SHIFT = 1.37

# Hilbert et al.'s polynomial in the source redshift, highest power first.
_EMPTY_BEAM = (6.5e-4, -7.9e-3, 2.9e-2, 8e-3, 0.0)

# An iteration ends when no mode's power moves by more than this fraction of itself, or of
# FLOOR times the largest mode: what lies below is empty for any purpose.
_TOLERANCE, _FLOOR, _ITERATIONS = 1e-4, 1e-7, 200


class Lognormal:
    """Lognormal maps on one periodic grid.

    Args:
        grid: Pixels of the (large) field.
        power: Wanted C_ℓ of κ.
        shift: λ > 0: the lowest possible κ is −λ. Default :data:`SHIFT` × std(κ at 0.29′);
            see also :func:`skewness_shift` and :func:`hilbert_shift`.

    Attributes:
        spectrum: C_ℓ of the Gaussian field, of every ``fft2`` mode, float64 [H, W].
        variance: Variance σ_G² of the Gaussian field in a pixel.

    Raises:
        ValueError: The shift is not positive, or smaller than a field with the wanted
            (anti-)correlation can have.
    """

    def __init__(self, grid: Grid, power: PowerSpectrum, shift: float | None = None) -> None:
        shift = SHIFT * power.std(0.29) if shift is None else float(shift)
        if not shift > 0:
            raise ValueError(f"`shift` must be positive, got {shift}")
        self.grid, self.shift, self.device = grid, shift, torch.device("cpu")
        half = gaussian_power(power.on(grid) / grid.pixel_area, shift)
        self.spectrum = _whole(half, grid.shape[1]) * grid.pixel_area
        self.variance = float(self.spectrum.mean()) / grid.pixel_area
        self._amplitude = torch.sqrt(half).float()

    def to(self, device: torch.device | str) -> Lognormal:
        """The same maker, making its maps on `device`."""
        moved = copy(self)
        moved.device = torch.device(device)
        moved._amplitude = self._amplitude.to(device)
        return moved

    def __call__(
        self, generator: torch.Generator, batch: tuple[int, ...] = ()
    ) -> Float[Tensor, "*B H W"]:
        """Maps of κ, float32, on the maker's device, with the leading axes `batch`.

        Numbers are drawn on the device of `generator`: a CPU generator gives the same maps
        (to rounding) on every device, one on the maker's own device is quicker.
        """
        white = torch.randn(
            (*batch, *self.grid.shape), generator=generator, device=generator.device
        )
        modes = torch.fft.rfft2(white.to(self.device)) * self._amplitude
        gauss = torch.fft.irfft2(modes, s=self.grid.shape)
        return gauss.sub_(self.variance / 2).expm1_().mul_(self.shift)

    @property
    def std(self) -> float:
        """Std of κ in a pixel."""
        return self.shift * sqrt(expm1(self.variance))

    @property
    def skewness(self) -> float:
        """Skewness of κ in a pixel, 3x + x³ with x = std/λ."""
        return 3 * self.std / self.shift + (self.std / self.shift) ** 3

    @cached_property
    def expected(self) -> Float[Tensor, "H W"]:
        """C_ℓ the maps have on average, of every ``fft2`` mode, float64: λ² F[exp(ξ_G) − 1]."""
        xi = torch.fft.ifft2(self.spectrum / self.grid.pixel_area).real
        power = self.shift**2 * torch.fft.rfft2(torch.expm1(xi)).real
        return _whole(power, self.grid.shape[1]) * self.grid.pixel_area


def gaussian_power(target: Float[Tensor, "H W"], shift: float) -> Float[Tensor, "H M"]:
    """Power of the Gaussian ``rfft2`` modes whose lognormal map has the power `target`.

    Args:
        target: Wanted variance of κ's ``fft2`` modes, C_ℓ/Ω_pix; [0, 0] is ignored.
        shift: λ.
    """
    shape = tuple(target.shape)
    wanted = target[:, : shape[1] // 2 + 1].clone()
    wanted[0, 0] = 0
    floor = _FLOOR * wanted.max()
    excess = torch.zeros_like(wanted)
    for _ in range(_ITERATIONS):
        ratio = 1 + torch.fft.irfft2(wanted + excess, s=shape) / shift**2  # exp(ξ_G)
        lowest = float(ratio.min())
        if lowest <= 0:
            least = shift * sqrt(1 - lowest)
            raise ValueError(
                f"`shift` must exceed {least:.3g}, got {shift:.3g}: pixels of the wanted "
                "spectrum are anticorrelated more than a field above −shift can be"
            )
        gauss = torch.fft.rfft2(torch.log(ratio)).real
        moved = excess - shift**2 * lowest * gauss
        moved[1:].clamp_min_(0)
        moved[0, 1:].clamp_min_(0)  # the mean, [0, 0], is free: its "excess" has any sign
        change = ((moved - excess).abs() / (wanted + moved.abs() + floor)).max()
        excess = moved
        if change < _TOLERANCE:
            break
    gauss.clamp_min_(0)[0, 0] = 0
    return gauss


def skewness_shift(std: float, skewness: float = 2.5) -> float:
    """λ that gives κ of this `std` the one-point `skewness` 3x + x³, x = std/λ."""
    if not (std > 0 and skewness > 0):
        raise ValueError(f"`std` and `skewness` must be positive, got {std} and {skewness}")
    return std / (2 * sinh(asinh(skewness / 2) / 3))


def hilbert_shift(sources: Sources | float) -> float:
    """λ of ray-traced skies: the (negative) κ of an empty beam, fitted over source redshift.

    Args:
        sources: One redshift, or n(z) over which the fit is averaged (κ is linear in n).

    References:
        Hilbert, Hartlap & Schneider (2011), https://arxiv.org/abs/1105.3980
    """
    if isinstance(sources, Sources):
        fit = np.polyval(_EMPTY_BEAM, sources.redshift)
        return float(np.trapezoid(fit * sources.density, sources.redshift))
    if not sources > 0:
        raise ValueError(f"`sources` must lie at a positive redshift, got {sources}")
    return float(np.polyval(_EMPTY_BEAM, sources))


def _whole(half: Float[Tensor, "H M"], width: int) -> Float[Tensor, "H W"]:
    """All ``fft2`` modes of a map's spectrum from its ``rfft2`` modes (C(−ℓ_x) = C(ℓ_x))."""
    return torch.cat([half, half[:, 1 : (width + 1) // 2].flip(-1)], -1)


def lognormal(
    grid: Grid, power: PowerSpectrum, generator: torch.Generator, shift: float | None = None
) -> Float[Tensor, "H W"]:
    """One lognormal κ map, drawn by `generator`.

    Args:
        grid, power, shift: As in :class:`Lognormal`.
        generator: Of the white noise behind the map.

    Raises:
        ValueError: As there.
    """
    return Lognormal(grid, power, shift)(generator)
