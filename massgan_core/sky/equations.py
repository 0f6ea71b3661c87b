r"""The linear system of the Wiener filter, for a prior diagonal in Fourier space.

With prior κ ~ N(0, S) and noise N diagonal in pixels (∞ where unobserved) the posterior mean
solves :math:`(S^{-1} + A^T N^{-1} A)\,\hat\kappa = A^T N^{-1} \gamma`. We write it for the
whitened field u = S^{-1/2} κ,
:math:`(1 + S^{1/2} A^T N^{-1} A S^{1/2})\,u = S^{1/2} A^T N^{-1} \gamma`, and solve that by
preconditioned conjugate gradients. u lives on the half plane of ``rfft2``: κ is real, so it has
no B mode to absorb data.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.modes import multiplicity, shear_modes, to_modes, to_pixels


class NormalEquations:
    """The system of one field in the corner of a periodic grid, or of a batch of fields.

    Args:
        root: √S of every mode of the half plane, in units in which white noise of unit pixels
            becomes κ.
        weight: 1/σ² of the field's pixels, 0 where unobserved, as is all beyond the corner.
        grid: Periodic; of the field's size or larger.
    """

    def __init__(
        self, root: Float[Tensor, "H K"], weight: Float[Tensor, "*B h w"], grid: Grid
    ) -> None:
        self.root, self.weight, self.grid = root, weight, grid
        self._part = tuple(weight.shape[-2:])
        self._lens = shear_modes(grid, root.device) * root
        self._twice = multiplicity(grid, root.device)
        # Preconditioner: the same matrix for the mean weight everywhere, diagonal in k.
        mean = weight.sum((-2, -1), keepdim=True) / (grid.shape[0] * grid.shape[1])
        self._inverse = 1 / (1 + (self._lens**2).sum(0) * mean)

    def target(self, gamma: Complex[Tensor, "*B h w"]) -> Complex[Tensor, "*B H K"]:
        """The right-hand side S^½ Aᵀ N⁻¹ γ."""
        return self._back(torch.stack([gamma.real, gamma.imag], dim=-3))

    def apply(self, u: Complex[Tensor, "*B H K"]) -> Complex[Tensor, "*B H K"]:
        """The matrix 1 + S^½ Aᵀ N⁻¹ A S^½ times u."""
        shear = to_pixels(self._lens * u.unsqueeze(-3), self.grid.shape, self._part)
        return u + self._back(shear)

    def kappa(self, u: Complex[Tensor, "*B H K"]) -> Float[Tensor, "*B h w"]:
        """κ = S^½ u of the field."""
        return to_pixels(self.root * u, self.grid.shape, self._part)

    def solve(
        self,
        target: Complex[Tensor, "*B H K"],
        iterations: int,
        tolerance: float | None = None,
    ) -> tuple[Complex[Tensor, "*B H K"], bool]:
        """u by conjugate gradients, and whether each map reached its tolerance.

        Args:
            target: See :meth:`target`.
            iterations: At most so many; exactly so many without a tolerance, and then nothing
                waits for the device.
            tolerance: Relative residual at which a map stands still, so that its result does
                not depend on the batch.
        """
        u, residual = torch.zeros_like(target), target
        direction = z = self._inverse * residual
        rho = self._dot(residual, z)
        goal = None if tolerance is None else tolerance**2 * self._dot(target, target)
        for _ in range(iterations):
            if goal is not None:
                active = self._dot(residual, residual) > goal
                if not bool(active.any()):
                    return u, True
            moved = self.apply(direction)
            step = rho / self._dot(direction, moved).clamp_min(1e-30)
            if goal is not None:
                step = torch.where(active, step, 0.0)
            u, residual = u + step * direction, residual - step * moved
            z = self._inverse * residual
            fresh = self._dot(residual, z)
            direction = z + (fresh / rho.clamp_min(1e-30)) * direction
            rho = fresh
        return u, goal is None

    def _back(self, shear: Float[Tensor, "*B 2 h w"]) -> Complex[Tensor, "*B H K"]:
        """S^½ Aᵀ N⁻¹ of a shear map."""
        modes = to_modes(self.weight.unsqueeze(-3) * shear, self.grid.shape)
        return (self._lens * modes).sum(-3)

    def _dot(self, a: Tensor, b: Tensor) -> Tensor:
        return (self._twice * (a.conj() * b).real).sum((-2, -1), keepdim=True)
