r"""Is the sign of e2 right? Aperture-mass E and B variance for both signs.

.. math:: M_{ap} + i M_\times = -\frac{\sum w\,Q(\vartheta)\,\gamma\,e^{-2i\varphi}}{\sum w\,Q},
          \qquad Q(\vartheta) \propto \vartheta^2 e^{-\vartheta^2 / 2\vartheta_0^2}

about every observed pixel. Lensing puts power into E alone, shape noise the same into both; a
wrong sign of one component (e2, or e1, which gives the same variances) moves it elsewhere.
Turning both signs is a rotation by 90° and leaves the variances as they are.

References:
    Schneider et al. (1998), https://ui.adsabs.harvard.edu/abs/1998MNRAS.296..873S
    Crittenden et al. (2002), https://ui.adsabs.harvard.edu/abs/2002ApJ...568...20C
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi

import torch
from jaxtyping import Complex, Float
from scipy.fft import next_fast_len
from torch import Tensor

from massgan_core.sky import Grid, ShearField, generator

COVERED = 0.5  #: least part of an aperture's weight that must be observed
CLEAR = 3.0  #: how many standard errors make a difference worth a warning


@dataclass(frozen=True)
class Orientation:
    """Aperture-mass variances of a field as given and with e2 flipped.

    Args:
        scale: Size ϑ0 of the aperture [arcmin].
        e: Variance of M_ap.
        b: Variance of M_×.
        e_flipped: Variance of M_ap with the sign of e2 turned.
        b_flipped: Variance of M_× then.
        error: Standard error of `e` − `b`, from randomly rotated shear.
    """

    scale: float
    e: float
    b: float
    e_flipped: float
    b_flipped: float
    error: float

    @property
    def excess(self) -> float:
        """(E − B)/error as given: positive where lensing is seen."""
        return (self.e - self.b) / self.error

    @property
    def excess_flipped(self) -> float:
        """(E − B)/error with e2 flipped."""
        return (self.e_flipped - self.b_flipped) / self.error

    @property
    def suspicious(self) -> bool:
        """Whether the flipped sign looks better, beyond chance."""
        gain = (self.excess_flipped - self.excess) / 2**0.5
        return gain > CLEAR and self.excess_flipped > CLEAR

    @property
    def sentence(self) -> str:
        """The figures, and a warning where one is due."""
        figures = (
            f"aperture mass ({self.scale:.2g}′): E variance {self.e:.2e}, B {self.b:.2e} "
            f"(E − B {self.excess:+.1f}σ); with e2 flipped E {self.e_flipped:.2e}, "
            f"B {self.b_flipped:.2e} ({self.excess_flipped:+.1f}σ)"
        )
        if self.suspicious:
            return (
                f"{figures}: the flipped sign looks better, the catalogue may measure e2 with "
                "East to the right; try --flip-e2"
            )
        return figures


def orientation_check(
    field: ShearField, *, scale: float = 2.0, rotations: int = 32, seed: int = 0
) -> Orientation:
    """E and B variance of the aperture mass for both signs of e2.

    Args:
        field: One shear field.
        scale: Size ϑ0 of the aperture [arcmin]; made smaller where the field is small.
        rotations: Randomly rotated fields behind the standard error.
        seed: Of the rotations.
    """
    scale = max(min(scale, min(field.grid.extent) / 8), field.grid.pixel_scale)
    measure = _Apertures(field, scale)
    gamma = field.gamma
    straight, flipped = measure(gamma), measure(gamma.conj())
    null = []
    for i in range(rotations):
        angle = 2 * pi * torch.rand(field.grid.shape, generator=generator(seed, i))
        e, b = measure(torch.polar(gamma.abs(), angle.to(gamma.device)))
        null.append(e - b)
    error = float(torch.tensor(null, dtype=torch.float64).square().mean().sqrt())
    error = error or 1.0  # a field without any shear: all variances are 0
    return Orientation(scale, *straight, *flipped, error=error)


class _Apertures:
    """Variance of M_ap and M_× over the observed pixels of one field."""

    def __init__(self, field: ShearField, scale: float) -> None:
        reach = ceil(5 * scale / field.grid.pixel_scale)
        # Sizes like 335 = 5·67 are slow to transform: take the next friendly one.
        shape = tuple(next_fast_len(n + reach) for n in field.grid.shape)
        self.grid = Grid(shape, field.grid.pixel_scale)
        self.shape = field.grid.shape
        self.weight = field.weight**2
        filter_, turn = _filter(self.grid, scale, field.device)
        self.kernel_k = torch.fft.fft2(-filter_ * turn).to(torch.complex64)
        filter_ = filter_.float()
        norm = torch.fft.ifft2(torch.fft.fft2(filter_) * self._transform(self.weight)).real
        norm = norm[: self.shape[0], : self.shape[1]]
        full = filter_.sum() * self.weight[field.mask].mean()
        self.use = field.mask & (norm > COVERED * full)
        if not bool(self.use.any()):
            self.use = field.mask
        self.norm = norm[self.use].clamp_min(float(full) * 1e-6)

    def __call__(self, gamma: Complex[Tensor, "H W"]) -> tuple[float, float]:
        weighted = self._transform(self.weight * gamma)
        mass = torch.fft.ifft2(self.kernel_k * weighted)[: self.shape[0], : self.shape[1]]
        mass = mass[self.use] / self.norm
        return float(mass.real.square().mean()), float(mass.imag.square().mean())

    def _transform(self, image: Tensor) -> Tensor:
        return torch.fft.fft2(image, s=self.grid.shape)


def _filter(
    grid: Grid, scale: float, device: torch.device
) -> tuple[Float[Tensor, "H W"], Complex[Tensor, "H W"]]:
    """Q and exp(−2iφ) about pixel (0, 0), wrapped round."""
    y, x = (
        torch.fft.fftfreq(n, 1 / (n * grid.pixel_scale), dtype=torch.float64, device=device)
        for n in grid.shape
    )
    square = x[None, :] ** 2 + y[:, None] ** 2
    place = torch.complex(x[None, :].expand(grid.shape), y[:, None].expand(grid.shape))
    turn = place.conj() ** 2 / square.clamp_min(1e-12)
    return square / scale**2 * torch.exp(-square / (2 * scale**2)), turn
