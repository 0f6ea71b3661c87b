"""Plots of one set that only need a map: scores, spectra, peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from massgan_core.evaluating.report.chart import (
    Axis,
    Chart,
    Frame,
    Series,
    Values,
    curves,
    dots,
    numbers,
)
from massgan_core.evaluating.report.columns import Table
from massgan_core.evaluating.report.palette import Look

Tables = Mapping[str, Table]
Looks = Mapping[str, Look]

ELL = tuple((v, f"{v:,}".replace(",", "\u202f")) for v in (300, 1000, 3000, 10_000))
TENTH, FIFTH = (6000.0, 0.1), (12_000.0, 0.2)  #: up to this ℓ, power may be off by so much


def list_series(tables: Tables, name: str, axis: str) -> list[Series]:
    """A list of every method against another of its lists."""
    return [
        _against(method, table, name, numbers(table, axis)) for method, table in tables.items()
    ]


def _against(method: str, table: Table, name: str, x: Values) -> Series:
    return Series(method, x, numbers(table, name, x), numbers(table, f"{name}_error", x))


def in_bands(tables: Tables, name: str) -> list[Series]:
    """A list over bands of multipoles, at their geometric means."""
    found = []
    for method, table in tables.items():
        edges = numbers(table, "band_edges")
        found.append(_against(method, table, name, np.sqrt(edges[1:] * edges[:-1])))
    return found


def one_series(tables: Tables, name: str, *, outline: str = "") -> list[Series]:
    """A single value of every method; `outline` says what it is beside the filled mark."""
    return [
        Series(
            m, np.zeros(1), numbers(t, name), numbers(t, f"{name}_error"), outline, bool(outline)
        )
        for m, t in tables.items()
    ]


def _over_wiener(tables: Tables, name: str) -> list[Series]:
    pairs = {m: {name: (t.get("over_wiener") or {}).get(name)} for m, t in tables.items()}
    values = {m: numbers(pair, name, np.zeros(2)) for m, pair in pairs.items()}
    return [Series(m, np.zeros(1), v[:1], v[1:]) for m, v in values.items()]


def scores(tables: Tables, looks: Looks, at: str) -> Sequence[Chart | None]:
    """The map against the truth, as a whole and scale by scale.

    Args:
        tables: Of the methods.
        looks: Theirs.
        at: What anchors begin with.
    """
    ell = Axis("multipole ℓ", True, ELL)
    limit = one_series(tables, "r_limit", outline="promised by samples")
    against = "compared field by field, so that what makes a field hard drops out."
    return [
        dots(
            *(f"{at}-r", "Pearson r with the truth"),
            "Further right is better; the outline is the r that the method's own samples promise, "
            "and should lie beside the filled mark.",
            *([*one_series(tables, "r"), *limit], looks, "Pearson r"),
        ),
        dots(
            *(f"{at}-r-ratio", "r over that of the Wiener filter"),
            f"Right of 1 is better than the best linear map, {against}",
            *(_over_wiener(tables, "r"), looks, "ratio of r", Frame(1.0)),
        ),
        dots(
            *(f"{at}-rmse-ratio", "RMSE over that of the Wiener filter"),
            f"Left of 1 is better than the best linear map, {against}",
            *(_over_wiener(tables, "rmse"), looks, "ratio of RMSE", Frame(1.0)),
        ),
        curves(
            *(f"{at}-correlation", "Cross-correlation with the truth"),
            "Higher is better: 1 means that all structure of this scale is in its right place.",
            *(in_bands(tables, "correlation"), looks, ell, Axis("r of ℓ")),
        ),
        curves(
            *(f"{at}-residual", "Power of the error"),
            "Lower is better: 1, the dashed line, is what an empty map would leave.",
            *(in_bands(tables, "residual_power"), looks, ell),
            *(Axis("power of map − truth, over the truth's"), Frame(1.0)),
        ),
        curves(
            *(f"{at}-map-power", "Power of the map"),
            "A posterior mean lies below 1 where noise hides structure, and should not exceed 1: "
            "that is noise.",
            *(in_bands(tables, "map_power"), looks, ell),
            *(Axis("power of the map, over the truth's"), Frame(1.0)),
        ),
    ]


def peaks(tables: Tables, looks: Looks, at: str) -> Sequence[Chart | None]:
    """Peaks found, missed and made up; arguments as in :func:`scores`."""
    snr = Axis("at least this S/N", ticks=[(v, f"{v}") for v in range(1, 9)])
    share = Axis("share")
    return [
        curves(
            *(f"{at}-completeness", "Completeness of peaks"),
            "Higher is better: the share of true peaks that have a counterpart within 1.5′.",
            *(list_series(tables, "completeness", "least_snr"), looks, snr, share),
        ),
        curves(
            *(f"{at}-purity", "Purity of peaks"),
            "Higher is better: the share of the map's peaks that are real.",
            *(list_series(tables, "purity", "least_snr"), looks, snr, share),
        ),
        _counts(tables, looks, at),
    ]


def _counts(tables: Tables, looks: Looks, at: str) -> Chart | None:
    """Numbers of peaks by height; the last bin has no upper end that matters."""
    found, ticks = [], []
    for method, table in tables.items():
        edges = numbers(table, "peak_heights")
        if np.isfinite(edges).all() and len(edges) > 1:
            places = np.arange(len(edges) - 1) + 0.5
            found.append(_against(method, table, "peaks_over_truth", places))
            ticks = [(float(k), f"{edge:g}") for k, edge in enumerate(edges)]
    last = len(ticks) - 1.0
    return curves(
        *(f"{at}-peak-counts", "Number of peaks in single samples"),
        "Near 1 is good: a sample has as many peaks of every height as the truth; the green band "
        "is 20 %.",
        *(found, looks, Axis("height, in std of smoothed κ", ticks=ticks, limits=(0, last))),
        *(Axis("peaks, over the truth's"), Frame(1.0, [(0.0, last, 0.8, 1.2)])),
        apart=True,
    )
