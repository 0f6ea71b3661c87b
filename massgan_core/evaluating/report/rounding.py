"""Numbers as people write them: no more digits than their error leaves."""

from __future__ import annotations

from math import floor, isfinite, log10

MOST = 6  #: digits behind the point


def rounded(value: float | None, error: float | None = None) -> str:
    """``0.895 ± 0.011``; three digits where there is no error; "" where there is no value.

    The error keeps two digits if these are below 36, else one.

    References:
        Particle Data Group, Review of Particle Physics, Introduction §5.3
    """
    if value is None or not isfinite(value):
        return ""
    if error is None or not isfinite(error) or error <= 0:
        return _alone(value)
    places = min(_places(error), MOST)
    return f"{_fixed(value, places)} ± {_fixed(error, places)}"


def _alone(value: float) -> str:
    if abs(value - round(value)) < 1e-9 and abs(value) < 1e6:
        return str(round(value))
    if 1e-4 <= abs(value) < 1e6:
        return _fixed(value, max(2 - floor(log10(abs(value))), 0))
    return f"{value:.2g}"


def _places(error: float) -> int:
    """Digits behind the point (in front of it: negative) that an error leaves."""
    power = floor(log10(error))
    first = round(error / 10.0 ** (power - 1)) / 10  # its first two digits, 1.0 … 10.0
    if first >= 9.5:
        return -power  # 0.096 is 0.10
    return 1 - power if first <= 3.5 else -power


def _fixed(value: float, places: int) -> str:
    text = f"{round(value, places):.{max(places, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text
