r"""Theory: distances and the convergence power spectrum of a source distribution.

.. math:: C_\ell = \int \frac{d\chi}{\chi^2}\, W^2(\chi)\, P_\delta(\ell/\chi, z), \qquad
          W = \frac{3 H_0^2 \Omega_m}{2 c^2}\,\frac{\chi}{a} \int_\chi dz\, n(z)
              \frac{\chi' - \chi}{\chi'}

computed by pyccl with the Eisenstein–Hu transfer function and HALOFIT.

References:
    Eisenstein & Hu (1998), https://arxiv.org/abs/astro-ph/9709112
    Takahashi et al. (2012), https://arxiv.org/abs/1208.2701 (HALOFIT)
    Chisari et al. (2019), https://arxiv.org/abs/1812.05995 (CCL)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from massgan_core.sky import PowerSpectrum, Sources
from massgan_core.sky.grid import ARCMIN

ELL = np.geomspace(10, 1e5, 80)


@dataclass(frozen=True)
class Cosmology:
    """Flat wCDM by its usual parameters; hashable, no table in it.

    Args:
        omega_m: Density of all matter today, in units of the critical one.
        omega_b: That of baryons, a part of `omega_m`.
        h: Hubble constant [100 km/s/Mpc].
        sigma8: Std of the linear overdensity of today in spheres of 8 Mpc/h.
        n_s: Slope of the primordial spectrum.
        w: Pressure of dark energy over its density, the same at all times.

    Raises:
        ValueError: A parameter other than `w` is not positive, or `omega_b` ≥ `omega_m`.
    """

    omega_m: float = 0.309
    omega_b: float = 0.049
    h: float = 0.677
    sigma8: float = 0.81
    n_s: float = 0.965
    w: float = -1.0

    def __post_init__(self) -> None:
        for name in ("omega_m", "omega_b", "h", "sigma8", "n_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive, got {getattr(self, name)}")
        if not self.omega_b < self.omega_m:
            raise ValueError(
                f"`omega_b` must be smaller than `omega_m`, got {self.omega_b} ≥ {self.omega_m}"
            )

    def ccl(self) -> Any:
        """The same cosmology as a ``pyccl.Cosmology``."""
        return _ccl(self)

    def distance(self, redshift: object) -> np.ndarray:
        """Comoving distance [Mpc] to `redshift`, in its shape."""
        scale = 1 / (1 + np.asarray(redshift, float))
        return np.asarray(self.ccl().comoving_radial_distance(scale))

    def size(self, angle: float, redshift: float, *, comoving: bool = False) -> float:
        """Length [Mpc] across the sky of `angle` [arcmin] at `redshift`.

        Proper, by the angular diameter distance D_A = χ/(1 + z), or `comoving`, by χ.

        Raises:
            ValueError: `redshift` is not positive.
        """
        if not redshift > 0:
            raise ValueError(f"`redshift` must be positive, got {redshift}")
        across = float(angle * ARCMIN * self.distance(redshift))
        return across if comoving else across / (1 + redshift)


PLANCK = Cosmology()  #: the fiducial cosmology


@lru_cache(maxsize=32)
def _ccl(cosmology: Cosmology) -> Any:
    import pyccl

    return pyccl.Cosmology(
        Omega_c=cosmology.omega_m - cosmology.omega_b,
        Omega_b=cosmology.omega_b,
        h=cosmology.h,
        sigma8=cosmology.sigma8,
        n_s=cosmology.n_s,
        w0=cosmology.w,
        transfer_function="eisenstein_hu",
        matter_power_spectrum="halofit",
    )


def theory_spectrum(sources: Sources, cosmology: Cosmology = PLANCK) -> PowerSpectrum:
    """Non-linear C_ℓ [sr] of κ for `sources` in this `cosmology`, 10 ≤ ℓ ≤ 10⁵."""
    key = (sources.redshift.tobytes(), sources.density.tobytes())
    return PowerSpectrum(ELL, _power(key, cosmology))


@lru_cache(maxsize=64)
def _power(key: tuple[bytes, bytes], cosmology: Cosmology) -> np.ndarray:
    import pyccl

    redshift, density = (np.frombuffer(k) for k in key)
    tracer = pyccl.WeakLensingTracer(_ccl(cosmology), dndz=(redshift, density), n_samples=1024)
    return pyccl.angular_cl(_ccl(cosmology), tracer, tracer, ELL)
