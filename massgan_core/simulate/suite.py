r"""Cosmologies over a range, one a box: a low-discrepancy sequence with a random start.

.. math:: u_{b,j} = \{ s_j + b\, \alpha_j \}, \qquad \alpha_j = \phi_d^{-j}, \qquad
          \phi_d^{d+1} = \phi_d + 1

with the braces for the fractional part, s from the seed and d the number of parameters that
vary. Box b depends on (seed, b) alone, so that a suite can grow; any run of consecutive boxes
covers the range evenly.

References:
    Roberts (2018), https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np

from massgan_core.simulate.cosmology import PLANCK, Cosmology

#: What may vary, and where HALOFIT and the growth equations still have solutions.
LIMITS = {
    "omega_m": (0.1, 0.6),
    "sigma8": (0.4, 1.4),
    "h": (0.5, 1.0),
    "n_s": (0.9, 1.1),
    "w": (-2.0, -0.5),
}

_SUITE = 43  # key of the random stream behind a seed
_DIGITS = 6


@dataclass(frozen=True)
class Suite:
    """``suite(b)`` is the cosmology of box b.

    Args:
        cosmology: Values of what does not vary.
        ranges: (low, high) of what does, by name; see :data:`LIMITS`.
        seed: Of the draws.

    Raises:
        ValueError: A parameter is unknown, or leaves its limits.
    """

    cosmology: Cosmology = PLANCK
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in {**asdict(self.cosmology), **self.ranges}.items():
            if name not in asdict(self.cosmology) or (name in self.ranges and name not in LIMITS):
                raise ValueError(f"a range must be of {', '.join(LIMITS)}, got {name!r}")
            if name in LIMITS:
                _check(name, value)

    def __call__(self, box: int) -> Cosmology:
        """The cosmology of a box ≥ 0, to six digits."""
        names = [name for name in LIMITS if name in self.ranges]
        values = {}
        for name, u in zip(names, self._point(box, len(names)), strict=True):
            low, high = self.ranges[name]
            value = round(low + (high - low) * u, _DIGITS)
            values[name] = min(max(value, low), high)
        return replace(self.cosmology, **values)

    def settings(self) -> dict[str, Any]:
        """Values and ranges by name, as plain JSON values."""
        return asdict(self.cosmology) | {
            name: list(map(float, r)) for name, r in self.ranges.items()
        }

    def _point(self, box: int, d: int) -> list[float]:
        words = np.random.SeedSequence([self.seed & 0xFFFFFFFFFFFFFFFF, _SUITE])
        start = words.generate_state(max(d, 1), np.uint64)[:d] * 2.0**-64
        golden = 2.0
        for _ in range(64):
            golden = (1 + golden) ** (1 / (d + 1))
        return ((start + box * golden ** -np.arange(1.0, d + 1)) % 1.0).tolist()


def _check(name: str, value: float | tuple[float, float]) -> None:
    ends = value if isinstance(value, tuple | list) else (value,)
    lowest, highest = LIMITS[name]
    if len(ends) == 2 and not ends[0] < ends[1]:
        raise ValueError(
            f"the range of `{name}` must run from low to high, got {ends[0]} to {ends[1]}"
        )
    for end in ends:
        if not (isfinite(end) and lowest <= end <= highest):
            raise ValueError(f"`{name}` must lie within {lowest} and {highest}, got {end}")
