r"""The Wiener filter and exact samples of the Gaussian posterior.

With prior κ ~ N(0, S), S diagonal in Fourier space, and noise N diagonal in pixels (∞ where
unobserved), the posterior is Gaussian with

.. math:: (S^{-1} + A^T N^{-1} A)\,\hat\kappa = A^T N^{-1} \gamma .

We solve for the whitened field by conjugate gradients
(:class:`massgan_core.sky.NormalEquations`) on a grid padded to twice the field (padding
unobserved), and crop. A sample is κ' + W(γ − Aκ' − n') with κ', n' drawn from the prior: exact,
one solve each.

References:
    Wiener (1949); Hoffman & Ribak (1991), https://ui.adsabs.harvard.edu/abs/1991ApJ...380L...5H
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky import (
    Draws,
    Grid,
    NormalEquations,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    Stop,
    go_on,
    shape_noise,
)
from massgan_core.sky.modes import prior_variance


class Wiener:
    """Exact Gaussian sampler; its mean is the Wiener filter.

    Args:
        power: Prior spectrum of κ.
        tolerance: Relative residual (in the preconditioner's norm) at which conjugate gradients
            stop.
        padded: Solve on twice the field; `False` only where the sky itself is periodic.
        max_iterations: More than this raises a `ValueError`.
        stop: Asked on the way; set or true, it ends sampling with
            :class:`~massgan_core.sky.Stopped`, and the same draws are then still to come.
    """

    name = "wiener"

    def __init__(
        self,
        power: PowerSpectrum,
        *,
        tolerance: float = 1e-4,
        padded: bool = True,
        max_iterations: int = 1000,
        stop: Stop | None = None,
    ) -> None:
        self.power, self.tolerance, self.padded = power, tolerance, padded
        self.max_iterations, self.stop = max_iterations, stop
        self.provenance = {"tolerance": tolerance}
        self._roots: dict[tuple, Tensor] = {}

    def map(self, field: ShearField) -> Float[Tensor, "*B H W"]:
        """Posterior mean of κ."""
        return self._solve(field.gamma, field, self._grid(field.grid))

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` independent samples of the posterior."""
        draws = Draws.of(generator)
        with draws.all_or_none():
            return self._sample(field, draws.take(n))

    def _sample(self, field: ShearField, keys: list[torch.Generator]) -> Float[Tensor, "N H W"]:
        white, noise = [], []
        for g in keys:
            go_on(self.stop)
            white.append(torch.randn(self._grid(field.grid).shape, generator=g))
            noise.append(shape_noise(field.sigma.cpu(), g))
        return self.paint(field, torch.stack(white), torch.stack(noise))

    def paint(
        self,
        field: ShearField,
        white: Float[Tensor, "N Y X"],
        noise: Complex[Tensor, "N H W"],
    ) -> Float[Tensor, "N H W"]:
        """The samples that given random numbers make of `field`.

        Args:
            field: One observed field.
            white: Standard normal numbers on the periodic grid that is solved on (twice the
                field, or the field where it is not `padded`), whose first corner the field is.
            noise: n', the shape noise of the field's pixels.
        """
        grid, device = self._grid(field.grid), field.device
        white_k = torch.fft.rfft2(white.to(device))
        kappa = torch.fft.irfft2(self._root(grid, device) * white_k, s=grid.shape)
        mock = _crop(ShearOperator(grid)(kappa), field.grid.shape)
        mock = mock + noise.to(device)
        residual = torch.where(field.weight > 0, field.gamma - mock, 0)
        return _crop(kappa, field.grid.shape) + self._solve(residual, field, grid)

    def _solve(
        self, gamma: Complex[Tensor, "*B H W"], field: ShearField, grid: Grid
    ) -> Float[Tensor, "*B H W"]:
        """W γ, each map to its own tolerance."""
        equations = NormalEquations(self._root(grid, gamma.device), field.weight**2, grid)
        target = equations.target(gamma)
        v = equations.solve(target, self.max_iterations, self.tolerance, self.stop)
        return equations.kappa(v)

    def _grid(self, grid: Grid) -> Grid:
        factor = 2 if self.padded else 1
        return Grid((factor * grid.shape[0], factor * grid.shape[1]), grid.pixel_scale)

    def _root(self, grid: Grid, device: torch.device) -> Float[Tensor, "H K"]:
        """√S on the half plane, in units in which white noise of unit pixels becomes κ."""
        key = (grid.shape, grid.pixel_scale, str(device))
        if key not in self._roots:
            root = torch.sqrt(prior_variance(self.power, grid, device))
            self._roots = {key: root}
        return self._roots[key]


def _crop(image: Tensor, shape: tuple[int, int]) -> Tensor:
    return image[..., : shape[0], : shape[1]].contiguous()
