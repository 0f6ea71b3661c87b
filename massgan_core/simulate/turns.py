"""The 8 flips and transposes of a square map.

κ is turned first and its shear made after, so that no spin-2 rule is needed.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def turned(kappa: Float[Tensor, "H W"], turn: int) -> Float[Tensor, "h w"]:
    """Bit 0 of `turn` flips x, bit 1 flips y, bit 2 then swaps x and y."""
    kappa = kappa.flip([axis for axis, bit in ((-1, 1), (-2, 2)) if turn & bit])
    return (kappa.mT if turn & 4 else kappa).contiguous()
