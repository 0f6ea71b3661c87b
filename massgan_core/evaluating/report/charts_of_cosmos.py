"""Plots of the real COSMOS field: mass stacked on its X-ray clusters, and on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from massgan_core.evaluating.report.chart import Axis, Chart, Frame, Series, curves, dots, numbers
from massgan_core.evaluating.report.palette import Look


def order(page: Mapping[str, Any]) -> list[int]:
    """Clusters by falling mean of κ/std over the methods that have one, else of κ."""
    heights = []
    for row in page["methods"].values():
        kappa = numbers(row, "each_kappa")
        std = numbers(row, "each_std", kappa)
        heights.append((kappa, kappa / np.where(std > 0, std, np.nan)))
    with_std = [snr for _, snr in heights if np.isfinite(snr).any()]
    found = with_std or [kappa for kappa, _ in heights if np.isfinite(kappa).any()]
    if not found:
        return list(range(len(page.get("names") or [])))
    mean = np.mean([np.where(np.isfinite(x), x, -np.inf) for x in found], 0)
    return np.argsort(-mean, kind="stable").tolist()


def stacks(page: Mapping[str, Any], looks: Mapping[str, Look]) -> Sequence[Chart | None]:
    """Stacked S/N, its difference to the Wiener filter's, and the null tests."""
    rows = page["methods"]
    return [
        dots(
            *("cosmos-stack", "Stacked on all clusters"),
            "Further right is better: mass is where the hot gas is.",
            *(_pairs(rows, "snr"), looks, "S/N of the stack"),
        ),
        dots(
            *("cosmos-difference", "Stack less that of the Wiener filter"),
            "Right of 0 is better than the best linear map on the same clusters.",
            *(_pairs(rows, "over_wiener"), looks, "difference in S/N", Frame(0.0)),
        ),
        dots(
            *("cosmos-null", "Where nothing should be"),
            "Near 0 is good: randomly turned shear (filled; the bar is the scatter of single "
            "turns) and the B mode (outline) hold no mass.",
            *([*_pairs(rows, "turned_snr"), *_pairs(rows, "b_mode_snr", "B mode")], looks),
            *("S/N of the stack", Frame(0.0)),
        ),
    ]


def clusters(page: Mapping[str, Any], looks: Mapping[str, Look]) -> Chart | None:
    """κ of every cluster with its posterior std."""
    at, found = order(page), []
    place = np.arange(len(at)) + 1.0
    for method, row in page["methods"].items():
        kappa, std = (numbers(row, k, place)[at] for k in ("each_kappa", "each_std"))
        if np.isfinite(std).any():
            found.append(Series(method, place, kappa, std))
    ticks = [(1, "1"), *((k, f"{k}") for k in range(5, len(at) + 1, 5))]
    return curves(
        *("cosmos-clusters", "κ at every cluster"),
        "Bars are the posterior std; one that stays clear of 0 is a cluster that the shear alone "
        "would show.",
        *(found, looks, Axis("cluster, in the order of the table", ticks=ticks)),
        *(Axis("κ, smoothed by 1′"), Frame(0.0)),
        apart=True,
        wide=True,
    )


def _pairs(rows: Mapping[str, Any], name: str, outline: str = "") -> list[Series]:
    """A value, or one and its error."""
    found = []
    for method, row in rows.items():
        value = np.append(numbers(row, name), np.nan)[:2]
        found.append(Series(method, np.zeros(1), value[:1], value[1:], outline, bool(outline)))
    return found
