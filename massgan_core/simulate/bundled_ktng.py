"""One bundled κTNG map: what a hydrodynamical simulation says the COSMOS sky may look like.

363² pixels of 0.29′ (the 360² of 0.29297′ of the file, resampled) with the COSMOS n(z). A seed
turns it by one of the 8 flips and transposes, chooses the part that is looked at, and makes the
lognormal sky around it: the shear of a field needs κ beyond its edges, and what lies around the
map is not known.

It is one map, for looking: no network was trained or chosen by it, and `massgan evaluate --ktng`
judges methods by the very same one. `benchmarks/make_skies.py --ktng` writes the file.

References:
    Osato, Liu & Haiman (2021), https://ui.adsabs.harvard.edu/abs/2021MNRAS.502.5593O
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.simulate.bundled_skies import SCALE, SIDE, check_pixels
from massgan_core.simulate.kappa_tng import embedded
from massgan_core.simulate.turns import turned
from massgan_core.sky import Grid, PowerSpectrum, generator

_PLACE, _AROUND = 105, 106  # keys of the random streams behind a seed


def bundled_ktng(
    grid: Grid, power: PowerSpectrum, *, seed: int
) -> tuple[Float[Tensor, "600 600"], tuple[int, int]]:
    """κ of the map inside a lognormal sky, mean 0, and where the field of `grid` begins.

    Args:
        grid: Of the field: at most 300 pixels of 0.29′ on a side.
        power: Of the sky around the map.
        seed: Chooses turn, place and what lies around.

    Raises:
        ValueError: The field is too large, or of other pixels.
    """
    check_pixels(grid, "ktng")
    key = generator(seed, _PLACE)
    kappa = turned(_map(), int(torch.randint(8, (), generator=key)))
    around = Grid((SIDE, SIDE), SCALE)
    whole, first = embedded(kappa, around, power, generator(seed, _AROUND))
    top, left = (
        first + int(torch.randint(len(kappa) - n + 1, (), generator=key)) for n in grid.shape
    )
    return whole, (top, left)


@cache
def _map() -> Float[Tensor, "H W"]:
    with as_file(files(__package__) / "bundled" / "ktng_sky.npz") as path:
        kappa = torch.from_numpy(np.load(path, allow_pickle=False)["kappa"]).float()
    return kappa
