"""From galaxies to a ShearField; the COSMOS catalogue and X-ray clusters by name."""

from massgan_core.survey.catalog import Catalog
from massgan_core.survey.clusters import Clusters, clusters
from massgan_core.survey.cosmos import cosmos, cosmos_catalog, cosmos_sources, cosmos_spectrum
from massgan_core.survey.gridding import grid_around, grid_catalog, rotate_galaxies
from massgan_core.survey.open import open_field
from massgan_core.survey.orientation import Orientation, orientation_check
from massgan_core.survey.shear_fits import read_shear_fits, write_shear_fits

__all__ = [
    "Catalog",
    "Clusters",
    "Orientation",
    "clusters",
    "cosmos",
    "cosmos_catalog",
    "cosmos_sources",
    "cosmos_spectrum",
    "grid_around",
    "grid_catalog",
    "open_field",
    "orientation_check",
    "read_shear_fits",
    "rotate_galaxies",
    "write_shear_fits",
]
