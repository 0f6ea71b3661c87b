"""The rows of the two tables, and the words above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.census import MOST_JUDGED
from explorer.elements.sky import short

if TYPE_CHECKING:
    from explorer.census import Judged, PeakList
    from explorer.store import Circles

#: Key → title, numbro format (empty for text), share of the width.
CLUSTERS = {
    "name": ("Name", "", 150),
    "redshift": ("z", "0.000", 60),
    "mass": ("M500", "0.0", 70),
    "radius": ("r500 [′]", "0.0", 70),
    "kappa": ("κ in r500", "0.000", 80),
    "std": ("±", "0.000", 60),
    "snr": ("S/N", "0.0", 60),
    "found": ("Detected", "0%", 80),
}
PEAKS = {
    "number": ("No.", "0", 50),
    "ra": ("RA [°]", "0.00000", 90),
    "dec": ("Dec [°]", "0.00000", 90),
    "height": ("κ", "0.000", 70),
    "probability": ("Samples", "0%", 80),
    "cluster": ("Cluster", "", 150),
    "distance": ("Away [′]", "0.0", 70),
}


def cluster_rows(circles: Circles | None, judged: Judged | None) -> dict[str, list]:
    """A row for each circle; NaN where the samples have not been asked."""
    if circles is None:
        return {key: [] for key in CLUSTERS}
    known = {key: list(getattr(circles, key)) for key in ("name", "redshift", "mass", "radius")}
    found = [None] * len(circles.name)
    if judged is not None and judged.circles is circles:
        found = judged.found
    said = {
        key: [np.nan if one is None else getattr(one, name) for one in found]
        for key, name in (("kappa", "mean"), ("std", "std"), ("snr", "snr"), ("found", "found"))
    }
    return {**known, "name": [short(name) for name in circles.name], **said}


def peak_rows(
    listed: PeakList | None,
    beside: tuple[np.ndarray, np.ndarray] | None,
    names: np.ndarray | None,
) -> dict[str, list]:
    """A row for each peak; places are RA and Dec, NaN where the field is nowhere on the sky."""
    if listed is None:
        return {key: [] for key in PEAKS}
    peaks, nowhere = listed.peaks, np.full(len(listed.peaks), np.nan)
    which, distance = beside or (np.full(len(peaks), -1), nowhere)
    return {
        "number": list(range(1, len(peaks) + 1)),
        "ra": list(nowhere if peaks.ra is None else peaks.ra),
        "dec": list(nowhere if peaks.dec is None else peaks.dec),
        "height": list(peaks.height),
        "probability": list(listed.probability),
        "cluster": ["–" if i < 0 or names is None else short(names[i]) for i in which],
        "distance": list(np.where(np.isfinite(distance), distance, np.nan)),
    }


def standing_of_clusters(count: int, judged: Judged | None, *, drawn: bool, busy: bool) -> str:
    """How many clusters there are, and whether the samples were asked."""
    if not count:
        return "None in this field with these choices."
    words = f"{count:,} in this field"
    if judged is None:
        return f"{words}. " + (
            "Asking the samples …"
            if busy
            else "Let the samples finish, or pause, to see what they say."
            if drawn
            else "Draw samples to see what they say of each."
        )
    n = next((len(one.kappa) for one in judged.found if one is not None), 0)
    if not n:
        return f"{words}; less than half of each circle was observed."
    limit = f"; the first {MOST_JUDGED} were looked into" * (count > MOST_JUDGED)
    return f"{words}, from {n} sample{'s' * (n > 1)}{limit}."


def standing_of_peaks(listed: PeakList | None, *, drawn: bool, busy: bool) -> str:
    """How many peaks there are."""
    if listed is None:
        return "Looking for peaks …" if busy and drawn else "After sampling."
    count = len(listed.peaks)
    if not count:
        return "None this high: lower the limit."
    words = f"{count} peak{'s' * (count > 1)}, the highest first"
    return f"{words}; {listed.cut} lower ones are left out." if listed.cut else f"{words}."
