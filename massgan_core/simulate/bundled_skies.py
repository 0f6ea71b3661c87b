"""The bundled N-body skies: κ maps of 600² pixels of 0.29′ from light cones of a particle mesh.

Three maps of three boxes with the COSMOS n(z); a seed chooses one, turns it by one of the 8 flips
and transposes, and moves the part that is looked at. The map is twice as large as the field, as
for the other skies.

They are for looking and teaching, not for tests: the bundled networks were calibrated on boxes of
the same run, and a seed turns few maps. No store holds them, so `massgan evaluate` and
`massgan calibrate` do not see them. `benchmarks/make_skies.py` writes the file.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.simulate.turns import turned
from massgan_core.sky import Grid, generator

SIDE = 600  #: pixels of a map on a side
LARGEST = 300  #: pixels of a field on a side, at most
SCALE = 0.29  #: side of a pixel [arcmin]
MARGIN = 75  #: pixels of the map beyond the field on every side, at least
_TURN = 104  # key of the random stream behind a seed


def bundled_sky(grid: Grid, *, seed: int) -> tuple[Float[Tensor, "600 600"], tuple[int, int]]:
    """κ of a whole map, mean 0, and the row and column where the field of `grid` begins.

    Args:
        grid: Of the field: at most 300 pixels of 0.29′ on a side.
        seed: Chooses map (the remainder by their number), turn and place.

    Raises:
        ValueError: The field is too large, or of other pixels.
    """
    check_pixels(grid, "nbody")
    maps = _maps()
    key = generator(seed, _TURN)
    turn = int(torch.randint(8, (), generator=key))
    top, left = (
        int(torch.randint(MARGIN, SIDE - MARGIN - n + 1, (), generator=key)) for n in grid.shape
    )
    kappa = maps[seed % len(maps)].float()
    return turned(kappa - kappa.mean(), turn), (top, left)


def check_pixels(grid: Grid, kind: str) -> None:
    """Refuse fields that the bundled maps do not hold.

    Raises:
        ValueError: The field is too large, or of other pixels.
    """
    if max(grid.shape) > LARGEST or abs(grid.pixel_scale / SCALE - 1) > 0.01:
        raise ValueError(
            f"a sky of kind {kind} must have at most {LARGEST} pixels of {SCALE}′ on a side, got "
            f"{grid.shape} of {grid.pixel_scale:g}′; take kind lognormal"
        )


def skies_card() -> dict[str, Any]:
    """Where the maps are from: boxes, cosmologies, n(z), preset, and what they are not for."""
    with _opened() as file:
        return json.loads(str(file["card"]))


@cache
def _maps() -> Float[Tensor, "N 600 600"]:
    with _opened() as file:
        return torch.from_numpy(file["kappa"])


def _opened() -> Any:
    with as_file(files(__package__) / "bundled" / "nbody_skies.npz") as path:
        return np.load(path, allow_pickle=False)
