"""The ground: grids, shear fields, the lensing operator, noise, spectra, smoothing."""

from massgan_core.sky.averages import galaxy_density, mean_shear
from massgan_core.sky.equations import NormalEquations
from massgan_core.sky.fields import ShearField, footprint, remove_mean
from massgan_core.sky.grid import Grid
from massgan_core.sky.lensing import ShearOperator, reduced_shear
from massgan_core.sky.maxima import local_maxima
from massgan_core.sky.noise import pixel_sigma, shape_noise, shear_scatter
from massgan_core.sky.polygons import inside_polygon
from massgan_core.sky.rng import Draws, device_generator, generator
from massgan_core.sky.smooth import MaskedSmoothing, smooth
from massgan_core.sky.sources import Sources
from massgan_core.sky.spectrum import PowerSpectrum, band_power, gaussian_field
from massgan_core.sky.stopping import Stop, Stopped, go_on

__all__ = [
    "Draws",
    "Grid",
    "MaskedSmoothing",
    "NormalEquations",
    "PowerSpectrum",
    "ShearField",
    "ShearOperator",
    "Sources",
    "Stop",
    "Stopped",
    "band_power",
    "device_generator",
    "footprint",
    "galaxy_density",
    "gaussian_field",
    "generator",
    "go_on",
    "inside_polygon",
    "local_maxima",
    "mean_shear",
    "pixel_sigma",
    "reduced_shear",
    "remove_mean",
    "shape_noise",
    "shear_scatter",
    "smooth",
]
