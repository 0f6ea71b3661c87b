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
        device: Where maps are summed. The same generator sees the same places on every device.

    Attributes:
        tiled: Share of the lensing weight where the central half of the map, the part one
            looks at, is wider than the box.

    Raises:
        ValueError: No planes in `folder`, sources behind the light cone, or more than half of
            the lensing weight tiled.
    """

    def __init__(
        self,
        folder: Path,
        grid: Grid,
        sources: Sources,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        card = read_card(folder)
        settings = dict(card["preset"])
        settings["sharpening"] = Sharpening(**settings["sharpening"])
        settings["cores"] = Cores(**settings["cores"])
        self.folder, self.grid, self.sources = Path(folder), grid, sources
        self.device = torch.device(device)
        self.preset, self.cosmology = Preset(**settings), Cosmology(**card["cosmology"])
        self.slabs = self.preset.slabs(self.cosmology)
        self.weights = self.slabs.weights(sources)
        angle = max(grid.extent) / 2 * ARCMIN
        self.tiled = self.slabs.tiled(sources, angle, self.preset.box)
        self._judge_tiling()

    def __call__(self, generator: torch.Generator) -> Float[Tensor, "H W"]:
        """One map of κ, less its mean, on the CPU."""
        height, width = self.grid.shape
        straight, turned = self._zeros(height, width), self._zeros(width, height)
        for slab, weight in enumerate(self.weights):
            axis, kind = (int(torch.randint(n, (), generator=generator)) for n in (AXES, 8))
            corner = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
            if weight == 0:
                continue
            plane = self._seen(slab, axis)
            step = self._step(slab, len(plane))
            steps = (-step if kind & 1 else step), (-step if kind & 2 else step)
            first = [c * len(plane) for c in corner]
            add_plane(turned if kind & 4 else straight, plane, first, steps, float(weight))
        kappa = torch.as_tensor(straight + turned.T).cpu()
        return kappa - kappa.mean(dtype=torch.float64).float()

    def _zeros(self, height: int, width: int) -> np.ndarray | Tensor:
        if self.device.type == "cpu":
            return np.zeros((height, width), np.float32)
        return torch.zeros((height, width), device=self.device)

    def _seen(self, slab: int, axis: int) -> np.ndarray | Tensor:
        """A plane, where the maps are summed."""
        if self.device.type == "cpu":
            return self._planes[slab][axis]
        held = _held(self.folder, str(self.device))
        if slab not in held:
            held[slab] = torch.from_numpy(np.array(self._planes[slab])).to(self.device)
        return held[slab][axis]

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
    kappa: np.ndarray | Tensor,
    plane: np.ndarray | Tensor,
    first: list[float],
    steps: tuple[float, float],
    weight: float,
) -> None:
    """kappa += weight · (plane − 1), bilinear, from pixel `first` on in `steps`, periodic.

    Both are arrays, or both tensors of one device.
    """
    if isinstance(kappa, Tensor):
        _add_plane(kappa, plane, first, steps, weight)
        return
    try:
        from massgan_core.simulate.kernels import add_sheet
    except ImportError:
        return _add_plane(kappa, plane, first, steps, weight)
    bits = np.asarray(plane).view(np.uint16)
    add_sheet(kappa, bits, _decoded(), *first, *steps, weight)


def _add_plane(
    kappa: np.ndarray | Tensor,
    plane: np.ndarray | Tensor,
    first: list[float],
    steps: tuple[float, float],
    weight: float,
) -> None:
    """The same in numpy, or in torch on any device."""
    taps = [
        _taps(n, start, step, len(plane))
        for n, start, step in zip(kappa.shape, first, steps, strict=True)
    ]
    if isinstance(kappa, Tensor):
        taps = [tuple(torch.from_numpy(part).to(kappa.device) for part in axis) for axis in taps]
    (low, high, f), (left, right, g) = taps
    f, g = f[:, None], g[None, :]
    above, below = (
        plane[at[:, None], left] * (1 - g) + plane[at[:, None], right] * g for at in (low, high)
    )
    kappa += weight * (above * (1 - f) + below * f - 1)


@lru_cache(maxsize=1)
def _held(folder: Path, device: str) -> dict[int, Tensor]:
    """Planes of the last box on a device, which the cones of all its n(z) share."""
    return {}


def _taps(n: int, start: float, step: float, pixels: int) -> tuple[np.ndarray, ...]:
    """The two pixels and the fraction of n equidistant positions on a periodic axis."""
    at = np.mod(start + step * np.arange(n), pixels)
    low = np.floor(at).astype(np.int64) % pixels
    return low, (low + 1) % pixels, (at - np.floor(at)).astype(np.float32)


@lru_cache(maxsize=1)
def _decoded() -> np.ndarray:
    """Every float16 as float32, by its bits."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
