"""Classical maps: Kaiser–Squires, and the Wiener filter with its exact Gaussian posterior."""

from massgan_core.mapping.kaiser_squires import KaiserSquires
from massgan_core.mapping.wiener import Wiener

__all__ = ["KaiserSquires", "Wiener"]
