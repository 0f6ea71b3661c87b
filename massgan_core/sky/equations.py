r"""The linear system of the Wiener filter, for a prior diagonal in Fourier space.

With prior κ ~ N(0, S) and noise N diagonal in pixels (∞ where unobserved) the posterior mean
solves :math:`(S^{-1} + A^T N^{-1} A)\,\hat\kappa = A^T N^{-1} \gamma`. We write it for the
whitened field u = S^{-1/2} κ,
:math:`(1 + S^{1/2} A^T N^{-1} A S^{1/2})\,u = S^{1/2} A^T N^{-1} \gamma`, and solve that by
preconditioned conjugate gradients. u lives on the half plane of ``rfft2``: κ is real, so it has
no B mode to absorb data. Its modes are kept multiplied by the root of the number of modes that
each stands for, so that their plain scalar product is that of the maps; we call those v.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.modes import multiplicity, shear_modes, to_modes, to_pixels
from massgan_core.sky.stopping import Stop, go_on


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
        self.weight, self.grid = weight, grid
        self._part = tuple(weight.shape[-2:])
        count = multiplicity(grid, root.device).sqrt()
        lens = shear_modes(grid, root.device) * root
        self._root, self._lens, self._back = root / count, lens / count, lens * count
        # Preconditioner: the same matrix for the mean weight everywhere, diagonal in k.
        mean = weight.sum((-2, -1), keepdim=True) / (grid.shape[0] * grid.shape[1])
        self._inverse = 1 / (1 + (lens**2).sum(0) * mean)

    def target(self, gamma: Complex[Tensor, "*B h w"]) -> Complex[Tensor, "*B H K"]:
        """The right-hand side S^½ Aᵀ N⁻¹ γ."""
        return self.back(torch.stack([gamma.real, gamma.imag], dim=-3))

    def back(self, shear: Float[Tensor, "*B 2 h w"]) -> Complex[Tensor, "*B H K"]:
        """S^½ Aᵀ N⁻¹ of the two components of shear."""
        modes = to_modes(self.weight.unsqueeze(-3) * shear, self.grid.shape)
        return (self._back * modes).sum(-3)

    def apply(self, v: Complex[Tensor, "*B H K"]) -> Complex[Tensor, "*B H K"]:
        """The matrix 1 + S^½ Aᵀ N⁻¹ A S^½ times v."""
        shear = to_pixels(self._lens * v.unsqueeze(-3), self.grid.shape, self._part)
        return v + self.back(shear)

    def modes(self, v: Complex[Tensor, "*B H K"]) -> Complex[Tensor, "*B H K"]:
        """κ = S^½ v, as modes of the whole grid."""
        return self._root * v

    def kappa(self, v: Complex[Tensor, "*B H K"]) -> Float[Tensor, "*B h w"]:
        """κ = S^½ v of the field."""
        return to_pixels(self.modes(v), self.grid.shape, self._part)

    def solve(
        self,
        target: Complex[Tensor, "*B H K"],
        iterations: int,
        tolerance: float | None = None,
        stop: Stop | None = None,
    ) -> Complex[Tensor, "*B H K"]:
        """v by conjugate gradients.

        Args:
            target: See :meth:`target` and :meth:`back`.
            iterations: At most so many; exactly so many without a tolerance, and then nothing
                waits for the device.
            tolerance: Relative residual, in the preconditioner's norm, at which a map stands
                still, so that its result does not depend on the batch.
            stop: Asked before every iteration.

        Raises:
            Stopped: By `stop`.
            ValueError: The tolerance was not reached.
        """
        v, residual = torch.zeros_like(target), target
        direction = self._inverse * residual
        rho = _dot(residual, direction)
        goal = None if tolerance is None else tolerance**2 * rho
        for _ in range(iterations):
            if goal is not None and not bool((rho > goal).any()):
                return v
            go_on(stop)
            moved = self.apply(direction)
            step = rho / _dot(direction, moved).clamp_min(1e-30)
            if goal is not None:
                step = torch.where(rho > goal, step, 0.0)
            v = torch.addcmul(v, step, direction)
            residual = torch.addcmul(residual, step, moved, value=-1)
            z = self._inverse * residual
            fresh = _dot(residual, z)
            direction = torch.addcmul(z, fresh / rho.clamp_min(1e-30), direction)
            rho = fresh
        if goal is not None and bool((rho > goal).any()):
            raise ValueError(
                f"the Gaussian posterior did not reach a residual of {tolerance} in {iterations} "
                "iterations: `sigma` may be far too small for this field, else raise "
                "`max_iterations`"
            )
        return v


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product of the maps that two sets of modes stand for."""
    a, b = (torch.view_as_real(x).flatten(-3) for x in (a, b))
    return torch.linalg.vecdot(a, b)[..., None, None]
