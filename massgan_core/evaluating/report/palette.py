"""One colour and one marker for each method, the same in all plots and tables of a report.

Plots are drawn in the colours of a light page. Every colour stands for a CSS variable, which the
page sets for light, dark and printed pages (:func:`css`); :func:`themed` exchanges them.

References:
    Okabe & Ito (2008), https://jfly.uni-koeln.de/color
    Tol (2021), https://personal.sron.nl/~pault
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: Roles beside methods: names of CSS variables, colours of a light and of a dark page.
ROLES = {
    "ink": ("#1b1f24", "#e8eaed"),
    "faint": ("#59636e", "#a3adb8"),
    "line": ("#d4d9de", "#3a424b"),
    "card": ("#fdfdfe", "#171b20"),
    "fine": ("#2e7d46", "#4fae6c"),
}
INK, FAINT, LINE, CARD, FINE = (light for light, _ in ROLES.values())

_KNOWN = ("ks", "wiener", "sparse", "gan", "regression", "score")
_SLOTS = (
    ("#767c83", "#a9b0b8", "o", "●"),
    ("#0072b2", "#5cb8f0", "s", "■"),
    ("#00866a", "#34c9a0", "D", "◆"),
    ("#d55e00", "#ff9152", "^", "▲"),
    ("#a8478a", "#e59ccb", "v", "▼"),
    ("#8f6b00", "#e6c34d", "P", "✚"),
    ("#332288", "#a79bff", "X", "✖"),
    ("#882255", "#e07aa5", "p", "⬟"),
    ("#3f7f8f", "#8fd0de", "h", "⬢"),
    ("#6b3a12", "#cf9a68", "*", "★"),
)


@dataclass(frozen=True)
class Look:
    """How a method is drawn.

    Args:
        color: On a light page.
        marker: For matplotlib.
        sign: The same marker as a character.
        variable: CSS variable of the colour.
    """

    color: str
    marker: str
    sign: str
    variable: str


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """A look for every method: those that come with the package have theirs for good."""
    names = list(dict.fromkeys(methods))
    free = [k for k in range(len(_SLOTS)) if k >= len(_KNOWN) or _KNOWN[k] not in names]
    # Slots of no known method first, so that a known one does not change its colour beside others.
    free.sort(key=lambda k: (k < len(_KNOWN), k))
    found, count = {}, 0
    for name in names:
        if name in _KNOWN:
            slot = _KNOWN.index(name)
        else:
            slot, count = free[count % len(free)] if free else count % len(_SLOTS), count + 1
        light, _, marker, sign = _SLOTS[slot]
        found[name] = Look(light, marker, sign, f"--m{slot}")
    return found


def css(dark: bool) -> str:
    """Declarations of all variables, for a light or a dark page."""
    both = {name: pair for name, pair in ROLES.items()}
    both |= {f"m{k}": slot[:2] for k, slot in enumerate(_SLOTS)}
    return "".join(f"--{name}:{pair[dark]};" for name, pair in both.items())


def themed(svg: str) -> str:
    """Colours of a drawing exchanged for the page's variables."""
    both = {pair[0]: name for name, pair in ROLES.items()}
    both |= {slot[0]: f"m{k}" for k, slot in enumerate(_SLOTS)}
    for color, name in both.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg
