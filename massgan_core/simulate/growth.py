r"""Linear and second-order growth in a flat wCDM universe without radiation.

With primes for :math:`d/d\ln a` and :math:`\Omega = \Omega_m a^{-3} / E^2`,

.. math:: D'' + (2 + E'/E) D' = \tfrac{3}{2} \Omega D, \qquad
          D_2'' + (2 + E'/E) D_2' = \tfrac{3}{2} \Omega (D_2 - D^2)

from matter domination on, where D = a and D₂ = −3a²/7; then D(a = 1) = 1. Particle
trajectories are expansions in D: x = q + D ψ₁ + D₂ ψ₂.

References:
    Bouchet et al. (1995), https://arxiv.org/abs/astro-ph/9406013
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from massgan_core.simulate.cosmology import Cosmology

_EARLY = 1e-3  # scale factor where the integration starts


class Growth(NamedTuple):
    """Growth factors at some scale factor, and the slope of the second one."""

    first: float
    second: float
    slope: float
    """dD₂/dD."""


def growth(cosmology: Cosmology, scale_factor: float) -> Growth:
    """D, D₂ and dD₂/dD at `scale_factor`, with D(1) = 1."""
    if not _EARLY < scale_factor <= 1:
        raise ValueError(f"`scale_factor` must lie in ({_EARLY}, 1], got {scale_factor}")
    d, slope_d, d2, slope_d2 = _solution(cosmology)(np.log(scale_factor))
    norm = _solution(cosmology)(0.0)[0]
    return Growth(
        float(d / norm), float(d2 / norm**2), float(slope_d2 / norm**2 / (slope_d / norm))
    )


def expansion(cosmology: Cosmology, scale_factor: ArrayLike) -> np.ndarray:
    """E = H/H₀."""
    a = np.asarray(scale_factor, float)
    dark = (1 - cosmology.omega_m) * a ** (-3 * (1 + cosmology.w))
    return np.asarray(np.sqrt(cosmology.omega_m * a**-3 + dark))


@lru_cache(maxsize=32)
def _solution(cosmology: Cosmology) -> object:
    from scipy.integrate import solve_ivp

    def slopes(log_a: float, y: np.ndarray) -> list[float]:
        a = np.exp(log_a)
        e2 = expansion(cosmology, a) ** 2
        matter = cosmology.omega_m * a**-3 / e2
        drag = 2 - 1.5 * (1 + cosmology.w * (1 - matter))  # 2 + E'/E
        pull = 1.5 * matter
        return [
            y[1],
            pull * y[0] - drag * y[1],
            y[3],
            pull * (y[2] - y[0] ** 2) - drag * y[3],
        ]

    a = _EARLY
    start = [a, a, -3 / 7 * a**2, -6 / 7 * a**2]
    return solve_ivp(slopes, (np.log(a), 0.0), start, rtol=1e-8, atol=1e-14, dense_output=True).sol
