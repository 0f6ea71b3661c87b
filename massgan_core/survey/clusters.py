"""X-ray clusters of galaxies in the COSMOS field, bundled and loaded by name."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float

CONCENTRATION = 4.0  #: NFW c200 that turns the groups' (r200, M200) into (r500, M500)


@dataclass(frozen=True, eq=False)
class Clusters:
    """A list of clusters; every attribute is an array of length N.

    Args:
        id: Number in the source's list.
        ra: Right ascension [deg].
        dec: Declination [deg].
        r500: Radius within which the mean density is 500 × critical [arcmin].
        redshift: Redshift.
        m500: Mass within r500 [1e13 Msun].
        name: Name for people.
    """

    id: np.ndarray
    ra: Float[np.ndarray, " N"]
    dec: Float[np.ndarray, " N"]
    r500: Float[np.ndarray, " N"]
    redshift: Float[np.ndarray, " N"]
    m500: Float[np.ndarray, " N"]
    name: np.ndarray

    def __len__(self) -> int:
        return len(self.ra)

    def __getitem__(self, chosen: object) -> Clusters:
        """Those selected by a slice, a mask or indices."""
        return Clusters(**{k: np.atleast_1d(v[chosen]) for k, v in self.__dict__.items()})


@cache
def clusters(name: str = "finoguenov2007") -> Clusters:
    """A bundled list.

    Args:
        name: ``finoguenov2007`` (72 XMM-Newton clusters) or ``george2011`` (129 groups with
            revised redshifts; their r200 and M200 become r500 and M500 under an NFW profile
            of c200 = 4).

    Raises:
        ValueError: No list of that `name`.

    References:
        Finoguenov et al. (2007), https://ui.adsabs.harvard.edu/abs/2007ApJS..172..182F
        George et al. (2011), https://ui.adsabs.harvard.edu/abs/2011ApJ...742..125G
    """
    if name not in _READERS:
        raise ValueError(
            f"`name` of a cluster list must be one of {', '.join(_READERS)}, got {name!r}"
        )
    return _READERS[name]()


def _finoguenov() -> Clusters:
    rows = _rows("finoguenov2007_xray_clusters.csv")
    number = rows["id"].astype(int)
    return Clusters(
        id=number,
        ra=rows["ra_deg"].astype(float),
        dec=rows["dec_deg"].astype(float),
        r500=rows["r500_arcmin"].astype(float),
        redshift=rows["redshift"].astype(float),
        m500=rows["m500_1e13_msun"].astype(float),
        name=np.array([f"COSMOS X-ray cluster {n}" for n in number]),
    )


def _george() -> Clusters:
    rows = _rows("george2011_xray_groups.csv")
    radius = _nfw_radius_ratio(CONCENTRATION)
    m200 = 10 ** (rows["log10_m200c_msun"].astype(float) - 13)
    return Clusters(
        id=rows["group_id"].astype(int),
        ra=rows["ra_deg"].astype(float),
        dec=rows["dec_deg"].astype(float),
        r500=rows["r200c_arcsec"].astype(float) / 60 * radius,
        redshift=rows["redshift"].astype(float),
        m500=m200 * 2.5 * radius**3,
        name=rows["name"],
    )


_READERS = {"finoguenov2007": _finoguenov, "george2011": _george}


def _rows(file: str) -> dict[str, np.ndarray]:
    text = (files(__package__) / "bundled" / file).read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    return dict(zip(header, np.array(rows).T, strict=True))


def _nfw_radius_ratio(concentration: float) -> float:
    """r500/r200 of an NFW halo: m(cx)/m(c) = 2.5 x³ with m(y) = ln(1 + y) − y/(1 + y)."""

    def mass(y: float) -> float:
        return np.log1p(y) - y / (1 + y)

    low, high = 0.1, 1.0  # the mean density within x r200 falls with x: bisect
    for _ in range(60):
        middle = (low + high) / 2
        denser = mass(concentration * middle) / mass(concentration) > 2.5 * middle**3
        low, high = (middle, high) if denser else (low, middle)
    return low
