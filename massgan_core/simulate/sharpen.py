r"""Potential gradient descent: a small step of every particle towards the nearest mass.

The mesh softens gravity at a few cells, so haloes come out too puffy. Moving the particles
once, when a plane is painted and not in the dynamics, along the gradient of a band-passed
potential gives them back what they lost:

.. math:: x \to x - \alpha\,\nabla\nabla^{-2}\,
          e^{-(k_l/k)^2 - (k/k_s)^4}\, \delta

References:
    Dai, Feng & Seljak (2018), https://arxiv.org/abs/1804.00671
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.simulate.mesh import add_gradient, ifft, isotropic, wrap


@dataclass(frozen=True)
class Sharpening:
    """Strength α(a) = strength · a^growth and band, in units of the particles' separation d.

    Args:
        strength: α today, dimensionless.
        growth: Power of the scale factor.
        large: k_l · d: scales larger than this are left alone.
        small: k_s · d: scales smaller than this do not pull.
    """

    strength: float = 0.0
    growth: float = 0.0
    large: float = 1.0
    small: float = 5.0

    def alpha(self, scale_factor: float) -> float:
        """Dimensionless strength at `scale_factor`."""
        return self.strength * scale_factor**self.growth

    def __call__(
        self,
        x: Float[Tensor, "N 3"],
        modes: Complex[Tensor, "M M H"],
        box: float,
        scale_factor: float,
    ) -> Float[Tensor, "N 3"]:
        """Sharpened positions; δ(k) `modes` and `x` stay as they are."""
        if self.strength == 0:
            return x
        separation = box / round(len(x) ** (1 / 3))
        large, small = self.large / separation, self.small / separation

        def response(k2: np.ndarray) -> np.ndarray:
            return -np.exp(-(large**2) / k2 - (k2 / small**2) ** 2) / k2

        potential = ifft(isotropic(modes.clone(), box, response))
        moved = x.clone()
        add_gradient(moved, 1.0, potential, x, box, self.alpha(scale_factor))
        return wrap(moved, box)
