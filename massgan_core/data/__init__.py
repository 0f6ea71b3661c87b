"""Training data made as it is needed: sky patches and random observations of them."""

from massgan_core.data.observe import Observe
from massgan_core.data.patches import Patches, dihedral

__all__ = ["Observe", "Patches", "dihedral"]
