r"""The light cone cut into slabs, and how much each of them lenses.

Slab i lies between the comoving distances i·t and (i+1)·t [Mpc/h] and is seen at the time its
middle is. It adds

.. math:: \kappa \mathrel{+}= w_i\,(\Sigma_i/\bar\Sigma - 1), \qquad
          w_i = \frac{3\,\Omega_m H_0^2}{2 c^2} \int_{slab} d\chi\, \frac{\chi}{a}
                \int_\chi dz\, n(z)\, \frac{\chi' - \chi}{\chi'}

to the convergence (Born approximation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from massgan_core.simulate.cosmology import Cosmology
from massgan_core.sky import Sources

HUBBLE = 2997.92458  #: c/H₀ [Mpc/h]
BEYOND = 0.01  #: share of the sources that may lie behind the last slab


@dataclass(frozen=True)
class Slabs:
    """Slabs of equal thickness from the observer to `depth`.

    Args:
        cosmology: Distances.
        thickness: Of a slab [Mpc/h].
        depth: Redshift that the last slab reaches at least.
    """

    cosmology: Cosmology
    thickness: float
    depth: float

    def __len__(self) -> int:
        far = float(self.cosmology.distance(self.depth)) * self.cosmology.h
        return int(np.ceil(far / self.thickness))

    @property
    def distance(self) -> np.ndarray:
        """Comoving distance of every middle, nearest first [Mpc/h]."""
        return (np.arange(len(self)) + 0.5) * self.thickness

    @property
    def scale_factor(self) -> np.ndarray:
        """Scale factor at every middle."""
        return 1 / (1 + self.redshift(self.distance))

    @property
    def reach(self) -> float:
        """Redshift at the far side of the last slab."""
        return float(self.redshift(len(self) * self.thickness))

    def redshift(self, distance: object) -> np.ndarray:
        """Redshift at a comoving distance [Mpc/h]."""
        table = np.linspace(0, 1.2 * self.depth + 1, 2000)
        chi = self.cosmology.distance(table) * self.cosmology.h
        return np.asarray(np.interp(distance, chi, table))

    def weights(self, sources: Sources) -> np.ndarray:
        """w of every slab for sources with this n(z).

        Raises:
            ValueError: More than :data:`BEYOND` of the sources lie behind the last slab.
        """
        share = np.cumsum(sources.density * np.gradient(sources.redshift))
        beyond = 1 - np.interp(self.reach, sources.redshift, share / share[-1])
        if beyond > BEYOND:
            raise ValueError(
                f"the n(z) must end within the light cone, which reaches redshift "
                f"{self.reach:.2f}, but {beyond:.1%} of the sources lie beyond; cut the n(z) "
                "or simulate deeper boxes"
            )
        chi = (np.arange(8 * len(self)) + 0.5) * self.thickness / 8
        behind = self.cosmology.distance(sources.redshift) * self.cosmology.h
        lever = np.clip(1 - chi[:, None] / np.maximum(behind, 1e-9), 0, None)
        efficiency = np.trapezoid(lever * sources.density, sources.redshift, axis=1)
        kernel = chi * (1 + self.redshift(chi)) * efficiency
        total = kernel.reshape(-1, 8).sum(1) * self.thickness / 8
        return 1.5 * self.cosmology.omega_m / HUBBLE**2 * total

    def tiled(self, sources: Sources, angle: float, box: float) -> float:
        """Share of the lensing weight where a field of `angle` [rad] is wider than `box`."""
        weights = self.weights(sources)
        return float(weights[self.distance * angle > box].sum() / weights.sum())
