"""The fields that methods are judged on: maps of a store, and κTNG under many noises.

Everything depends on (seed, row) alone. Boxes that served a training are never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from massgan_core.data import MapStore, fixed_fields
from massgan_core.simulate import PLANCK
from massgan_core.simulate.kappa_tng import embedded
from massgan_core.sky import (
    Grid,
    ShearField,
    ShearOperator,
    footprint,
    generator,
    reduced_shear,
    shape_noise,
)
from massgan_core.sky.noise import COSMOS_SCATTER
from massgan_core.survey import cosmos, cosmos_sources, cosmos_spectrum

NEAR = 0.02  #: relative distance of a cosmology from the fiducial one
KTNG = "ktng_cosmos_kappa_360.fits"

_DEPTH, _AROUND, _NOISE = 93, 94, 95  # keys of the independent random streams behind one seed


@dataclass(frozen=True)
class TestSet:
    """Fields with a truth, made one at a time.

    Args:
        name: Short, for files.
        title: For people.
        path: Store of their maps, or the FITS file of the κTNG map.
        rows: Of the store, or numbers of the noise.
        boxes: Box of each: the units of all errors.
        seed: Of the noise.
        depth: Galaxies/arcmin² on the COSMOS footprint; `None` for the COSMOS σ itself.
    """

    __test__ = False  # no test for pytest

    name: str
    title: str
    path: Path
    rows: tuple[int, ...]
    boxes: tuple[int, ...]
    seed: int = 0
    depth: float | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def field(self, index: int) -> ShearField:
        """Field number `index`."""
        row = self.rows[index]
        if self.path.suffix == ".fits":
            return ktng_field(self.path, row, self.seed)[0]
        store = _opened(self.path)
        if self.depth is None:
            return seen_by_cosmos(store, [row], self.seed)[0]
        return seen_at_depth(store, [row], self.depth, self.seed)[0]

    def facts(self) -> dict[str, Any]:
        """What every field depends on beside its row, as JSON values."""
        return {"data": str(self.path.resolve()), "seed": self.seed, "depth": self.depth}


@cache
def _opened(path: Path) -> MapStore:
    return MapStore.open(path)


def from_store(
    store: MapStore,
    n: int = 0,
    *,
    without: Iterable[int] = (),
    seed: int = 0,
    depth: float | None = None,
    name: str = "",
) -> TestSet:
    """Maps of a store under mask and σ of COSMOS, as evenly over boxes as can be.

    Maps of the fiducial cosmology are taken where the store has any, else all of them; so with
    the n(z) of COSMOS, else the store's first.

    Args:
        store: Maps, at least twice as large as the COSMOS field.
        n: Number of fields, at most; 0 takes all.
        without: Boxes that must not be taken.
        seed: Of the noise.
        depth: See :class:`TestSet`.
        name: Of the set; by default ``test``, or its depth.

    Raises:
        ValueError: No map is left.
    """
    near = nearest_source(store, cosmos_sources().mean)
    rows = [r for r in store.done() if store.rows("sources")[r] == (near or 0)]
    home = set(np.flatnonzero(fiducial(store)).tolist()).intersection(rows)
    box, used = store.rows("box"), set(without)
    rows = [r for r in (sorted(home) or rows) if box[r] not in used]
    if not rows:
        raise ValueError(
            f"`data` must hold maps of boxes that trained no method, got none in {store.path}: "
            "simulate others with another --seed"
        )
    rows = in_turn(rows, box[rows].tolist(), n or len(rows))
    preset = store.settings.get("preset", {}).get("name", "")
    kind = " ".join([preset, store.kind]).strip()
    sky = "the fiducial cosmology" if home else _cosmologies(store.rows("sigma8")[rows])
    noise = "COSMOS mask and noise" if depth is None else f"{depth:g} galaxies/arcmin²"
    return TestSet(
        name=name or ("test" if depth is None else f"depth-{depth:g}"),
        title=f"{kind} maps, {sky}, {noise}",
        path=Path(store.path),
        rows=tuple(rows),
        boxes=tuple(box[rows].tolist()),
        seed=seed,
        depth=depth,
    )


def _cosmologies(sigma8: np.ndarray) -> str:
    """In words, by σ8."""
    low, high = float(sigma8.min()), float(sigma8.max())
    return f"σ8 {low:.2f}" if high - low < 0.005 else f"σ8 {low:.2f} to {high:.2f}"


def from_ktng(path: Path, draws: int, *, seed: int = 0) -> TestSet:
    """One κTNG map under many noises.

    Args:
        path: FITS file, or the folder that holds it.
        draws: Number of noises.
        seed: Of the noises and of what lies around the map.
    """
    path = path / KTNG if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"`ktng` must be a FITS map of κ, or the folder of {KTNG}, got {path}")
    every = tuple(range(draws))
    title = f"one κTNG map, {draws} noises, COSMOS mask"
    return TestSet("ktng", title, path, every, every, seed)


def nearest_source(store: MapStore, redshift: float, tolerance: float = 0.05) -> int | None:
    """Number of the n(z) whose mean is within `tolerance` of `redshift`, or None."""
    off = [abs(s.mean - redshift) for s in store.sources]
    return int(np.argmin(off)) if min(off) <= tolerance else None


def fiducial(store: MapStore) -> np.ndarray:
    """Which rows have the fiducial cosmology to a few percent (that of κTNG will do)."""
    near = np.ones(len(store), bool)
    for name in ("omega_m", "h", "sigma8", "n_s"):
        near &= np.abs(store.rows(name) / getattr(PLANCK, name) - 1) < NEAR
    return near


def even_rows(store: MapStore, n: int, redshift: float) -> list[int]:
    """At most `n` rows that are done, as evenly over boxes as can be.

    Their sources have this mean redshift, their cosmology is the fiducial one; [] if there are
    none.
    """
    source = nearest_source(store, redshift)
    there = set(store.done()) & set(np.flatnonzero(fiducial(store)).tolist())
    found = [] if source is None else sorted(there & set(store.where(sources=source)))
    return in_turn(found, store.rows("box")[found].tolist(), n)


def in_turn(rows: Sequence[int], boxes: Sequence[int], n: int) -> list[int]:
    """`n` of the rows: one of each box, then another of each."""
    own: dict[int, list[int]] = {}
    for row, box in zip(rows, boxes, strict=True):
        own.setdefault(box, []).append(row)
    longest = max(map(len, own.values()), default=0)
    turns = [part[i] for i in range(longest) for part in own.values() if i < len(part)]
    return sorted(turns[:n])


def boxes_of(fields: list[ShearField]) -> list[int]:
    """Box of each field."""
    return [int(f.notes["box"]) for f in fields]


def seen_by_cosmos(store: MapStore, rows: list[int], seed: int) -> list[ShearField]:
    """With the mask and σ of COSMOS."""
    return fixed_fields(store, rows, cosmos().sigma, seed=seed)


def seen_at_depth(store: MapStore, rows: list[int], depth: float, seed: int) -> list[ShearField]:
    """With integer Poisson counts of mean `depth` [galaxies/arcmin²] on the COSMOS footprint.

    σ = scatter/√count; a pixel without galaxies is unobserved. The noise is drawn anew.
    """
    area, fields = cosmos().footprint, []
    for row in rows:
        key = generator(seed, _DEPTH, row, round(1000 * depth))
        counts = torch.poisson(area * (depth * store.pixel_scale**2), generator=key)
        sigma = torch.where(counts > 0, COSMOS_SCATTER / counts.clamp_min(1).sqrt(), torch.inf)
        one = fixed_fields(store, [row], sigma, seed=seed + 1)[0]
        fields.append(replace(one, counts=counts, area=area))
    return fields


def ktng_field(path: Path, draw: int, seed: int) -> tuple[ShearField, torch.Tensor]:
    """The κTNG map under COSMOS mask and σ with noise number `draw`, and its noiseless shear.

    It is lensed inside a field twice as large on a side, a lognormal sky that is another one
    each time: what lies around the map is unknown.
    """
    from astropy.io import fits

    with fits.open(path) as file:
        kappa = torch.from_numpy(file[0].data.astype(np.float32))
        scale = float(file[0].header["PIXSCALE"])
    real, size = cosmos(), kappa.shape[-1]
    side = real.grid.shape[0]
    grid, large = Grid(real.grid.shape, scale), Grid((2 * size, 2 * size), scale)
    crop = (slice(size - side // 2, size - side // 2 + side),) * 2
    whole, _ = embedded(kappa, large, cosmos_spectrum(), generator(seed, _AROUND, draw))
    gamma, truth = ShearOperator(large)(whole)[crop], whole[crop].clone()
    noise = shape_noise(real.sigma, generator(seed, _NOISE, draw))
    field = ShearField(
        grid,
        reduced_shear(gamma, truth) + noise,
        real.sigma,
        real.mask,
        truth,
        area=footprint(real.mask),
        name=f"κTNG, noise {draw}",
        notes={"box": draw},
    )
    return field, gamma


def embedding_error(shears: torch.Tensor) -> float:
    """Rms by which the shear changes with what lies around the map, over the rms of shear."""
    off = (shears - shears.mean(0)).abs().square().sum(0) / max(len(shears) - 1, 1)
    return float(torch.sqrt(off.mean() / shears.abs().square().mean()))
