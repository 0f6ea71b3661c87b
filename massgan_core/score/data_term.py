r"""Draws from a Gaussian in κ, conditioned on the shear of one field. Exact.

For κ ~ N(m, C), C diagonal in Fourier space, and γ = Aκ + n with noise N diagonal in pixels
(∞ where unobserved), κ given γ is a Gaussian of mean :math:`m + C A^T (N + A C A^T)^{-1}
(\gamma - A m)`. A draw κ' from the prior and a draw n' of the noise make a draw of it,

.. math:: \kappa' + C^{1/2} v, \qquad
   (1 + C^{1/2} A^T N^{-1} A\, C^{1/2})\, v = C^{1/2} A^T N^{-1} (\gamma - A\kappa' - n'),

solved for by conjugate gradients (:class:`massgan_core.sky.NormalEquations`) on a grid padded to
twice the field: there is no data in the padding. With C ≤ t² few iterations suffice at noise
levels t below that of the shear.

References:
    Hoffman & Ribak (1991), https://ui.adsabs.harvard.edu/abs/1991ApJ...380L...5H
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky import Grid, NormalEquations, ShearField, Stop
from massgan_core.sky.modes import shear_modes, to_pixels


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

    def draw(
        self,
        mean: Complex[Tensor, "B H K"],
        root: Float[Tensor, "H K"],
        white: Complex[Tensor, "B H K"],
        noise: Float[Tensor, "B 2 h w"],
        stop: Stop | None = None,
    ) -> Complex[Tensor, "B H K"]:
        """Modes of κ given γ.

        Args:
            mean: m, as modes.
            root: √C of every mode.
            white: ``rfft2`` of white noise of unit pixels.
            noise: White noise of unit pixels for the two components of shear.
            stop: Asked on the way; ends it with :class:`~massgan_core.sky.Stopped`.
        """
        kappa = mean + root * white
        shear = to_pixels(self._lens * kappa.unsqueeze(-3), self.grid.shape, self.part)
        equations = NormalEquations(root, self._weight, self.grid)
        target = equations.back(self._gamma - shear - self.sigma * noise)
        v = equations.solve(target, self.max_iterations, self.tolerance, stop)
        return kappa + equations.modes(v)
