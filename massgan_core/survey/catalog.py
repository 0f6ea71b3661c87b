r"""A catalogue of galaxies with shear estimates.

Ellipticities are measured North up, East left: e1 > 0 along East–West, e2 > 0 along the
direction from South-East to North-West, so that on a grid whose x axis points West and whose
y axis points North they are the shear components along x and y.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massgan_core.sky import Sources
from massgan_core.survey.tables import read_columns

LARGEST = 4.0  #: |e| beyond this is a flag (−99, −999), not a shape


class NoGalaxies(ValueError):
    """No row of a catalogue, or of a part of one, can be used."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """Galaxies; every array has length N.

    Rows that cannot be used (a number that is not finite, |e| > 4, which is a flag and not a
    shape, or a weight ≤ 0) are left out when the catalogue is made; a warning counts those that
    are not finite or flagged.

    Args:
        ra: Right ascension [deg].
        dec: Declination [deg].
        e1: First component of the shear estimate, see the module's docstring.
        e2: Second component.
        weight: Lensing weight.
        m: Multiplicative bias of each galaxy: ⟨e⟩ = (1 + m) g.
        c1: Additive bias of e1.
        c2: Additive bias of e2.
        R: Shear response; the mean shear is ⟨e⟩/⟨R⟩.
        z: Redshift; NaN where unknown.
        name: Short name for people.

    Raises:
        ValueError: Lengths differ, no row can be used, or a column holds something else.
    """

    ra: np.ndarray
    dec: np.ndarray
    e1: np.ndarray
    e2: np.ndarray
    weight: np.ndarray | None = None
    m: np.ndarray | None = None
    c1: np.ndarray | None = None
    c2: np.ndarray | None = None
    R: np.ndarray | None = None
    z: np.ndarray | None = None
    name: str = "catalogue"

    def __post_init__(self) -> None:
        columns = {k: _array(k, v) for k, v in self._columns().items()}
        rows = len(columns["ra"])
        columns.setdefault("weight", np.ones(rows, np.float32))
        for key, values in columns.items():
            if len(values) != rows:
                raise ValueError(
                    f"`{key}` must have a value for each of {rows} galaxies, got {len(values)}"
                )
        if not rows:
            raise ValueError(f"{self.name} holds no galaxies")
        good = np.ones(rows, bool)
        for key, values in columns.items():
            if key != "z":
                good &= np.isfinite(values)
        for key in ("e1", "e2"):
            good &= np.abs(columns[key]) <= LARGEST
        useful = good & (columns["weight"] > 0)
        if not useful.any():
            raise NoGalaxies(
                f"{self.name} holds no usable galaxy among {rows} rows: each has a number that "
                f"is not finite, |e| > {LARGEST:g} or a weight ≤ 0"
            )
        if not good.all():
            warnings.warn(
                f"{self.name}: left out {rows - int(good.sum())} of {rows} rows with numbers "
                f"that are not finite or |e| > {LARGEST:g}",
                stacklevel=3,
            )
        for key, values in columns.items():
            kept = values if useful.all() else values[useful]
            kept.flags.writeable = False
            object.__setattr__(self, key, kept)
        self._check()

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        columns: Mapping[str, str] | str | None = None,
        name: str | None = None,
    ) -> Catalog:
        """A catalogue on disk: FITS table, CSV or Parquet.

        Args:
            path: The file.
            columns: What the file calls the quantities, ``"ra=RA,dec=DEC,e1=E1,e2=E2,weight=W"``
                or a dict; see :mod:`massgan_core.survey.tables`.
            name: Short name for people; by default the file's.

        Raises:
            ValueError: A needed column is missing or not numeric, the file is no table, or no row
                can be used.
            OSError: No such file.
        """
        return cls(**read_columns(path, columns), name=name or Path(path).name)

    def __len__(self) -> int:
        return len(self.ra)

    def __getitem__(self, chosen: object) -> Catalog:
        """The galaxies selected by a slice, a mask or indices."""
        return replace(self, **{k: np.atleast_1d(v[chosen]) for k, v in self._columns().items()})

    def flipped(self, *, e1: bool = False, e2: bool = False) -> Catalog:
        """The same galaxies with the sign of `e1` or `e2` (and of its additive bias) turned."""
        turned = [k for k, on in (("e1", e1), ("c1", e1), ("e2", e2), ("c2", e2)) if on]
        columns = {k: -getattr(self, k) for k in turned if getattr(self, k) is not None}
        return replace(self, **columns)

    def from_distortion(self) -> Catalog:
        r"""Ellipticities (a² − b²)/(a² + b²) turned into shears (a − b)/(a + b).

        .. math:: \epsilon = \chi / (1 + \sqrt{1 - |\chi|^2})

        Galaxies with |χ| ≥ 1 have no such shape; they are left out, and a warning counts them.

        Raises:
            ValueError: Every galaxy has |χ| ≥ 1.

        References:
            Bartelmann & Schneider (2001), https://arxiv.org/abs/astro-ph/9912508
        """
        e1, e2 = self.e1.astype(float), self.e2.astype(float)
        square = e1**2 + e2**2
        fine = square < 1
        if not fine.all():
            lost = len(self) - int(fine.sum())
            if lost == len(self):
                raise NoGalaxies(f"{self.name}: every distortion is ≥ 1, which no ellipse has")
            warnings.warn(
                f"{self.name}: left out {lost} of {len(self)} galaxies with a distortion ≥ 1",
                stacklevel=2,
            )
        with np.errstate(invalid="ignore"):
            factor = 1 / (1 + np.sqrt(1 - np.where(fine, square, np.nan)))
        turned = self[fine] if not fine.all() else self
        return replace(turned, e1=(e1 * factor)[fine], e2=(e2 * factor)[fine])

    @property
    def scatter(self) -> float:
        """σ_e: weighted scatter of one component, Σw²(e1² + e2²)/(2Σw²) to the power ½."""
        w2 = self.weight.astype(float) ** 2
        e1, e2 = self.corrected()
        return float(np.sqrt((w2 * (e1**2 + e2**2)).sum() / (2 * w2.sum())))

    @property
    def plain_scatter(self) -> float:
        """Unweighted scatter of one component about its mean (0.305 on COSMOS)."""
        e1, e2 = self.corrected()
        return float(np.sqrt((e1.var() + e2.var()) / 2))

    def corrected(self) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """e − c, float64."""
        c1, c2 = (0.0 if c is None else c for c in (self.c1, self.c2))
        return self.e1.astype(float) - c1, self.e2.astype(float) - c2

    def sources(self, width: float = 0.05) -> Sources | None:
        """n(z) from the column `z`, weighted; `None` without redshifts.

        Args:
            width: Of the bins, in redshift.

        Raises:
            ValueError: `z` holds no positive number, or such that are no redshifts (mean above 8).
        """
        if self.z is None:
            return None
        known = np.isfinite(self.z) & (self.z > 0)
        if not known.any() or np.average(self.z[known], weights=self.weight[known]) > 8:
            raise ValueError(
                f"`z` must hold redshifts, its median is {np.nanmedian(self.z):.3g}; columns 'z=' "
                "leaves the column out"
            )
        redshift = self.z[known]
        # One empty bin at the end: n(z) is integrated between the bins' centres.
        edges = np.arange(0, min(redshift.max(), 20) + 3 * width, width)
        count, _ = np.histogram(redshift, edges, weights=self.weight[known])
        return Sources((edges[1:] + edges[:-1]) / 2, count)

    def _columns(self) -> dict[str, np.ndarray]:
        known = ("ra", "dec", "e1", "e2", "weight", "m", "c1", "c2", "R", "z")
        return {k: getattr(self, k) for k in known if getattr(self, k) is not None}

    def _check(self) -> None:
        if np.abs(self.dec).max() > 90:
            raise ValueError(
                f"`dec` must lie within ±90 degrees, got {self.dec[np.abs(self.dec).argmax()]:g}"
            )
        if np.abs(self.ra).max() > 720:
            raise ValueError(f"`ra` must be in degrees, got {self.ra[np.abs(self.ra).argmax()]:g}")
        if self.R is not None and not 0 < np.average(self.R, weights=self.weight) < 5:
            raise ValueError(
                f"`R` must be a shear response of order 1, its mean is {self.R.mean():g}; "
                "columns 'R=' leaves the column out"
            )
        if self.m is not None and not np.average(1 + self.m, weights=self.weight) > 0.05:
            raise ValueError(
                f"`m` must be a small multiplicative bias, its mean is {self.m.mean():g}; "
                "columns 'm=' leaves the column out"
            )


def _array(name: str, values: object) -> np.ndarray:
    values = np.array(values).ravel()
    if values.dtype.kind not in "fiu":
        raise ValueError(f"`{name}` must hold numbers, got {values.dtype}")
    return (
        values if values.dtype.kind == "f" and values.dtype.itemsize >= 4 else values.astype(float)
    )
