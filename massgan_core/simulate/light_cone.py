r"""Convergence maps of any n(z) from the planes of a box, in the Born approximation.

Every slab is seen through a random one of the box's three axes, shifted, mirrored and
transposed at random, so that one box gives many maps that are nearly independent. Boxes, not
maps, are the unit of independence.
"""

from __future__ import annotations

import warnings
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.simulate.boxes import AXES, Preset, plane_path, read_card
from massgan_core.simulate.cores import Cores
from massgan_core.simulate.cosmology import Cosmology
from massgan_core.simulate.sharpen import Sharpening
from massgan_core.sky import Grid, Sources
from massgan_core.sky.grid import ARCMIN

TILED_WARNING, TILED_ERROR = 0.2, 0.5  #: shares of lensing weight (DEFINITIONS, "Boxes")


class LightCone:
    """Maps of κ, seen through one box.

    Args:
        folder: Planes of :func:`~massgan_core.simulate.boxes.run_box`.
        grid: Pixels of the maps. Where they show more than the box, it repeats.
        sources: n(z).

    Attributes:
        tiled: Share of the lensing weight where the central half of the map, the part one
            looks at, is wider than the box.

    Raises:
        ValueError: No planes in `folder`, sources behind the light cone, or more than half of
            the lensing weight tiled.
    """

    def __init__(self, folder: Path, grid: Grid, sources: Sources) -> None:
        card = read_card(folder)
        settings = dict(card["preset"])
        settings["sharpening"] = Sharpening(**settings["sharpening"])
        settings["cores"] = Cores(**settings["cores"])
        self.folder, self.grid, self.sources = Path(folder), grid, sources
        self.preset, self.cosmology = Preset(**settings), Cosmology(**card["cosmology"])
        self.slabs = self.preset.slabs(self.cosmology)
        self.weights = self.slabs.weights(sources)
        angle = max(grid.extent) / 2 * ARCMIN
        self.tiled = self.slabs.tiled(sources, angle, self.preset.box)
        self._judge_tiling()

    def __call__(self, generator: torch.Generator) -> Float[Tensor, "H W"]:
        """One map of κ, less its mean."""
        height, width = self.grid.shape
        straight = np.zeros((height, width), np.float32)
        turned = np.zeros((width, height), np.float32)
        for slab, weight in enumerate(self.weights):
            axis, kind = (int(torch.randint(n, (), generator=generator)) for n in (AXES, 8))
            corner = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
            if weight == 0:
                continue
            plane = self._planes[slab][axis]
            step = self._step(slab, len(plane))
            steps = (-step if kind & 1 else step), (-step if kind & 2 else step)
            first = [c * len(plane) for c in corner]
            add_plane(turned if kind & 4 else straight, plane, first, steps, float(weight))
        kappa = torch.from_numpy(straight + turned.T)
        return kappa - kappa.mean(dtype=torch.float64).float()

    def _step(self, slab: int, pixels: int) -> float:
        """Pixels of the plane that a pixel of the map spans."""
        size = self.slabs.distance[slab] * self.grid.pixel_scale * ARCMIN
        return float(size * pixels / self.preset.box)

    def _judge_tiling(self) -> None:
        if self.tiled <= TILED_WARNING:
            return
        said = (
            f"the box of {self.preset.box:g} Mpc/h repeats within the field for "
            f"{self.tiled:.0%} of the lensing weight"
        )
        if self.tiled > TILED_ERROR:
            raise ValueError(f"{said}, more than half: take a larger box or a smaller field")
        warnings.warn(f"{said}; a larger box would be better", stacklevel=3)

    @cached_property
    def _planes(self) -> list[np.ndarray]:
        """Memory-mapped planes of all slabs."""
        return [self._open(slab) for slab in range(len(self.slabs))]

    def _open(self, slab: int) -> np.ndarray:
        path = plane_path(self.folder, slab)
        pixels = self.preset.pixels(float(self.slabs.distance[slab]))
        try:
            planes = np.load(path, mmap_mode="r")
        except (OSError, ValueError):
            raise ValueError(f"{path} must hold planes of mass, but cannot be read") from None
        if planes.shape != (AXES, pixels, pixels) or planes.dtype != np.float16:
            raise ValueError(
                f"{path} must hold {(AXES, pixels, pixels)} float16 values, got {planes.shape} "
                f"{planes.dtype}: simulate the box again"
            )
        return planes


def add_plane(
    kappa: np.ndarray,
    plane: np.ndarray,
    first: list[float],
    steps: tuple[float, float],
    weight: float,
) -> None:
    """kappa += weight · (plane − 1), bilinear, from pixel `first` on in `steps`, periodic."""
    try:
        from massgan_core.simulate.kernels import add_sheet
    except ImportError:
        return _add_plane(kappa, plane, first, steps, weight)
    bits = np.asarray(plane).view(np.uint16)
    add_sheet(kappa, bits, _decoded(), *first, *steps, weight)


def _add_plane(
    kappa: np.ndarray,
    plane: np.ndarray,
    first: list[float],
    steps: tuple[float, float],
    weight: float,
) -> None:
    """The same in numpy."""
    (low, high, f), (left, right, g) = (
        _taps(n, start, step, len(plane))
        for n, start, step in zip(kappa.shape, first, steps, strict=True)
    )
    f, g = f[:, None], g[None, :]
    columns = (plane[:, left].astype(np.float32), plane[:, right].astype(np.float32))
    rows = columns[0] * (1 - g) + columns[1] * g
    kappa += weight * (rows[low] * (1 - f) + rows[high] * f - 1)


def _taps(n: int, start: float, step: float, pixels: int) -> tuple[np.ndarray, ...]:
    """The two pixels and the fraction of n equidistant positions on a periodic axis."""
    at = np.mod(start + step * np.arange(n), pixels)
    low = np.floor(at).astype(np.int64) % pixels
    return low, (low + 1) % pixels, (at - np.floor(at)).astype(np.float32)


@lru_cache(maxsize=1)
def _decoded() -> np.ndarray:
    """Every float16 as float32, by its bits."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
