"""Skies that a prior score is learned from: lognormal ones made on the fly, or maps of a store.

Both give large maps of one n(z) at a time, without shear: the score needs none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from massgan_core.data import Dataset, MapStore
from massgan_core.data.ahead import Ahead
from massgan_core.score.config import ScoreConfig
from massgan_core.simulate import Cosmology, Lognormal, theory_spectrum
from massgan_core.sky import Grid, generator
from massgan_core.survey import cosmos_sources

_SKY = 44  # key of the random stream
TRAIN, VALIDATE = 0, 1  #: lognormal skies of the two never meet


class LognormalSkies:
    """Lognormal skies made on the fly, over depths in redshift and σ8.

    Args:
        config: All settings.
        store: None.
        part: Which maps of each batch to train on are made; default all.
    """

    def __init__(self, config: ScoreConfig, store: None = None, part: slice | None = None) -> None:
        self.config, self.grid = config, Grid((config.sky, config.sky))
        self.part = part or slice(0, config.batch)
        tables = [cosmos_sources().stretched(s) for s in config.stretch]
        self.powers = [theory_spectrum(t) for t in tables]
        self.means = [t.mean for t in tables]
        self.sigma8, self.omega_m = (min(config.sigma8), max(config.sigma8)), (0.31, 0.31)
        self.origins: list[dict[str, Any]] = []
        self.told = f"lognormal simulated skies ({len(config.sigma8) * len(tables)} spectra)"
        self._makers: dict[tuple[int, int], Lognormal] = {}
        self._tables = tables

    def train(self, index: int) -> tuple[Tensor, int]:
        """Maps of batch `index` and the number of their n(z)."""
        return self._make(TRAIN, index, self.part)

    def held_out(self, n: int) -> list[tuple[Tensor, int]]:
        """About `n` maps to validate on."""
        each = -(-n // len(self.powers))
        return [self._make(VALIDATE, i, slice(0, each)) for i in range(len(self.powers))]

    def _make(self, kind: int, index: int, part: slice) -> tuple[Tensor, int]:
        key = generator(self.config.seed, _SKY, kind, index)
        number = index % len(self.powers)
        cosmology = int(torch.randint(len(self.config.sigma8), (), generator=key))
        if (number, cosmology) not in self._makers:
            other = Cosmology(sigma8=self.config.sigma8[cosmology])
            power = theory_spectrum(self._tables[number], other)
            self._makers[number, cosmology] = Lognormal(self.grid, power)
        make, key = self._makers[number, cosmology], (self.config.seed, _SKY, kind, index)
        # 1 + …: the key of the first map is not that of the cosmology.
        maps = [make(generator(*key, 1 + i)) for i in range(part.start, part.stop)]
        return torch.stack(maps), number


class StoredSkies:
    """Maps of a store; those that validate come from other boxes.

    Args:
        config: All settings.
        store: Maps.
        part: Which maps of each batch to train on are read; default all.
    """

    def __init__(self, config: ScoreConfig, store: MapStore, part: slice | None = None) -> None:
        self.config, self.store = config, store
        part = part or slice(0, config.batch)
        self.grid = Grid(store.shape, store.pixel_scale)
        self.powers = [theory_spectrum(t) for t in store.sources]
        self.means = [t.mean for t in store.sources]
        self.rows = rows = split_rows(config, store)
        boxes = {k: len(np.unique(store.rows("box")[v])) for k, v in rows.items()}
        self.told = (
            f"{len(rows['train'])} {store.kind} κ maps of {boxes['train']} boxes (validated on "
            f"{boxes['validate']} others)"
        )
        used = np.concatenate(list(rows.values()))
        self.origins = [store.origin(used)]
        columns = (store.rows(name)[used] for name in ("sigma8", "omega_m"))
        self.sigma8, self.omega_m = ((float(c.min()), float(c.max())) for c in columns)
        # Of the data set only the order of rows is used: the score needs no shear.
        order = Dataset(
            store, rows["train"], _no_shear, side=1, batch=config.batch, seed=config.seed, budget=0
        )
        self._number = store.rows("sources")
        self._chosen = order.chosen
        self._read = Ahead(lambda index: store.read(self._chosen(index)[part], torch.float16))

    def train(self, index: int) -> tuple[Tensor, int]:
        """Maps of batch `index` and the number of their n(z)."""
        return self._read(index), int(self._number[self._chosen(index)[0]])

    def held_out(self, n: int) -> list[tuple[Tensor, int]]:
        """About `n` maps to validate on, spread over boxes, in groups of one n(z)."""
        rows, groups = self.rows["validate"], []
        each = -(-n // len(self.powers))
        for number in np.unique(self._number[rows]).tolist():
            own = rows[self._number[rows] == number]
            chosen = own[np.linspace(0, len(own) - 1, min(each, len(own))).round().astype(int)]
            groups.append((self.store.read(np.unique(chosen)), number))
        return groups


def split_rows(config: ScoreConfig, store: MapStore) -> dict[str, np.ndarray]:
    """Rows that train and rows that validate: those of whole boxes, shared out by box.

    Raises:
        ValueError: Too few boxes, or maps that are not there.
    """
    total = config.maps or len(store)
    if total > len(store):
        raise ValueError(f"`maps` must be at most the store's {len(store)} rows, got {total}")
    lost = [row for row in store.missing() if row < total]
    if lost:
        raise ValueError(
            f"{len(lost)} of the first {total} maps of {store.path} are missing (row {lost[0]} is "
            f"the first): resume the run that makes them, or train on maps={lost[0]}"
        )
    shares = {"train": 1 - config.held_out, "validate": config.held_out}
    split = store.split(shares, seed=config.seed)
    rows = {k: np.asarray([r for r in v if r < total], np.int64) for k, v in split.items()}
    empty = [k for k, v in rows.items() if len(v) == 0]
    if empty:
        raise ValueError(
            f"the first {total} maps of {store.path} hold no box to {empty[0]} on: take more maps"
        )
    return rows


def _no_shear(*_: Any) -> Any:
    raise NotImplementedError
