"""Simulated skies: particle mesh, lognormal, κTNG, haloes, mock observations; theory."""

from massgan_core.simulate.boxes import run_box
from massgan_core.simulate.bundled_skies import skies_card
from massgan_core.simulate.cosmology import PLANCK, Cosmology, theory_spectrum
from massgan_core.simulate.halo import NFW, nfw_field
from massgan_core.simulate.kappa_tng import KappaTNG
from massgan_core.simulate.light_cone import LightCone
from massgan_core.simulate.lognormal import Lognormal, lognormal
from massgan_core.simulate.mock import COSMOS_DEPTH, mock, named, sky
from massgan_core.simulate.particle_mesh import ParticleMesh
from massgan_core.simulate.polygons import inside_polygons
from massgan_core.simulate.suite import Suite

__all__ = [
    "COSMOS_DEPTH",
    "NFW",
    "PLANCK",
    "Cosmology",
    "KappaTNG",
    "LightCone",
    "Lognormal",
    "ParticleMesh",
    "Suite",
    "inside_polygons",
    "lognormal",
    "mock",
    "named",
    "nfw_field",
    "run_box",
    "skies_card",
    "sky",
    "theory_spectrum",
]
