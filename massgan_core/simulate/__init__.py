"""Simulated skies: theory spectra, lognormal fields, haloes, mock observations."""

from massgan_core.simulate.cosmology import PLANCK, Cosmology, theory_spectrum
from massgan_core.simulate.halo import NFW, nfw_field
from massgan_core.simulate.lognormal import Lognormal, lognormal
from massgan_core.simulate.mock import COSMOS_DEPTH, mock, named, sky

__all__ = [
    "COSMOS_DEPTH",
    "NFW",
    "PLANCK",
    "Cosmology",
    "Lognormal",
    "lognormal",
    "mock",
    "named",
    "nfw_field",
    "sky",
    "theory_spectrum",
]
