"""Local maxima of a map inside a footprint."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def local_maxima(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"]
) -> Bool[Tensor, "*B H W"]:
    """Pixels higher than their 8 neighbours, all nine inside the footprint.

    Args:
        kappa: Maps.
        area: Footprint, one for all maps or one for each.
    """
    # What is outside, or beyond the edge, counts as higher than anything.
    walled = torch.where(area, kappa, torch.inf)
    walled = torch.nn.functional.pad(walled, (1, 1, 1, 1), value=torch.inf)
    height, width = kappa.shape[-2:]
    higher = area.expand(kappa.shape).clone()
    for dy in range(3):
        for dx in range(3):
            if (dy, dx) != (1, 1):
                higher &= kappa > walled[..., dy : dy + height, dx : dx + width]
    return higher
