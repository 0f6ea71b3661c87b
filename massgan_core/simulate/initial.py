r"""Initial conditions: a Gaussian linear density field and its second-order displacement.

.. math:: x = q + D\,\psi_1 + D_2\,\psi_2, \qquad
          \psi_1 = -\nabla\nabla^{-2}\delta, \qquad
          \psi_2 = \nabla\nabla^{-2} \sum_{i<j} (\phi_{ii}\phi_{jj} - \phi_{ij}^2), \qquad
          \nabla^2\phi = \delta

with δ the linear overdensity of today.

References:
    Scoccimarro (1998), https://arxiv.org/abs/astro-ph/9711187 (appendix D)
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.simulate.cosmology import Cosmology
from massgan_core.simulate.mesh import fft, ifft, isotropic, wavenumbers


def linear_power(cosmology: Cosmology, k: np.ndarray) -> np.ndarray:
    """Linear P(k) of today [(Mpc/h)³] at `k` [h/Mpc]."""
    return cosmology.ccl().linear_matter_power(k * cosmology.h, 1.0) * cosmology.h**3


def linear_modes(
    cosmology: Cosmology, particles: int, box: float, generator: torch.Generator
) -> Complex[Tensor, "M M H"]:
    """δ(k) of a Gaussian realisation of the linear spectrum of today, on a `particles`³ mesh."""
    white = fft(torch.randn((particles,) * 3, generator=generator))

    def amplitude(k2: np.ndarray) -> np.ndarray:
        return np.sqrt(linear_power(cosmology, np.sqrt(k2)) * particles**3 / box**3)

    return isotropic(white, box, amplitude)


def displacements(
    modes: Complex[Tensor, "M M H"], box: float
) -> tuple[Float[Tensor, "N 3"], Float[Tensor, "N 3"]]:
    """ψ₁ and ψ₂ [Mpc/h] of a linear δ(k), at the mesh points in their order."""
    return _gradient(modes, box, 1j), _gradient(_second_source(modes, box), box, -1j)


def lattice(particles: int, box: float, device: torch.device | str) -> Float[Tensor, "N 3"]:
    """Unperturbed positions q [Mpc/h]."""
    q = torch.arange(particles, device=device, dtype=torch.float32) * (box / particles)
    return torch.stack(torch.meshgrid(q, q, q, indexing="ij"), -1).view(-1, 3)


def _gradient(modes: Tensor, box: float, factor: complex) -> Tensor:
    """Fields with the modes factor · k_i/k² · modes, one column each."""
    axes = wavenumbers(len(modes), box, modes.device)
    k2 = _square(axes)
    out = torch.empty((len(modes) ** 3, 3), device=modes.device)
    for i, k in enumerate(axes):
        out[:, i] = ifft(modes * (factor * k / k2)).view(-1)
    return out


def _second_source(modes: Tensor, box: float) -> Tensor:
    """Modes of Σ_{i<j} (φ_ii φ_jj − φ_ij²)."""
    axes = wavenumbers(len(modes), box, modes.device)
    k2 = _square(axes)

    def second(i: int, j: int) -> Tensor:
        return ifft(modes * (axes[i] * axes[j] / k2))

    xx, yy = second(0, 0), second(1, 1)
    total = xx * yy
    xx += yy
    total += xx * second(2, 2)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        total -= second(i, j) ** 2
    return fft(total)


def _square(axes: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """k², with 1 for the mean mode."""
    k2 = sum(axis**2 for axis in axes)
    k2[0, 0, 0] = 1
    return k2
