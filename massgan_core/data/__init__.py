"""Training data: maps on disk or made as needed, and random observations of them."""

from massgan_core.data.dataset import Dataset, fixed_fields
from massgan_core.data.ledger import Ledger
from massgan_core.data.observe import Observe
from massgan_core.data.patches import Patches, dihedral
from massgan_core.data.split import split_boxes
from massgan_core.data.store import MapStore

__all__ = [
    "Dataset",
    "Ledger",
    "MapStore",
    "Observe",
    "Patches",
    "dihedral",
    "fixed_fields",
    "split_boxes",
]
