r"""From maps on disk to (field, κ) pairs: κ → γ → crop → turn → observation.

Everything happens on one device and for a whole batch at once. Per batch of B maps of
L² pixels: B·L² float16 numbers from the disk (or none, where all maps fit the device), and
one complex FFT there and back, :math:`\gamma = A(\kappa - \bar\kappa)` on the large map.

**Leak-free rule.** A map is at least twice the crop on a side and has zero mean; its shear is
made on the whole of it and then cut. A crop lies anywhere at least a quarter of its side away
from every edge. On lognormal skies cut out of a 4× larger one (κ of 600², crop of 300²) the
shear then is off by 11 % rms when the crop is centred and by 13 % in the worst corner, most
of it one constant; at the very corner of the map it would be 26 %. Fixed fields are centred.

**Randomness.** Batch `index` depends on (`seed`, `index`) alone: not on the order of calls, on
reading ahead or on keeping maps on the device. Choices agree on all devices; noise is drawn
on the device and differs between kinds of them. A part of a batch is that part of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Complex, Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.data.ahead import Ahead
from massgan_core.data.cut import cut, turn_shear
from massgan_core.data.store import MapStore
from massgan_core.sky import (
    Grid,
    ShearField,
    ShearOperator,
    footprint,
    generator,
    reduced_shear,
    shape_noise,
)

_ORDER, _CUT, _FIXED = 13, 14, 15  # keys of the independent random streams behind one seed
_SLAB = 64  # maps moved to the device at a time

Observer = Callable[[Tensor, Tensor, int, slice, int], ShearField]


def pair(field: ShearField, scale: float) -> tuple[ShearField, float]:
    """A batch and its σ_κ, as they are."""
    return field, scale


class Dataset:
    """Batches of observed crops, the `index`-th of which depends on (`seed`, `index`) alone.

    Every epoch takes each row at least once, in a new order; the maps of a batch share one
    n(z), hence one σ_κ. The last batch of an n(z) is filled up with rows of the same.

    Args:
        store: Maps, done in all `rows`.
        rows: Of one part of :meth:`MapStore.split` [N].
        observe: (κ, γ, index, part, batch) → shear field, e.g. :class:`massgan_core.data.Observe`.
        side: Pixels of a crop; at most half the maps' side.
        batch: Crops a batch.
        seed: Of order, crops and turns.
        device: Where everything is computed.
        budget: Maps stay on the device if all rows take at most this many GB.
        ahead: Batches a background thread reads ahead, where they do not.
        finish: What to make of (field, σ_κ), such as network input.
        part: Which crops of each batch are made; default all.

    Raises:
        ValueError: `rows` is empty or a map of them is not there, or `side` is too large.
    """

    def __init__(
        self,
        store: MapStore,
        rows: ArrayLike,
        observe: Observer,
        *,
        side: int = 300,
        batch: int = 8,
        seed: int = 0,
        device: torch.device | str = "cpu",
        budget: float = 1.0,
        ahead: int = 2,
        finish: Callable[[ShearField, float], Any] = pair,
        part: slice | None = None,
    ) -> None:
        self.store, self.rows = store, np.unique(np.asarray(rows, np.int64))
        self.side, self.batch, self.seed = side, batch, seed
        self.part = slice(0, batch) if part is None else part
        self.device, self._observe, self._finish = torch.device(device), observe, finish
        _check_large(store, (side, side))
        _check_rows(store, self.rows)
        sources = store.rows("sources")[self.rows]
        self._groups = {int(s): self.rows[sources == s] for s in np.unique(sources)}
        self._epoch = lru_cache(maxsize=4)(self._shuffled)
        size = len(self.rows) * np.prod(store.shape) * np.dtype(store.dtype).itemsize
        self._held = self._hold() if size <= budget * 1e9 else None
        self._ahead = Ahead(self._load, ahead if self._held is None else 0)

    def __len__(self) -> int:
        """Batches an epoch."""
        return sum(-(-len(rows) // self.batch) for rows in self._groups.values())

    def __call__(self, index: int) -> Any:
        """Batch number `index`: (field with κ, σ_κ), passed through `finish`.

        Raises:
            ValueError: `observe` has pixels of another scale than the maps.
        """
        maps = self._ahead(index).to(self.device, non_blocking=True)
        kappa, gamma = self._crops(maps.float(), index)
        field = self._observe(kappa, gamma, index, self.part, self.batch)
        if field.grid.pixel_scale != self.store.pixel_scale:
            raise ValueError(
                f"`observe` must have the maps' pixels of {self.store.pixel_scale}′, got "
                f"{field.grid.pixel_scale}′"
            )
        return self._finish(field, self.store.scales[self._chosen(index)[0]])

    def chosen(self, index: int) -> list[int]:
        """Rows of the store in batch number `index`."""
        return self._chosen(index)[1].tolist()

    def _chosen(self, index: int) -> tuple[int, np.ndarray]:
        epoch, number = divmod(index, len(self))
        return self._epoch(epoch)[number]

    def _shuffled(self, epoch: int) -> list[tuple[int, np.ndarray]]:
        """n(z) and rows of every batch of an epoch."""
        batches = []
        for source, rows in self._groups.items():
            key = generator(self.seed, _ORDER, epoch, source)
            order = torch.randperm(len(rows), generator=key).numpy()
            order = np.resize(order, -(-len(rows) // self.batch) * self.batch)
            batches += [(source, part) for part in rows[order].reshape(-1, self.batch)]
        order = torch.randperm(len(batches), generator=generator(self.seed, _ORDER, epoch))
        return [batches[i] for i in order.tolist()]

    def _crops(
        self, maps: Float[Tensor, "B Y X"], index: int
    ) -> tuple[Float[Tensor, "B H W"], Complex[Tensor, "B H W"]]:
        """κ and γ, lensed on the large maps, then cut and turned."""
        maps = maps - maps.mean((-2, -1), keepdim=True)
        gamma = ShearOperator(self.store.shape)(maps)
        key, shape = generator(self.seed, _CUT, index), (self.side, self.side)
        margin, n = self.side // 4, self.batch
        corner = torch.stack(
            [
                torch.randint(margin, large - self.side - margin + 1, (n,), generator=key)
                for large in self.store.shape
            ]
        )
        turn = torch.randint(8, (n,), generator=key)[self.part]
        turn = turn.to(self.device, non_blocking=True)
        corner = corner[:, self.part].to(self.device, non_blocking=True)
        kappa, gamma = (cut(m, corner, turn, shape) for m in (maps, gamma))
        return kappa, turn_shear(gamma, turn)

    def _load(self, index: int) -> Float[Tensor, "B Y X"]:
        rows = self._chosen(index)[1][self.part]
        if self._held is not None:
            place = torch.from_numpy(np.searchsorted(self.rows, rows))
            return self._held[place.to(self.device, non_blocking=True)]
        maps = self.store.read(rows, getattr(torch, self.store.dtype))
        return maps.pin_memory() if self.device.type == "cuda" else maps

    def _hold(self) -> Float[Tensor, "N Y X"]:
        dtype = getattr(torch, self.store.dtype)
        held = torch.empty((len(self.rows), *self.store.shape), dtype=dtype, device=self.device)
        for first in range(0, len(self.rows), _SLAB):
            part = self.rows[first : first + _SLAB]
            held[first : first + len(part)] = self.store.read(part, dtype).to(self.device)
        return held


def fixed_fields(
    store: MapStore,
    rows: ArrayLike,
    sigma: Float[Tensor, "H W"],
    *,
    seed: int = 0,
    linear: bool = False,
) -> list[ShearField]:
    """Fields to score methods on: centred crops seen with exactly the given σ map, unturned.

    The noise of a row depends on (`seed`, row) alone. Each field carries the n(z) of its map.

    Args:
        store: Maps, at least twice as large as `sigma`.
        rows: Which of them [N].
        sigma: Noise std of a real survey, ∞ where unobserved; its shape is the crop's.
        seed: Of the noise.
        linear: Observe γ instead of reduced shear.

    Raises:
        ValueError: `sigma` has more than half of the maps' pixels on a side, or a map is missing.
    """
    shape = tuple(sigma.shape)
    _check_large(store, shape)
    grid, mask = Grid(shape, store.pixel_scale), torch.isfinite(sigma)
    top, left = ((large - n) // 2 for large, n in zip(store.shape, shape, strict=True))
    area, sources, boxes = footprint(mask), store.rows("sources"), store.rows("box")
    fields = []
    for row in np.asarray(rows, np.int64).tolist():
        large = store.read([row])
        large = large - large.mean()
        both = large[0], ShearOperator(store.shape)(large)[0]
        kappa, gamma = (m[top : top + shape[0], left : left + shape[1]].clone() for m in both)
        signal = gamma if linear else reduced_shear(gamma, kappa)
        noise = shape_noise(sigma, generator(seed, _FIXED, row))
        notes = {"row": row, "box": int(boxes[row]), "seed": seed}
        fields.append(
            ShearField(
                grid,
                signal + noise,
                sigma,
                mask,
                kappa,
                area=area,
                sources=store.sources[sources[row]],
                name=f"{store.kind} map {row}",
                notes=notes,
            )
        )
    return fields


def _check_large(store: MapStore, shape: tuple[int, int]) -> None:
    if store.shape[0] < 2 * shape[0] or store.shape[1] < 2 * shape[1]:
        raise ValueError(
            f"a crop must be at most half of the maps' {store.shape} pixels on a side, got {shape}"
        )


def _check_rows(store: MapStore, rows: np.ndarray) -> None:
    if len(rows) == 0:
        raise ValueError("`rows` must hold at least one row, got none")
    lost = np.setdiff1d(rows, store.done())
    if lost.size:
        raise ValueError(
            f"{lost.size} of {rows.size} wanted maps of {store.path} are not there (row {lost[0]} "
            "is the first): resume the run that makes them"
        )
