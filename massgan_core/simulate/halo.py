r"""The Navarro–Frenk–White halo as a lens, in closed form.

With x = θ/θ_s, κ = 2 κ_s f(x) and mean convergence inside θ κ̄ = 4 κ_s h(x)/x²,

.. math:: f = \frac{1 - F}{x^2 - 1}, \quad h = \ln\frac{x}{2} + F, \quad
          F = \frac{\operatorname{arccosh}(1/x)}{\sqrt{1-x^2}} \;(x<1), \quad
              \frac{\arccos(1/x)}{\sqrt{x^2-1}} \;(x>1)

and γ_t = κ̄ − κ.

References:
    Navarro, Frenk & White (1997), https://arxiv.org/abs/astro-ph/9611107
    Wright & Brainerd (2000), https://ui.adsabs.harvard.edu/abs/2000ApJ...534...34W
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.simulate.cosmology import PLANCK, Cosmology
from massgan_core.sky import Grid, Sources

_G_OVER_C2 = 4.785e-20  # G/c² [Mpc / Msun]


@dataclass(frozen=True)
class NFW:
    """A halo of mass M200c [Msun] and concentration c at `redshift`.

    Args:
        mass: M200c [Msun].
        redshift: Of the halo.
        concentration: r200c / r_s.
        cosmology: Distances and critical density.

    Raises:
        ValueError: `mass`, `redshift` or `concentration` is not positive.
    """

    mass: float = 1e15
    redshift: float = 0.3
    concentration: float = 4.0
    cosmology: Cosmology = PLANCK

    def __post_init__(self) -> None:
        for name in ("mass", "redshift", "concentration"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive, got {getattr(self, name)}")

    def scale(self, sources: Sources) -> tuple[float, float]:
        """θ_s [arcmin] and κ_s = ρ_s r_s ⟨1/Σ_cr⟩ for these sources."""
        c = self.concentration
        rho_c = float(self.cosmology.ccl().rho_x(1 / (1 + self.redshift), "critical"))
        r200 = (3 * self.mass / (4 * pi * 200 * rho_c)) ** (1 / 3)
        rho_s = 200 / 3 * c**3 / (log(1 + c) - c / (1 + c)) * rho_c
        chi_l = float(self.cosmology.distance(self.redshift))
        d_l = chi_l / (1 + self.redshift)
        behind = np.clip(
            1 - chi_l / np.maximum(self.cosmology.distance(sources.redshift), 1e-9), 0, None
        )
        efficiency = np.trapezoid(behind * sources.density, sources.redshift)
        kappa_s = rho_s * (r200 / c) * 4 * pi * _G_OVER_C2 * d_l * efficiency
        return r200 / c / d_l * 180 / pi * 60, float(kappa_s)

    def lens(
        self, grid: Grid, sources: Sources, *, position: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[Float[Tensor, "H W"], Complex[Tensor, "H W"]]:
        """κ and complex shear γ of `sources` on `grid`.

        Args:
            grid: Pixels.
            sources: n(z) of what is lensed.
            position: Offset (x, y) of the halo from the centre [arcmin].
        """
        theta_s, kappa_s = self.scale(sources)
        rows, columns = (torch.arange(n, dtype=torch.float64) for n in grid.shape)
        x, y = grid.pixel_to_plane(columns, rows)
        dx, dy = (x - position[0])[None, :], (y - position[1])[:, None]
        # The centre diverges logarithmically: a pixel sees it no closer than a third of its side.
        theta = torch.sqrt(dx**2 + dy**2).clamp_min(grid.pixel_scale / 3)
        kappa, mean = _profile(theta / theta_s)
        kappa, mean = kappa_s * kappa, kappa_s * mean
        phase = torch.complex(dx.expand(grid.shape), dy.expand(grid.shape)) ** 2 / theta**2
        return kappa.float(), (-(mean - kappa) * phase).to(torch.complex64)


def _profile(x: Tensor) -> tuple[Tensor, Tensor]:
    """κ/κ_s and κ̄/κ_s of an NFW halo at x = θ/θ_s."""
    x = torch.where((x - 1).abs() < 1e-4, 1 + 1e-4, x)
    inner, outer = x.clamp(max=1 - 5e-5), x.clamp(min=1 + 5e-5)
    big_f = torch.where(
        x < 1,
        torch.acosh(1 / inner) / torch.sqrt(1 - inner**2),
        torch.acos(1 / outer) / torch.sqrt(outer**2 - 1),
    )
    return 2 * (1 - big_f) / (x**2 - 1), 4 * (torch.log(x / 2) + big_f) / x**2


def nfw_field(
    grid: Grid,
    sources: Sources | None = None,
    *,
    halo: NFW | None = None,
    position: tuple[float, float] = (15.0, 8.0),
) -> tuple[Float[Tensor, "H W"], Complex[Tensor, "H W"]]:
    """κ and γ of one halo, by default a rich cluster right of and above the centre.

    Args:
        grid: Pixels.
        sources: n(z) of what is lensed; by default all at redshift 1.
        halo: By default the :class:`NFW` of 10¹⁵ Msun at redshift 0.3.
        position: Its offset (x, y) from the centre [arcmin].
    """
    sources = Sources.plane(1.0) if sources is None else sources
    return (NFW() if halo is None else halo).lens(grid, sources, position=position)
