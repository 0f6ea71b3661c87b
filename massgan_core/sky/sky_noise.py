r"""White noise that belongs to the sky: grids that overlap see the same numbers.

The sky is cut into cells half a pixel wide, each with a standard normal number that follows from
(seed, sample, stream, cell) alone. A pixel is the sum of the n cells whose middle lies in it over
√n: exactly white noise of unit variance, of which two grids share, for waves of a few pixels, as
much as their pixels overlap. Longer waves are therefore those of the cells shared out between the
four pixels around each (cloud in cell), with that window taken out again: two grids in whatever
projection then have the same waves down to some five pixels. Both are put together so that each
wave keeps unit power.

Coarse grids shall agree with fine ones without ever making all cells. So cells lie in blocks,
and the mean of the N cells of a block is replaced by the block's own number W/√N, which keeps
them white; a coarse grid sums blocks in place of cells.

References:
    Salmon, Moraes, Dror & Shaw (2011), doi:10.1145/2063384.2063405 (random numbers as functions
    of a counter); Steele, Lea & Flood (2014), doi:10.1145/2660193.2660195 (the mixing); Hockney &
    Eastwood (1981), Computer Simulation Using Particles, ch. 5 (cloud in cell)
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Complex, Float
from scipy.sparse import csc_array
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.rings import Rings
from massgan_core.sky.tangent import directions, north_of, on_grid, pixels_of

BLOCK = 2 / 60  #: side of a block [deg]
SHARED = 0.55  #: wavenumber down to which grids have the same waves, in units of Nyquist's
_PAD = 8  # pixels around the grid, further than a filter of such waves reaches
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
        self._shape = tuple(n + 2 * _PAD for n in grid.shape)
        wide = grid.resized(self._shape, offset=(-_PAD, -_PAD))
        self._coarse = coarse = grid.pixel_scale / 60 >= 2 * BLOCK
        cells = Rings(BLOCK if coarse else grid.pixel_scale / 60 / 2)
        blocks = Rings(BLOCK)
        id_, x, y = _cells_of(cells, wide)
        self._word = _mix(id_.astype(np.uint64))
        x, y = _split(x), _split(y)
        self._sums = _sums(self._shape, y, x, _density(cells, wide) ** -0.5)
        self._keep, self._take = _blend(self._shape, y[1], x[1])
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
        sums = (self._sums @ np.stack(cells, axis=1)).T.reshape(2, 2, *self._shape)
        alone, shared = torch.fft.rfft2(torch.from_numpy(np.ascontiguousarray(sums))).unbind(1)
        maps = torch.fft.irfft2(alone * self._keep + shared * self._take, s=self._shape)
        return maps[:, _PAD:-_PAD, _PAD:-_PAD].clone()

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


def _cells_of(cells: Rings, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the cells whose middle lies on the grid, and where that is, x and y [pixels]."""
    height, width = grid.shape
    center = tuple(float(v) for v in grid.pixel_to_sky((width - 1) / 2, (height - 1) / 2))
    # A tangent plane stretches: an angle is never larger than its image.
    radius = np.hypot(height, width) / 2 * grid.pixel_scale / 60 + cells.height
    low = int(max((center[1] - radius + 90) / cells.height - 1, 0))
    high = int(min((center[1] + radius + 90) / cells.height + 2, cells.count))
    ids, places = [], []
    for ring in range(low, high, _RINGS_AT_ONCE):  # in parts, to bound memory
        found = cells.around(center, radius, slice(ring, min(ring + _RINGS_AT_ONCE, high)))
        x, y = pixels_of(grid, *cells.center(found))
        _, inside = on_grid(grid, x, y)
        ids.append(found[inside])
        places.append(np.stack([x[inside], y[inside]]))
    return np.concatenate(ids), *np.concatenate(places, axis=1)


