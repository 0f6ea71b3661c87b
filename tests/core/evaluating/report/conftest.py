"""A report such as an evaluation hands over, with few methods and round figures."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

SAMPLES = 15
EDGES = [300.0, 1000.0, 3000.0, 12_000.0]


def pair(name: str, value: float | list[float], error: float = 0.012) -> dict[str, Any]:
    """A figure and its error."""
    errors = [error] * len(value) if isinstance(value, list) else error
    return {name: value, f"{name}_error": errors}


def of_map(title: str, r: float) -> dict[str, Any]:
    """Table of a method without samples."""
    table: dict[str, Any] = {"title": title, "fields": 6, "boxes": 3, "gflop": None}
    for name, value in {"r": r, "ssim": 0.4, "rmse": 0.02 / r, "psnr": 34.0}.items():
        table |= pair(name, value)
    table |= {"band_edges": EDGES, "correlation": [0.9, 0.7, 0.3 * r]}
    table |= pair("residual_power", [0.1, 0.4, 0.9]) | pair("map_power", [0.9, 0.7, 0.2])
    table |= {"least_snr": [1.0, 3.0, 5.0]}
    table |= pair("completeness", [0.5, r, 0.9]) | pair("purity", [0.6, 0.9, 1.0])
    table |= pair("chi_square_of_map", 1.01) | pair("slope", 0.9)
    table |= {"seconds_of_map": 0.25, "seconds_of_sample": None}
    table |= {"leaks": {"repeat": 0.0}, "outside_domain": [], "faults": []}
    return table | {"unjudged": ["ranks"]}


def of_samples(title: str, r: float, spread: float) -> dict[str, Any]:
    """Table of a method with samples."""
    table = of_map(title, r) | {"samples": SAMPLES, "r_limit": r + 0.01, "gflop": 8.0}
    for end in ("", "_2arcmin", "_4arcmin", "_top"):
        table |= pair(f"spread_skill{end}", spread)
    table |= pair("deciles_unselected", [spread] * 10) | pair("depth_levels", [spread] * 5)
    table |= pair("ranks", [spread, *[1.0] * 14, 0.99]) | pair("peak_bias_unselected", -0.02)
    table |= {"coverage_levels": [0.5, 0.7, 0.95]}
    for name in ("coverage", "coverage_at_peaks"):
        table |= {name: [0.5, 0.7 * spread, None], f"{name}_error": [0.01, 0.01, None]}
        table[f"{name}_widest"] = [0.875, 0.88, 0.01]
    table |= {"calibrated_levels": [0.68, 0.95]} | pair("calibrated", [0.69, 0.94])
    curve = {"levels": [0.25, 0.5, 0.75], "ecp": [0.2, 0.5, 0.8], "error": [0.01, 0.02, 0.01]}
    table |= {"tarp": {"blocks": 0.4, "peaks": 0.001}}
    table |= {"tarp_curves": dict.fromkeys(("blocks", "patches", "peaks"), curve)}
    table |= pair("power_over_truth", [1.0, 1.1, spread])
    table |= {"peak_heights": [0.0, 1.0, 2.0, 4.0]} | pair("peaks_over_truth", [1.0, 1.1, 0.8])
    table |= pair("std_over_truth", spread) | pair("skewness_over_truth", 0.8)
    table |= {"value_edges": [-0.1, 0.0, 0.1, 0.2], "values_of_samples": [5.0, 9.0, 1.0]}
    table |= {"values_of_true_map": [4.0, 9.0, 2.0]} | pair("chi_square", 0.99)
    growth = {"n": [1, 4, SAMPLES], "gain": [0.0, 2.0, 2.7], "gain_error": [0.0, 0.01, 0.02]}
    table |= {"growth": growth | {"ideal": [0.0, 2.04, 2.73]}} | pair("gain", 2.7)
    table |= {"seconds_of_sample": 0.09, "digest": "0123456789ab"}
    return table | {"unjudged": ["r_over_exact", "samples of depth"]}


def report() -> dict[str, Any]:
    """One set of fields with three methods, and COSMOS."""
    methods = {
        "ks": of_map("Kaiser–Squires, 1′", 0.5),
        "wiener": of_samples("Wiener", 0.6, 1.2),
        "my_gan": of_samples("gan <new> & 100 %", 0.65, 1.01),
    }
    for name in ("ks", "my_gan"):
        pairs = {"r": [methods[name]["r"] / 0.6, 0.01], "rmse": [0.95, 0.02], "ssim": [1.0, 0.01]}
        methods[name]["over_wiener"] = pairs
    words = "Spread/skill after 4′ smoothing is 0.78 ± 0.03 (should be > 0.9): too little."
    methods["wiener"]["faults"] = [{"name": "spread", "words": words}]
    methods["my_gan"]["outside_domain"] = ["σ is larger than in training"]
    cosmos = {"clusters": 3, "samples": 32, "methods": {}}
    cosmos |= {"names": ["X-ray cluster 4", "X-ray cluster 7", "X-ray cluster 9"]}
    cosmos |= {"redshift": [0.3, 0.4, 0.9]}
    for name in methods:
        row = {"title": name, "kappa": 0.015, "snr": 8.0, "snr_smoothed": 7.0, "b_mode_snr": -0.5}
        row |= {"b_mode_rms": 0.8, "turned_snr": [0.1, 0.6], "each_kappa": [0.01, 0.03, -0.01]}
        if name != "ks":
            row |= {"each_std": [0.01] * 3, "each_probability": [0.8, 1.0, 0.2]}
        cosmos["methods"][name] = row
    part = {"title": "N-body maps", "fields": 6, "boxes": 3, "methods": methods}
    notes = ["my_gan: 2 of 5 boxes served its training and were left out"]
    settings = {"samples": SAMPLES, "seed": 0}
    made = {"version": "1.2.3", "settings": settings, "notes": notes}
    return made | {"sets": {"test": part}, "cosmos": cosmos}


@pytest.fixture
def found() -> dict[str, Any]:
    """A report that a test may change."""
    return deepcopy(report())


@pytest.fixture(scope="session")
def page() -> str:
    """The page of an unchanged report."""
    from massgan_core.evaluating.report.to_html import to_html

    return to_html(report())
