r"""Flat-sky weak lensing, :math:`\gamma = A\kappa`.

.. math:: \hat\gamma(k) = D(k)\,\hat\kappa(k), \qquad
          D(k) = \frac{(k_x + i k_y)^2}{|k|^2}, \quad D(0) = 0

Complex shear is γ = γ1 + iγ2 with components along the pixel axes x and y: γ1 > 0 stretches
along x, γ2 > 0 along y = x. The map is periodic and its mean is lost (mass-sheet degeneracy).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid


class ShearOperator:
    r"""The linear operator A on a periodic grid, its adjoint and its inverse.

    |D| = 1 for every k ≠ 0, so the adjoint is also the (pseudo-)inverse: Kaiser–Squires.

    Args:
        grid: Pixels of the field, or its shape.

    References:
        Kaiser & Squires (1993), https://ui.adsabs.harvard.edu/abs/1993ApJ...404..441K
    """

    def __init__(self, grid: Grid | tuple[int, int]) -> None:
        self.shape = tuple(grid.shape if isinstance(grid, Grid) else grid)

    def __call__(self, kappa: Float[Tensor, "*B H W"]) -> Complex[Tensor, "*B H W"]:
        """Shear of a convergence map [dimensionless]; errors as :meth:`kernel`."""
        kernel = self.kernel(kappa)
        return torch.fft.ifft2(kernel * torch.fft.fft2(kappa))

    def adjoint(self, gamma: Complex[Tensor, "*B H W"]) -> Float[Tensor, "*B H W"]:
        """Aᵀγ under ⟨κ, κ'⟩ = Σκκ' and ⟨γ, γ'⟩ = Re Σ γ* γ'; errors as :meth:`kernel`."""
        return self.modes(gamma).real

    def inverse(self, gamma: Complex[Tensor, "*B H W"]) -> Float[Tensor, "*B H W"]:
        """Kaiser–Squires E mode: KS(Aκ) = κ − mean(κ); errors as :meth:`kernel`."""
        return self.modes(gamma).real

    def modes(self, gamma: Complex[Tensor, "*B H W"]) -> Complex[Tensor, "*B H W"]:
        """E mode (real part) and B mode (imaginary part) of shear; errors as :meth:`kernel`."""
        return torch.fft.ifft2(self.kernel(gamma).conj() * torch.fft.fft2(gamma))

    def kernel(self, like: Tensor) -> Complex[Tensor, "H W"]:
        """D(k) on the device and in the precision of `like` [..., H, W].

        Raises:
            ValueError: `like` is not of the operator's shape.
        """
        if tuple(like.shape[-2:]) != self.shape:
            raise ValueError(
                f"the field must end in shape {self.shape}, got {tuple(like.shape[-2:])}"
            )
        double = like.dtype in (torch.float64, torch.complex128)
        dtype = torch.complex128 if double else torch.complex64
        return _kernel(self.shape, str(like.device), dtype)


@lru_cache(maxsize=16)
def _kernel(shape: tuple[int, int], device: str, dtype: torch.dtype) -> Tensor:
    ky, kx = Grid(shape, 1.0).wavenumbers()
    k = torch.complex(kx.expand(shape), ky.expand(shape))
    square = k.abs() ** 2
    square[0, 0] = 1.0
    return (k**2 / square).to(device=device, dtype=dtype)


def reduced_shear(
    gamma: Complex[Tensor, "*S"], kappa: Float[Tensor, "*S"]
) -> Complex[Tensor, "*S"]:
    """g = γ/(1 − κ), what galaxy shapes measure, of `gamma` and `kappa`.

    κ is held below 0.9 (strong lensing).

    References:
        Bartelmann & Schneider (2001), https://arxiv.org/abs/astro-ph/9912508
    """
    return gamma / (1 - kappa.clamp(max=0.9))
