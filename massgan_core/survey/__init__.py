"""From galaxies to a ShearField; the COSMOS catalogue and X-ray clusters by name."""

from massgan_core.survey.catalog import Catalog
from massgan_core.survey.clusters import Clusters, clusters
from massgan_core.survey.cosmos import cosmos, cosmos_catalog, cosmos_sources, cosmos_spectrum
from massgan_core.survey.gridding import grid_around, grid_catalog

__all__ = [
    "Catalog",
    "Clusters",
    "clusters",
    "cosmos",
    "cosmos_catalog",
    "cosmos_sources",
    "cosmos_spectrum",
    "grid_around",
    "grid_catalog",
]
