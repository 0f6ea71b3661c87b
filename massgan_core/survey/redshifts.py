"""n(z) of galaxies, a weighted histogram, added up a part of a catalogue at a time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from massgan_core.sky import Sources

LARGEST = 20.0  #: redshift that is still counted
LIKELY = 8.0  #: mean redshifts beyond this are no redshifts


class Redshifts:
    """Counts of known, positive redshifts.

    Args:
        width: Of a bin.
    """

    def __init__(self, width: float = 0.05) -> None:
        self._width = width
        self._edges = self._up_to(LARGEST)
        self._count = np.zeros(len(self._edges) - 1)
        self._largest = self._sum = self._weight = 0.0

    def add(self, z: Float[np.ndarray, " N"], weight: Float[np.ndarray, " N"]) -> Redshifts:
        """Take redshifts in; those that are unknown are NaN or not positive."""
        known = np.isfinite(z) & (z > 0)
        z, weight = z[known].astype(float), weight[known].astype(float)
        if len(z):
            self._count += np.histogram(z, self._edges, weights=weight)[0]
            self._largest = max(self._largest, float(z.max()))
            self._sum, self._weight = self._sum + weight @ z, self._weight + weight.sum()
        return self

    def sources(self) -> Sources:
        """Their n(z).

        Raises:
            ValueError: None is known, or such that are no redshifts (mean above 8).
        """
        mean = self._sum / self._weight if self._weight > 0 else float("nan")
        if not mean <= LIKELY:
            raise ValueError(
                f"`z` must hold redshifts, its mean is {mean:.3g}; columns 'z=' "
                "leaves the column out"
            )
        # One empty bin at the end: n(z) is integrated between the bins' centres.
        edges = self._up_to(min(self._largest, LARGEST))
        return Sources((edges[1:] + edges[:-1]) / 2, self._count[: len(edges) - 1])

    def _up_to(self, redshift: float) -> np.ndarray:
        return np.arange(0, redshift + 3 * self._width, self._width)
