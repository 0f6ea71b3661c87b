r"""White noise that belongs to the sky: grids that overlap see the same numbers.

The sky is cut into cells half a pixel wide, each with a standard normal number that follows from
(seed, sample, stream, cell) alone. A pixel is the sum of the n cells whose middle lies in it over
√n: on any one grid that is exactly white noise of unit variance, and two grids in whatever
projection agree but for what happens below a pixel or two.

Coarse grids shall agree with fine ones without ever making all cells. So cells lie in blocks,
and the mean of the N cells of a block is replaced by the block's own number W/√N, which keeps
them white; a coarse grid sums blocks in place of cells.

References:
    Salmon, Moraes, Dror & Shaw (2011), doi:10.1145/2063384.2063405 (random numbers as functions
    of a counter); Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195 (the mixing)
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.rings import Rings
from massgan_core.sky.tangent import north_of, on_grid, pixels_of

BLOCK = 2 / 60  #: side of a block [deg]
_RINGS_AT_ONCE = 64
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class SkyNoise:
    """White noise on a grid of the sky.

    Args:
        grid: With a WCS. Its pixels are at least as large as a cell; whether they sum cells or
            blocks follows from their size.
        seed: Of all numbers.

    Raises:
        ValueError: The grid has no WCS.
    """

    def __init__(self, grid: Grid, seed: int = 0) -> None:
        self.grid, self.seed = grid, int(seed)
        self._coarse = coarse = grid.pixel_scale / 60 >= 2 * BLOCK
        cells = Rings(BLOCK if coarse else grid.pixel_scale / 60 / 2)
        blocks = Rings(BLOCK)
        id_, pixel = _cells_of(cells, grid)
        self._word, self._pixel = _mix(id_.astype(np.uint64)), pixel
        self._scale = _inverse_root(np.bincount(pixel, minlength=grid.shape[0] * grid.shape[1]))
        self._block = self._turn = None
        if not coarse:
            found, self._block = np.unique(blocks.find(*cells.center(id_)), return_inverse=True)
            self._block = self._block.astype(np.int32)
            self._block_word = _mix(found.astype(np.uint64))
            size = np.bincount(self._block)
            self._mean, self._own = 1 / size, _inverse_root(size)

    def __call__(self, sample: int, stream: int = 0) -> Float[Tensor, "2 H W"]:
        """Two independent maps of standard normal numbers.

        Args:
            sample: Number of the sample.
            stream: Different ones are independent.
        """
        cells = _normal(self._word, self._key(sample, stream, int(self._coarse)))
        if self._block is not None:
            own = _normal(self._block_word, self._key(sample, stream, 1))
            for part, instead in zip(cells, own, strict=True):
                mean = np.bincount(self._block, part) * self._mean
                part += (instead * self._own - mean).astype(np.float32)[self._block]
        pixels = len(self._scale)
        maps = [np.bincount(self._pixel, part, pixels) * self._scale for part in cells]
        return torch.from_numpy(np.stack(maps).reshape(2, *self.grid.shape).astype(np.float32))

    def shear(self, sample: int, stream: int = 0) -> Complex[Tensor, "H W"]:
        """Noise of unit std a component, as galaxies have it: the same on any grid once its
        components are turned from North to the grid's y axis."""
        if self._turn is None:
            self._turn = torch.from_numpy(north_of(self.grid) ** 2).to(torch.complex64)
        real, imag = self(sample, stream)
        return torch.complex(real, imag) * self._turn

    def _key(self, *more: int) -> np.uint64:
        words = [int(k) & 0xFFFFFFFFFFFFFFFF for k in (self.seed, *more)]
        return np.random.SeedSequence(words).generate_state(1, np.uint64)[0]


def _cells_of(cells: Rings, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the cells whose middle lies on the grid, and the pixel of each."""
    height, width = grid.shape
    center = tuple(float(v) for v in grid.pixel_to_sky((width - 1) / 2, (height - 1) / 2))
    # A tangent plane stretches: an angle is never larger than its image.
    radius = np.hypot(height, width) / 2 * grid.pixel_scale / 60 + cells.height
    low = int(max((center[1] - radius + 90) / cells.height - 1, 0))
    high = int(min((center[1] + radius + 90) / cells.height + 2, cells.count))
    ids, pixels = [], []
    for ring in range(low, high, _RINGS_AT_ONCE):  # in parts, to bound memory
        found = cells.around(center, radius, slice(ring, min(ring + _RINGS_AT_ONCE, high)))
        x, y = pixels_of(grid, *cells.center(found))
        pixel, inside = on_grid(grid, x, y)
        ids.append(found[inside])
        pixels.append(pixel[inside].astype(np.int32))
    return np.concatenate(ids), np.concatenate(pixels)


def _inverse_root(count: np.ndarray) -> np.ndarray:
    return np.where(count > 0, np.maximum(count, 1) ** -0.5, 0.0)


def _mix(word: np.ndarray) -> np.ndarray:
    """A bijection of 64-bit words that leaves no pattern."""
    word = word + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * _M1
    word = (word ^ (word >> np.uint64(27))) * _M2
    return word ^ (word >> np.uint64(31))


def _normal(word: np.ndarray, key: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    """Two standard normal numbers a word (Box & Muller 1958), float32."""
    bits = torch.from_numpy(_mix(word ^ key).view(np.int64))
    # 32 bits each; the first may not be zero, whose logarithm is not finite.
    first = ((bits >> 32).bitwise_and_(0xFFFFFFFF).double() + 0.5).mul_(2.0**-32).float()
    angle = (bits.bitwise_and_(0xFFFFFFFF)).float().mul_(2 * np.pi * 2.0**-32)
    radius = first.log_().mul_(-2).clamp_min_(0).sqrt_()
    return (radius * torch.cos(angle)).numpy(), radius.mul_(torch.sin(angle)).numpy()
