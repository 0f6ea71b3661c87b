r"""The Wiener filter and exact samples of the Gaussian posterior.

With prior κ ~ N(0, S), S diagonal in Fourier space, and noise N diagonal in pixels (∞ where
unobserved), the posterior is Gaussian with

.. math:: (S^{-1} + A^T N^{-1} A)\,\hat\kappa = A^T N^{-1} \gamma .

We solve for the whitened field u = S^{-1/2} κ by conjugate gradients,
:math:`(1 + S^{1/2} A^T N^{-1} A S^{1/2})\,u = S^{1/2} A^T N^{-1} \gamma`, on a grid padded to
twice the field (padding unobserved), and crop. A sample is κ' + W(γ − Aκ' − n') with κ', n'
drawn from the prior: exact, one solve each.

References:
    Wiener (1949); Hoffman & Ribak (1991), https://ui.adsabs.harvard.edu/abs/1991ApJ...380L...5H
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky import Draws, Grid, PowerSpectrum, ShearField, ShearOperator
from massgan_core.sky.noise import shape_noise


class Wiener:
    """Exact Gaussian sampler; its mean is the Wiener filter.

    Args:
        power: Prior spectrum of κ.
        tolerance: Relative residual at which conjugate gradients stop.
        padded: Solve on twice the field; `False` only where the sky itself is periodic.
        max_iterations: More than this raises a `ValueError`.
    """

    name = "wiener"

    def __init__(
        self,
        power: PowerSpectrum,
        *,
        tolerance: float = 1e-4,
        padded: bool = True,
        max_iterations: int = 1000,
    ) -> None:
        self.power, self.tolerance, self.padded = power, tolerance, padded
        self.max_iterations = max_iterations
        self.provenance = {"tolerance": tolerance}
        self._roots: dict[tuple, Tensor] = {}

    def map(self, field: ShearField) -> Float[Tensor, "*B H W"]:
        """Posterior mean of κ."""
        grid = self._grid(field.grid)
        gamma, weight = self._pad(field, grid)
        return _crop(self._solve(gamma, weight, grid), field.grid.shape)

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` independent samples of the posterior."""
        grid = self._grid(field.grid)
        gamma, weight = self._pad(field, grid)
        white, noise = [], []
        for g in Draws.of(generator).take(n):
            white.append(torch.randn(grid.shape, generator=g))
            noise.append(shape_noise(field.sigma.cpu(), g))
        white_k = torch.fft.rfft2(torch.stack(white).to(gamma.device))
        kappa = torch.fft.irfft2(self._root(grid, gamma.device) * white_k, s=grid.shape)
        mock = ShearOperator(grid)(kappa) + _pad(torch.stack(noise).to(gamma.device), grid.shape)
        residual = torch.where(weight > 0, gamma - mock, 0)
        return _crop(kappa + self._solve(residual, weight, grid), field.grid.shape)

    def _solve(
        self, gamma: Complex[Tensor, "*B H W"], weight: Float[Tensor, "H W"], grid: Grid
    ) -> Float[Tensor, "*B H W"]:
        """W γ by preconditioned conjugate gradients, each map to its own tolerance.

        u lives on the half plane of ``rfft2``: κ is real, so it has no B mode to absorb data.
        """
        root = self._root(grid, gamma.device)
        lens = _components(grid, gamma) * root
        twice = _multiplicity(grid, gamma.device)
        # Preconditioner: the same matrix for the mean weight everywhere, diagonal in k.
        inverse = 1 / (1 + (lens**2).sum(0) * weight.mean())

        def dot(a: Tensor, b: Tensor) -> Tensor:
            return (twice * (a.conj() * b).real).sum((-2, -1), keepdim=True)

        def back(shear: Tensor) -> Tensor:
            return (lens * torch.fft.rfft2(weight * shear)).sum(-3)

        def normal(u: Tensor) -> Tensor:
            return u + back(torch.fft.irfft2(lens * u.unsqueeze(-3), s=grid.shape))

        target = back(torch.stack([gamma.real, gamma.imag], dim=-3))
        u, residual = torch.zeros_like(target), target
        z = inverse * residual
        direction, rho = z, dot(residual, z)
        goal = self.tolerance**2 * dot(target, target)
        for _ in range(self.max_iterations):
            active = dot(residual, residual) > goal
            if not bool(active.any()):
                return torch.fft.irfft2(root * u, s=grid.shape)
            moved = normal(direction)
            # A converged map stands still, so that its result does not depend on the batch.
            step = torch.where(active, rho / dot(direction, moved).clamp_min(1e-30), 0.0)
            u, residual = u + step * direction, residual - step * moved
            z = inverse * residual
            fresh = dot(residual, z)
            direction = z + (fresh / rho.clamp_min(1e-30)) * direction
            rho = fresh
        raise ValueError(
            f"the Wiener filter did not reach a residual of {self.tolerance} in "
            f"{self.max_iterations} iterations: `sigma` may be far too small for this field, "
            "else raise `max_iterations`"
        )

    def _grid(self, grid: Grid) -> Grid:
        factor = 2 if self.padded else 1
        return Grid((factor * grid.shape[0], factor * grid.shape[1]), grid.pixel_scale)

    def _pad(self, field: ShearField, grid: Grid) -> tuple[Tensor, Tensor]:
        return _pad(field.gamma, grid.shape), _pad(field.weight**2, grid.shape)

    def _root(self, grid: Grid, device: torch.device) -> Float[Tensor, "H K"]:
        """√S on the half plane, in units in which white noise of unit pixels becomes κ."""
        key = (grid.shape, grid.pixel_scale, str(device))
        if key not in self._roots:
            root = torch.sqrt(self.power.on(grid) / grid.pixel_area)
            self._roots = {key: _half(root).float().to(device)}
        return self._roots[key]


def _half(plane: Tensor) -> Tensor:
    """The half of an ``fft2`` plane that ``rfft2`` keeps."""
    return plane[..., : plane.shape[-1] // 2 + 1]


def _components(grid: Grid, gamma: Tensor) -> Float[Tensor, "2 H K"]:
    """D1 = (kx² − ky²)/k² and D2 = 2 kx ky/k² on the half plane.

    On the Nyquist lines kx or ky has no sign, so D2 is zero there: γ2 stays real.
    """
    kernel = _half(ShearOperator(grid).kernel(gamma))
    second = kernel.imag.clone()
    height, width = grid.shape
    if height % 2 == 0:
        second[height // 2] = 0
    if width % 2 == 0:
        second[:, width // 2] = 0
    return torch.stack([kernel.real, second])


def _multiplicity(grid: Grid, device: torch.device) -> Float[Tensor, " K"]:
    """How many modes of the whole plane each column of the half plane stands for."""
    width = grid.shape[1]
    twice = torch.full((width // 2 + 1,), 2.0, device=device)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    return twice


def _pad(image: Tensor, shape: tuple[int, int]) -> Tensor:
    height, width = image.shape[-2:]
    return torch.nn.functional.pad(image, (0, shape[1] - width, 0, shape[0] - height))


def _crop(image: Tensor, shape: tuple[int, int]) -> Tensor:
    return image[..., : shape[0], : shape[1]].contiguous()
