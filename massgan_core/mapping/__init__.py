"""Classical maps: Kaiser–Squires, sparse, and Wiener with its exact Gaussian posterior."""

from massgan_core.mapping.kaiser_squires import KaiserSquires
from massgan_core.mapping.sparse import Sparse
from massgan_core.mapping.wiener import Wiener

__all__ = ["KaiserSquires", "Sparse", "Wiener"]
