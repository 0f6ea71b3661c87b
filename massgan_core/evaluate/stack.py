r"""Mass at known places: the mean of a map on positions, against random ones.

.. math:: S/N = \sqrt{M}\,\frac{\langle \kappa \rangle_\mathrm{places} - \langle \kappa
          \rangle_\mathrm{inside}}{\mathrm{std}(\kappa)_\mathrm{inside}}

which is the height above sets of M random positions inside the same area.
"""

from __future__ import annotations

from math import sqrt

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massgan_core.sky import generator

_STACK = 92  # key of the random stream behind a seed


def stack(
    kappa: Float[Tensor, "H W"],
    inside: Bool[Tensor, "H W"],
    places: Int[Tensor, "M 2"],
) -> tuple[float, float]:
    """Mean κ on `places` above that of `inside`, and its S/N against random positions.

    Args:
        kappa: A map.
        inside: Where places, and random positions, may lie.
        places: Row and column of each [pixels].
    """
    height, noise = _heights(kappa, inside, places)
    return float(height.mean()), float(height.mean() / noise * sqrt(len(height)))


def paired_stacks(
    first: Float[Tensor, "H W"],
    second: Float[Tensor, "H W"],
    inside: Bool[Tensor, "H W"],
    places: Int[Tensor, "M 2"],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """S/N of the first map's stack less that of the second's, and its error over places.

    Both maps are stacked on the same redrawn places, so that what they share drops out.

    Args:
        first: A map.
        second: Another of the same field.
        inside, places: As in :func:`stack`.
        draws: How often the places are redrawn.
        seed: Of the draws.
    """
    maps = [_heights(kappa, inside, places) for kappa in (first, second)]
    unit = [height / noise * sqrt(len(height)) for height, noise in maps]
    difference = unit[0] - unit[1]
    chosen = torch.randint(len(places), (draws, len(places)), generator=generator(seed, _STACK))
    return float(difference.mean()), float(difference[chosen].mean(1).std())


def _heights(
    kappa: Float[Tensor, "H W"], inside: Bool[Tensor, "H W"], places: Int[Tensor, "M 2"]
) -> tuple[Float[Tensor, " M"], Float[Tensor, ""]]:
    """κ on each place above the mean of `inside`, and the std there."""
    everywhere = kappa.double()[inside]
    return kappa.double()[tuple(places.T)] - everywhere.mean(), everywhere.std()