def _split(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the nearest pixel, and how far it is from there to the place."""
    nearest = np.floor(at + 0.5)
    return nearest.astype(np.int32), (at - nearest).astype(np.float32)


def _density(cells: Rings, grid: Grid) -> np.ndarray:
    """Cells in each pixel on average: pixels away from the middle of a plane are smaller."""
    y, x = np.indices(grid.shape)
    ra, dec = grid.pixel_to_sky(x, y)
    middle = directions(*(float(v) for v in grid.wcs.wcs.crval))
    cosine = (directions(ra, dec) @ middle).clip(1e-3, 1)
    ring = ((dec + 90) / cells.height).astype(np.int64).clip(0, cells.count - 1)
    edges = np.sin(np.deg2rad(-90 + cells.height * np.arange(cells.count + 1)))
    area = 360 * np.rad2deg(np.diff(edges)) / cells.boxes  # of a cell [deg²]
    return (grid.pixel_scale / 60) ** 2 * cosine**3 / area[ring]


def _sums(
    shape: tuple[int, int],
    y: tuple[np.ndarray, np.ndarray],
    x: tuple[np.ndarray, np.ndarray],
    scale: np.ndarray,
) -> csc_array:
    """The matrix from cells to unit noise: sums by pixel, then by cloud in cell.

    Args:
        shape: Of the grid.
        y, x: Pixels of the cells, and how far from their middles they are.
        scale: Of cloud in cell: the cells in a pixel on average, to the power −1/2.
    """
    (height, width), cells = shape, len(y[0])
    place, weight = np.empty((cells, 5), np.int32), np.empty((cells, 5), np.float32)
    place[:, 0] = y[0] * np.int32(width) + x[0]
    count = np.bincount(place[:, 0], minlength=height * width)
    weight[:, 0] = _inverse_root(count)[place[:, 0]]
    scale = scale.ravel().astype(np.float32)[place[:, 0]]
    (rows, dy), (columns, dx) = y, x
    beside = (columns + np.where(dx < 0, -1, 1)).clip(0, width - 1)
    above = (rows + np.where(dy < 0, -1, 1)).clip(0, height - 1)
    ways = [(row, column) for row in (rows, above) for column in (columns, beside)]
    for i, (row, column) in enumerate(ways, 1):
        place[:, i] = height * width + row * width + column
        near = np.abs(dy) if row is above else 1 - np.abs(dy)
        weight[:, i] = scale * near * (np.abs(dx) if column is beside else 1 - np.abs(dx))
    start = np.arange(0, 5 * cells + 1, 5, dtype=np.int32)
    return csc_array((weight.ravel(), place.ravel(), start), shape=(2 * height * width, cells))


def _blend(
    shape: tuple[int, int], dy: np.ndarray, dx: np.ndarray
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    r"""Factors of the modes of both sums of cells, under which every wave has unit power.

    With cells at u from the middles of their pixels, the modes of the sums by pixel (w) and by
    cloud in cell (l) have ⟨w w*⟩ = 1, ⟨w l*⟩ = ∏(1 − ⟨|u|⟩ (1 − cos k)) and ⟨l l*⟩ =
    ∏(1 − 2⟨|u| (1 − |u|)⟩ (1 − cos k)), products over both axes; the waves of the cells themselves
    are l over its window ∏ sinc²(k/2π).
    """
    ky = 2 * np.pi * np.fft.fftfreq(shape[0])[:, None]
    kx = 2 * np.pi * np.fft.rfftfreq(shape[1])
    window, power, common = 1.0, 1.0, 1.0
    for k, u in ((ky, np.abs(dy)), (kx, np.abs(dx))):
        window = window * np.sinc(k / (2 * np.pi)) ** 2
        common = common * (1 - float(u.mean()) * (1 - np.cos(k)))
        power = power * (1 - 2 * float((u * (1 - u)).mean()) * (1 - np.cos(k)))
    common, power = common / window, power / window**2
    take = np.exp(-(((ky**2 + kx**2) / (np.pi * SHARED) ** 2) ** 4)) * power**-0.5
    keep = np.sqrt(np.maximum(1 - take**2 * (power - common**2), 0)) - take * common
    return tuple(torch.from_numpy(v.astype(np.float32)) for v in (keep, take / window))


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
