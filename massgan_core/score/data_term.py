r"""Draws from a Gaussian in κ, conditioned on the shear of one field. Exact.

For κ ~ N(m, C), C diagonal in Fourier space, and γ = Aκ + n with noise N diagonal in pixels
(∞ where unobserved), κ given γ is a Gaussian of mean :math:`m + C A^T (N + A C A^T)^{-1}
(\gamma - A m)`. A draw κ' from the prior and a draw n' of the noise make a draw of it,

.. math:: \kappa' + C^{1/2} v, \qquad
   (1 + C^{1/2} A^T N^{-1} A\, C^{1/2})\, v = C^{1/2} A^T N^{-1} (\gamma - A\kappa' - n'),

solved for by conjugate gradients on a grid padded to twice the field: there is no data in the
padding. With C ≤ t² few iterations suffice at noise levels t below that of the shear.

References:
    Hoffman & Ribak (1991), https://ui.adsabs.harvard.edu/abs/1991ApJ...380L...5H
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky import Grid, ShearField
from massgan_core.sky.modes import multiplicity, shear_modes, to_modes, to_pixels


class DataTerm:
    """The shear of one field, ready for many draws.

    Args:
        field: One observed field, without batch axes.
        grid: Padded; the field is its first corner.
        tolerance: Relative residual (in the preconditioner's norm) at which conjugate
            gradients stop.
        max_iterations: More than this raises a `ValueError`.
    """

    def __init__(
        self,
        field: ShearField,
        grid: Grid,
        *,
        tolerance: float = 1e-3,
        max_iterations: int = 1000,
    ) -> None:
        self.grid, self.part = grid, field.grid.shape
        self.tolerance, self.max_iterations = tolerance, max_iterations
        self._gamma = torch.stack([field.gamma.real, field.gamma.imag]).float()
        self._weight = (field.weight**2).float()
        self.sigma = torch.where(field.mask, field.sigma, 0.0).float()
        self._lens = shear_modes(grid, field.device)
        self._twice = multiplicity(grid, field.device).sqrt()

    def draw(
        self,
        mean: Complex[Tensor, "B H K"],
        root: Float[Tensor, "H K"],
        white: Complex[Tensor, "B H K"],
        noise: Float[Tensor, "B 2 h w"],
    ) -> Complex[Tensor, "B H K"]:
        """Modes of κ given γ.

        Args:
            mean: m, as modes.
            root: √C of every mode.
            white: ``rfft2`` of white noise of unit pixels.
            noise: White noise of unit pixels for the two components of shear.
        """
        kappa = mean + root * white
        residual = self._gamma - self._shear(kappa, self._lens) - self.sigma * noise
        lens = self._lens * root
        target = self._back(residual, lens * self._twice)
        return kappa + root / self._twice * self._solve(target, lens)

    def _shear(self, modes: Tensor, lens: Tensor) -> Float[Tensor, "B 2 h w"]:
        return to_pixels(lens * modes.unsqueeze(-3), self.grid.shape, self.part)

    def _back(self, shear: Tensor, lens: Tensor) -> Complex[Tensor, "B H K"]:
        return (lens * to_modes(self._weight * shear, self.grid.shape)).sum(-3)

    def _solve(
        self, target: Complex[Tensor, "B H K"], lens: Float[Tensor, "2 H K"]
    ) -> Complex[Tensor, "B H K"]:
        """v by preconditioned conjugate gradients, each map to its own tolerance.

        Modes of the half plane are multiplied by the root of the number of modes they stand
        for, so that their plain scalar product is that of the maps.
        """
        # Preconditioner: the same matrix for the mean weight everywhere, diagonal in k.
        everywhere = self._weight.sum() / (self.grid.shape[0] * self.grid.shape[1])
        inverse = 1 / (1 + (lens**2).sum(0) * everywhere)
        ahead, back = lens / self._twice, lens * self._twice

        def dot(a: Tensor, b: Tensor) -> Tensor:
            a, b = (torch.view_as_real(x).flatten(-3) for x in (a, b))
            return torch.linalg.vecdot(a, b)[..., None, None]

        v, residual = torch.zeros_like(target), target
        direction = inverse * residual
        rho = dot(residual, direction)
        goal = self.tolerance**2 * rho
        for _ in range(self.max_iterations):
            active = rho > goal
            if not bool(active.any()):
                return v
            moved = direction + self._back(self._shear(direction, ahead), back)
            # A converged map stands still, so that its result does not depend on the batch.
            step = torch.where(active, rho / dot(direction, moved).clamp_min(1e-30), 0.0)
            v = torch.addcmul(v, step, direction)
            residual = torch.addcmul(residual, step, moved, value=-1)
            z = inverse * residual
            fresh = dot(residual, z)
            direction = torch.addcmul(z, fresh / rho.clamp_min(1e-30), direction)
            rho = fresh
        raise ValueError(
            f"the data term did not reach a residual of {self.tolerance} in "
            f"{self.max_iterations} iterations: `sigma` may be far too small for this field, "
            "else raise `max_iterations`"
        )
