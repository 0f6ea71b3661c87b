r"""How values become colours: between two limits, and along a stretch.

.. math:: c(\kappa) = \frac{s(\kappa) - s(low)}{s(high) - s(low)}, \qquad
          s(\kappa) = \mathrm{sign}(t)\, f(|t|), \quad t = (\kappa - origin) / width

with f(t) = t, √t or asinh(10 t) / asinh(10). A signed map is stretched alike on both sides of 0;
one without a sign from its lower limit on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SOFT = 10.0  #: how much steeper asinh is near 0 than far from it, nearly
FINE = 1024  #: colours of a stretched exact frame, so that the steep part shows no steps

#: The same for the page: `bent` is s(κ) of a value, `value` goes back.
SCRIPT = f"""
const scale = (low, high, stretch, signed) => {{
  const soft = {SOFT}, most = Math.asinh(soft)
  const origin = signed ? 0 : low
  const width = Math.max(Math.abs(low - origin), Math.abs(high - origin))
  const [bend, unbend] = {{
    linear: [t => t, t => t],
    sqrt: [t => Math.sign(t) * Math.sqrt(Math.abs(t)), t => Math.sign(t) * t * t],
    asinh: [t => Math.asinh(soft * t) / most, t => Math.sinh(t * most) / soft],
  }}[stretch]
  return {{
    bent: value => bend((value - origin) / width),
    value: bent => origin + width * unbend(bent),
  }}
}}
"""


@dataclass(frozen=True)
class Scale:
    """Limits and stretch of one map.

    Args:
        low: Value of the first colour.
        high: Value of the last colour, larger than `low`.
        stretch: ``linear``, ``asinh`` or ``sqrt``.
        signed: Whether 0 is the middle of the colours.
    """

    low: float
    high: float
    stretch: str = "linear"
    signed: bool = True

    @property
    def limits(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    @property
    def origin(self) -> float:
        """Where the stretch starts."""
        return 0.0 if self.signed else self.low

    @property
    def width(self) -> float:
        """Distance from the origin at which the stretch ends."""
        return max(abs(self.low - self.origin), abs(self.high - self.origin))

    @property
    def ends(self) -> tuple[float, float]:
        """s of both limits."""
        low, high = self._stretched(np.array(self.limits))
        return float(low), float(high)

    def colored(self, values: np.ndarray) -> np.ndarray:
        """Place of `values` among the colours: 0 at `low`, 1 at `high`; NaN stays."""
        low, high = self.ends
        return (self._stretched(values) - low) / (high - low)

    def colors(self, palette: list[str]) -> list[str]:
        """Colours in even steps of the value, so that they show `palette` stretched."""
        if self.stretch == "linear":
            return palette
        at = self.colored(np.linspace(self.low, self.high, FINE))
        chosen = np.clip(np.rint(at * (len(palette) - 1)), 0, len(palette) - 1).astype(int)
        return [palette[i] for i in chosen]

    def _stretched(self, values: np.ndarray) -> np.ndarray:
        t = (np.asarray(values) - self.origin) / self.width
        if self.stretch == "linear":
            return t
        size = np.abs(t)
        bent = np.sqrt(size) if self.stretch == "sqrt" else np.arcsinh(SOFT * size)
        return np.sign(t) * bent / (1.0 if self.stretch == "sqrt" else np.arcsinh(SOFT))


def around_zero(palette: list[str], low: float, high: float) -> list[str]:
    """The part of a diverging `palette` that keeps its middle at 0 between uneven `low`, `high`.

    Of a stretched scale these are its :attr:`Scale.ends`.
    """
    end, last = max(abs(low), abs(high)), len(palette) - 1
    at = np.linspace((low / end + 1) / 2, (high / end + 1) / 2, len(palette)) * last
    return [palette[i] for i in np.rint(at).astype(int)]
