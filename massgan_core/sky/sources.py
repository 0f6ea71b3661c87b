"""The redshift distribution of the source galaxies, n(z)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Sources:
    """n(z) on a table of redshifts, normalised to ∫ n dz = 1.

    Args:
        redshift: Increasing redshifts ≥ 0 [K].
        density: Galaxies per unit redshift there, any normalisation [K].

    Raises:
        ValueError: Fewer than two redshifts, negative or not increasing, or no galaxies.
    """

    redshift: ArrayLike
    density: ArrayLike

    def __post_init__(self) -> None:
        z, n = (np.asarray(a, float).ravel() for a in (self.redshift, self.density))
        if z.size != n.size or z.size < 2:
            raise ValueError(
                "`redshift` and `density` must be tables of equal length ≥ 2, "
                f"got {z.size} and {n.size} values"
            )
        if not np.isfinite(z).all() or z[0] < 0 or (np.diff(z) <= 0).any():
            raise ValueError("`redshift` must be non-negative and increasing")
        total = np.trapezoid(n, z)
        if not np.isfinite(n).all() or (n < 0).any() or not total > 0:
            raise ValueError("`density` must be non-negative, finite and hold some galaxies")
        object.__setattr__(self, "redshift", z)
        object.__setattr__(self, "density", n / total)

    @classmethod
    def plane(cls, redshift: float, width: float = 0.01) -> Sources:
        """All sources at one `redshift` (a narrow Gaussian of std `width`, in redshift too).

        Raises:
            ValueError: `redshift` is not above 5 × `width`.
        """
        if not redshift > 5 * width:
            raise ValueError(f"`redshift` of the sources must exceed {5 * width}, got {redshift}")
        z = np.linspace(redshift - 5 * width, redshift + 5 * width, 201)
        return cls(z, np.exp(-0.5 * ((z - redshift) / width) ** 2))

    @classmethod
    def read(cls, path: str) -> Sources:
        """n(z) from a two-column text file: lower bin edge (equal bins), count.

        One header line is allowed; columns are separated by commas or blanks.

        Raises:
            ValueError: The file does not hold two columns of numbers, or these are no n(z).
            OSError: No such file.
        """
        with open(path, encoding="utf-8") as file:
            rows = [line.replace(",", " ").split()[:2] for line in file if line.strip()]
        if rows and not _is_number(rows[0][0]):
            rows = rows[1:]
        try:
            table = np.array(rows, float).reshape(-1, 2)
        except ValueError:
            raise ValueError(
                f"{path}: n(z) must be two columns of numbers, redshift and count"
            ) from None
        if len(table) < 2:
            raise ValueError(f"{path}: n(z) must hold at least two rows, got {len(table)}")
        return cls(table[:, 0] + (table[1, 0] - table[0, 0]) / 2, table[:, 1])

    @property
    def mean(self) -> float:
        """Mean redshift of the sources."""
        return float(np.trapezoid(self.redshift * self.density, self.redshift))

    def stretched(self, factor: float) -> Sources:
        """The same shape with every redshift multiplied by `factor`.

        Raises:
            ValueError: `factor` is not positive.
        """
        return Sources(self.redshift * factor, self.density)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
