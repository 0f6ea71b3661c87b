"""Patches of κ and γ cut from large simulated skies.

Shear is made on the whole (periodic) sky and then cut, so that a patch never wraps around.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky import ShearOperator, generator

_SKY, _CUT = 11, 12  # keys of the independent random streams behind one seed


@dataclass(frozen=True, eq=False)
class Patches:
    """Batches of patches, the `index`-th of which depends on (`seed`, `index`) alone.

    Args:
        skies: Makers of one large κ map [Y, X] from a generator, with the σ_κ that belongs to its
            n(z); a batch comes from one sky drawn at random. One sky is one box.
        side: Pixels of a patch; at most half the sky's side (leak-free rule).
        batch: Patches a batch.
        seed: Of the whole sequence. Train, validation and test differ in it.
        part: Which patches of each batch are made; default all.

    Raises:
        ValueError: `side` is more than half a sky's, or `batch` more than a sky holds.
    """

    skies: Sequence[tuple[Callable[[torch.Generator], Tensor], float]]
    side: int = 300
    batch: int = 8
    seed: int = 0
    part: slice | None = None

    def __call__(
        self, index: int
    ) -> tuple[Float[Tensor, "B H W"], Complex[Tensor, "B H W"], float]:
        """κ, γ and σ_κ of batch number `index`."""
        (large, scale), per_sky = self._sky(index), self._per_sky
        cells = torch.randperm(
            per_sky * self.batch, generator=generator(self.seed, _CUT, index // per_sky)
        )
        turn = generator(self.seed, _CUT, index, 1)
        kappa, gamma = [], []
        across = large[0].shape[-1] // self.side
        first = (index % per_sky) * self.batch
        cells = cells[first : first + self.batch].tolist()
        kinds = [int(torch.randint(8, (), generator=turn)) for _ in cells]
        part = self.part or slice(None)
        for cell, kind in zip(cells[part], kinds[part], strict=True):
            top, left = cell // across * self.side, cell % across * self.side
            rows, columns = slice(top, top + self.side), slice(left, left + self.side)
            k, g = dihedral(large[0][rows, columns], large[1][rows, columns], kind)
            kappa.append(k)
            gamma.append(g)
        return torch.stack(kappa), torch.stack(gamma), scale

    @property
    def _per_sky(self) -> int:
        return self._cells() // self.batch

    def _cells(self) -> int:
        return self._shape()[0] // self.side * (self._shape()[1] // self.side)

    def _shape(self) -> tuple[int, int]:
        return self.skies[0][0].grid.shape

    def __post_init__(self) -> None:
        if min(self._shape()) < 2 * self.side:
            raise ValueError(
                f"`side` must be at most half of the sky's {min(self._shape())} pixels, "
                f"got {self.side}"
            )
        if self._cells() < self.batch:
            raise ValueError(
                f"`batch` must be at most {self._cells()} patches a sky, got {self.batch}"
            )
        object.__setattr__(self, "_last", (None, None))

    def _sky(self, index: int) -> tuple[tuple[Tensor, Tensor], float]:
        number = index // self._per_sky
        if self._last[0] != number:
            key = generator(self.seed, _SKY, number)
            make, scale = self.skies[int(torch.randint(len(self.skies), (), generator=key))]
            kappa = make(key)
            kappa = kappa - kappa.mean()
            gamma = ShearOperator(tuple(kappa.shape))(kappa)
            shift = [int(torch.randint(n, (), generator=key)) for n in kappa.shape]
            pair = tuple(torch.roll(m, shift, (0, 1)) for m in (kappa, gamma))
            object.__setattr__(self, "_last", (number, (pair, scale)))
        return self._last[1]


def dihedral(
    kappa: Float[Tensor, "*B H W"], gamma: Complex[Tensor, "*B H W"], kind: int
) -> tuple[Float[Tensor, "*B h w"], Complex[Tensor, "*B h w"]]:
    """One of the 8 symmetries of the square. Shear has spin 2: a mirror conjugates it.

    Args:
        kappa: Maps of κ.
        gamma: Their shear γ.
        kind: 0 … 7: bit 0 flips x, bit 1 flips y (each γ → γ*), bit 2 swaps x and y (γ → −γ*).
    """
    if kind & 1:
        kappa, gamma = kappa.flip(-1), gamma.flip(-1).conj()
    if kind & 2:
        kappa, gamma = kappa.flip(-2), gamma.flip(-2).conj()
    if kind & 4:
        kappa, gamma = kappa.mT, -gamma.mT.conj()
    return kappa.resolve_conj().contiguous(), gamma.resolve_conj().contiguous()
