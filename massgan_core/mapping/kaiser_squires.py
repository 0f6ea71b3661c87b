r"""Kaiser–Squires inversion of masked shear, smoothed.

.. math:: \hat\kappa(k) = D^*(k)\,\hat\gamma(k)\, e^{-k^2 s^2 / 2}

The field is padded with zeros to twice its size, so that opposite edges do not meet. The
estimator is linear in γ: applied to reduced shear it is a little high at cluster peaks.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.sky import Draws, Grid, ShearField, ShearOperator
from massgan_core.sky.smooth import gaussian_window


class KaiserSquires:
    """One deterministic map; its only uncertainty is the shape noise propagated through it.

    Args:
        smoothing: Std s of the Gaussian window [arcmin].

    Raises:
        ValueError: `smoothing` is negative.

    References:
        Kaiser & Squires (1993), https://ui.adsabs.harvard.edu/abs/1993ApJ...404..441K
    """

    name = "ks"

    def __init__(self, smoothing: float = 1.0) -> None:
        if not smoothing >= 0:
            raise ValueError(f"`smoothing` must be ≥ 0 [arcmin], got {smoothing}")
        self.smoothing = float(smoothing)
        self.provenance = {"smoothing": self.smoothing}

    def map(self, field: ShearField) -> Float[Tensor, "*B H W"]:
        """E mode: the convergence estimate."""
        return self._modes(field).real

    def b_mode(self, field: ShearField) -> Float[Tensor, "*B H W"]:
        """B mode: zero but for noise, masks and systematic errors."""
        return self._modes(field).imag

    def std(self, field: ShearField) -> Float[Tensor, "*B H W"]:
        """Std of the shape noise in the map: σ² convolved with the squared kernel."""
        grid, operator, window = self._padded(field)
        kernel = torch.fft.ifft2(operator.kernel(window).conj() * window)
        power = torch.fft.fft2(kernel.abs() ** 2)
        noise = torch.where(field.mask, field.sigma, 0.0) ** 2
        variance = torch.fft.ifft2(power * torch.fft.fft2(noise, s=grid.shape)).real
        height, width = field.grid.shape
        return torch.sqrt(variance[..., :height, :width].clamp_min(0))

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """The same map `n` times: this estimator has no posterior."""
        return self.map(field).expand(n, *field.grid.shape).clone()

    def _modes(self, field: ShearField) -> Tensor:
        grid, operator, window = self._padded(field)
        gamma_k = torch.fft.fft2(field.gamma, s=grid.shape)
        modes = torch.fft.ifft2(operator.kernel(gamma_k).conj() * window * gamma_k)
        height, width = field.grid.shape
        return modes[..., :height, :width]

    def _padded(self, field: ShearField) -> tuple[Grid, ShearOperator, Tensor]:
        height, width = field.grid.shape
        grid = Grid((2 * height, 2 * width), field.grid.pixel_scale)
        return grid, ShearOperator(grid), gaussian_window(grid, self.smoothing, field.gamma)
