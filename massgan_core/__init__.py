"""MassGAN: posterior samples of the convergence from noisy weak-lensing shear.

    import massgan_core as mg
    field = mg.cosmos()
    for summary in mg.stream(mg.load("default"), field, n=64): ...

Names below are loaded on first use, so that ``import massgan_core`` stays quick and light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Draws": "sky",
    "Grid": "sky",
    "PowerSpectrum": "sky",
    "ShearField": "sky",
    "ShearOperator": "sky",
    "Sources": "sky",
    "smooth": "sky",
    "band_power": "sky",
    "Sampler": "posterior",
    "RunningMoments": "posterior",
    "SmoothedSamples": "posterior",
    "Summary": "posterior",
    "stream": "posterior",
    "Peaks": "peaks",
    "find_peaks": "peaks",
    "inspect_place": "peaks",
    "inspect_places": "peaks",
    "nearest": "peaks",
    "peak_probability": "wiring",
    "KaiserSquires": "mapping",
    "Sparse": "mapping",
    "Wiener": "mapping",
    "Catalog": "survey",
    "Clusters": "survey",
    "clusters": "survey",
    "cosmos": "survey",
    "cosmos_catalog": "survey",
    "cosmos_sources": "survey",
    "cosmos_spectrum": "survey",
    "grid_catalog": "survey",
    "open_field": "survey",
    "orientation_check": "survey",
    "write_shear_fits": "survey",
    "Cosmology": "simulate",
    "KappaTNG": "simulate",
    "LightCone": "simulate",
    "MapStore": "data",
    "lognormal": "simulate",
    "mock": "simulate",
    "nfw_field": "simulate",
    "theory_spectrum": "simulate",
    "Generator": "gan",
    "load": "gan",
    "checkpoints": "gan",
    "calibration_of": "calibrating",
    "predictive_map": "evaluate",
    "guaranteed": "calibrating",
    "sampler": "wiring",
    "side_by_side": "evaluating.plots.side_by_side",
    "simulated": "wiring",
    "spectrum_of": "wiring",
    "read_config": "gan.config",
    "train_stages": "training",
    "to_fits": "export",
    "to_xarray": "export",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'massgan_core' has no attribute {name!r}")
    return getattr(import_module(f"massgan_core.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
