"""Which maps calibrate a checkpoint, and how they are observed.

Maps are taken in turn from every box, so that as many boxes as there are count. A part of the
boxes is held out: it sees the calibrated interval, and never made it. Boxes that served the
training serve no calibration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from massgan_core.data import MapStore, Observe, fixed_fields, split_boxes
from massgan_core.evaluate.balance import balanced
from massgan_core.sky import ShearField, ShearOperator, Sources, generator

LEAST_MAPS, LEAST_BOXES, MOST_PER_BOX = 100, 20, 5
LEAST_HELD_OUT = 2  #: boxes
SAME = 0.02  #: relative difference of mean redshifts that counts as one n(z)
LOOKS = 3  #: observations of a map as other surveys would, each in its own range of depths
REAL_FOOTPRINT = 0.3  #: share of them that has the survey's footprint; the rest, random masks
_SEED = 5 << 40  #: apart from the seeds of training
_ORDER = 97  # key of the random stream behind a seed


@dataclass(frozen=True, eq=False)
class Survey:
    """The real survey whose grid, mask and noise are calibrated pixel by pixel.

    Args:
        sigma: Noise std of one component, ∞ where unobserved.
        area: Footprint.
        pixel_scale: [arcmin].
        sources: n(z).
    """

    sigma: Float[Tensor, "H W"]
    area: Bool[Tensor, "H W"]
    pixel_scale: float
    sources: Sources

    def has(self, sources: Sources) -> bool:
        """Whether `sources` lie as deep as those of the survey."""
        return abs(sources.mean / self.sources.mean - 1) <= SAME


@dataclass(frozen=True, eq=False)
class Views:
    """Observations of a store's maps; those of a row depend on (`seed`, row) alone.

    Args:
        store: Maps.
        survey: The real one.
        depth: Range of galaxies/arcmin² of fields that are not the survey's own.
        seed: Of noise and masks.
    """

    store: MapStore
    survey: Survey
    depth: tuple[float, float] = (10.0, 120.0)
    seed: int = 0

    @cached_property
    def side(self) -> int:
        """Pixels of a field that is not the survey's own."""
        return min(*self.survey.sigma.shape, *(n // 2 for n in self.store.shape))

    @property
    def obstacle(self) -> str | None:
        """Why the survey's own grid cannot be cut out of the store's maps; `None` if it can."""
        shape = tuple(self.survey.sigma.shape)
        if abs(self.store.pixel_scale / self.survey.pixel_scale - 1) > 0.01:
            return f"its pixels are {self.survey.pixel_scale:g}′, not {self.store.pixel_scale:g}′"
        if any(large < 2 * n for large, n in zip(self.store.shape, shape, strict=True)):
            return f"maps of {self.store.shape} pixels are less than twice its {shape}"
        if not any(self.survey.has(sources) for sources in self.store.sources):
            return f"no map has its n(z), of mean redshift {self.survey.sources.mean:.2f}"
        return None

    def deep_enough(self, rows: list[int]) -> list[int]:
        """Those of `rows` that have the survey's n(z)."""
        numbers = [i for i, s in enumerate(self.store.sources) if self.survey.has(s)]
        sources = self.store.rows("sources")
        return [r for r in rows if sources[r] in numbers]

    def as_surveyed(self, row: int) -> list[ShearField]:
        """The map seen by the survey itself."""
        seed = _SEED + self.seed
        fields = fixed_fields(self.store, [row], self.survey.sigma, seed=seed)
        return [replace(field, area=self.survey.area) for field in fields]

    def otherwise(self, row: int) -> list[ShearField]:
        """The map under random masks, once for each range of depths."""
        kappa, gamma = self._lensed(row)
        sources = self.store.sources[self.store.rows("sources")[row]]
        return [
            _alone(look(kappa[None], gamma[None], row), sources, f"{self.store.kind} map {row}")
            for look in self._looks
        ]

    @cached_property
    def _looks(self) -> list[Observe]:
        edges = np.geomspace(*self.depth, LOOKS + 1).tolist()
        return [
            Observe(
                self.survey.sigma,
                self.store.pixel_scale,
                real=0.0,
                rescaled=REAL_FOOTPRINT,
                depth=depth,
                seed=_SEED + LOOKS * self.seed + i,
            )
            for i, depth in enumerate(pairwise(edges))
        ]

    def _lensed(self, row: int) -> tuple[Float[Tensor, "H W"], Complex[Tensor, "H W"]]:
        """κ and γ of the map's centre, lensed on the whole of it."""
        large = self.store.read([row])
        large = large - large.mean()
        gamma = ShearOperator(self.store.shape)(large)
        top, left = ((n - self.side) // 2 for n in self.store.shape)
        here = slice(top, top + self.side), slice(left, left + self.side)
        return large[0][here].clone(), gamma[0][here].clone()


def _alone(batch: ShearField, sources: Sources, name: str) -> ShearField:
    """The one field of a batch."""
    arrays = {k: getattr(batch, k)[0] for k in ("gamma", "sigma", "mask", "kappa", "area")}
    return ShearField(batch.grid, **arrays, sources=sources, name=name)


@dataclass(frozen=True, eq=False)
class Chosen:
    """Rows of a store by what they are for; no box is in two.

    Args:
        rows: Calibration first, then held out.
        boxes: Of each row.
        calibrate: How many of them calibrate.
        weights: Of those, so that their skies are on average those of the store's range.
    """

    rows: list[int]
    boxes: list[int]
    calibrate: int
    weights: Float[Tensor, " n"]

    @property
    def held_out(self) -> slice:
        return slice(self.calibrate, None)


def choose(
    store: MapStore,
    rows: list[int],
    *,
    maps: int = LEAST_MAPS,
    per_box: int = MOST_PER_BOX,
    held_out: float = 0.2,
    seed: int = 0,
) -> Chosen:
    """Rows to calibrate and to hold out.

    Args:
        store: Maps.
        rows: Of it that may be taken.
        maps: To calibrate.
        per_box: At most from one box.
        held_out: Share of the boxes.
        seed: Of the sharing out.

    Raises:
        ValueError: Too few maps or boxes for a guarantee.
    """
    if maps < LEAST_MAPS:
        raise ValueError(f"`maps` must be at least {LEAST_MAPS} for a guarantee, got {maps}")
    if not 1 <= per_box <= MOST_PER_BOX:
        raise ValueError(f"`per_box` must lie between 1 and {MOST_PER_BOX}, got {per_box}")
    if not 0 < held_out < 1:
        raise ValueError(f"`held_out` must lie between 0 and 1, got {held_out}")
    box = store.rows("box")
    there = set(box[rows].tolist())
    boxes = [b for b in store.boxes() if b in there]
    parts = {"calibrate": 1 - held_out, "test": held_out}
    need = LEAST_BOXES + LEAST_HELD_OUT
    short = f"{store.path} has {len(boxes)} boxes to choose from"
    if len(boxes) < need:
        raise ValueError(
            f"{short}; calibration takes at least {LEAST_BOXES} and {LEAST_HELD_OUT} held out: "
            "simulate more"
        )
    shared = split_boxes(boxes, parts, seed)
    if len(shared["calibrate"]) < LEAST_BOXES:
        raise ValueError(
            f"{short}, {len(shared['test'])} of them held out, which leaves fewer than "
            f"{LEAST_BOXES}: simulate more or hold out less"
        )
    if len(shared["test"]) < LEAST_HELD_OUT:
        raise ValueError(f"{short}, {len(shared['test'])} of them held out: hold out more")
    own = {b: _shuffled([r for r in rows if box[r] == b], seed) for b in boxes}
    first = _in_turn([own[b] for b in shared["calibrate"]], per_box, maps)
    if len(first) < maps:
        raise ValueError(
            f"{store.path} has {len(first)} maps to calibrate with, at most {per_box} a box of "
            f"{len(shared['calibrate'])} boxes, and {maps} are wanted: simulate more boxes"
        )
    test = max(round(maps * held_out / (1 - held_out)), LEAST_HELD_OUT)
    chosen = first + _in_turn([own[b] for b in shared["test"]], per_box, test)
    return Chosen(chosen, box[chosen].tolist(), len(first), sky_weights(store, first))


def skies(
    store: MapStore, rows: list[int]
) -> tuple[Float[np.ndarray, "n C"], Float[np.ndarray, " C"]]:
    """What a store varies from box to box: its values of rows, and the middle of their ranges.

    Boxes draw what the store was asked to vary uniformly from its range; where it varies
    nothing, or does not say what, C is 0.

    Args:
        store: Maps.
        rows: Of it.
    """
    asked = store.settings.get("cosmology") or {}
    ranges = {k: v for k, v in asked.items() if isinstance(v, list) and len(v) == 2}
    columns = [np.asarray(store.rows(name))[rows] for name in ranges]
    values = np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))
    return values, np.array([sum(ends) / 2 for ends in ranges.values()])


def sky_weights(store: MapStore, rows: list[int]) -> Float[Tensor, " n"]:
    """Weights of maps, of mean 1, under which their mean cosmology is the middle of the range.

    Args:
        store: Maps.
        rows: Of it.

    Raises:
        ValueError: The boxes are too few or too one-sided.
    """
    try:
        return torch.from_numpy(balanced(*skies(store, rows)))
    except ValueError as error:
        raise ValueError(f"{store.path}, cosmologies: {error}") from None


def _shuffled(rows: list[int], seed: int) -> list[int]:
    """The rows of a box in random order: n(z) follow each other in a store's own."""
    order = torch.randperm(len(rows), generator=generator(seed, _ORDER, rows[0]))
    return [rows[i] for i in order.tolist()]


def _in_turn(boxes: list[list[int]], per_box: int, most: int) -> list[int]:
    """One row of each box, then another of each, until there are enough."""
    turns = zip_longest(*(rows[:per_box] for rows in boxes))
    return [row for turn in turns for row in turn if row is not None][:most]


def unused(card: dict[str, Any], store: MapStore) -> tuple[list[int], str]:
    """Rows whose map is there and whose box took no part in the checkpoint's training.

    Args:
        card: Of the checkpoint.
        store: Maps.

    Returns:
        The rows, and one sentence on what is known of shared boxes.

    Raises:
        ValueError: Every box of the store served the training.
    """
    rows, training = store.done(), card["training"]
    if "stores" not in training:
        return rows, (
            "the checkpoint does not say which simulation boxes it was trained on: make sure that "
            f"{store.path} holds none of them"
        )
    if not training["stores"]:
        return rows, "the checkpoint was trained on skies made on the fly: no box is shared"
    seed, number = store.settings.get("seed"), store.rows("box")
    # Boxes of κTNG are numbered by their authors; ours depend on the seed of the run.
    same = [
        one["boxes"]
        for one in training["stores"]
        if one["kind"] == store.kind and (store.kind == "ktng" or one["seed"] == seed)
    ]
    if not same:
        names = [f"{s['kind']} maps of seed {s['seed']}" for s in training["stores"]]
        others = " and ".join(dict.fromkeys(names))
        return rows, (
            f"{store.path} holds {store.kind} maps of seed {seed}, the checkpoint was trained on "
            f"{others}: no box is shared"
        )
    used = set().union(*same)
    free = [row for row in rows if number[row] not in used]
    shared = len(set(number[rows].tolist()) & used)
    if rows and not free:
        raise ValueError(
            f"all {shared} boxes of {store.path} served the checkpoint's training: simulate "
            "others with another --seed"
        )
    return free, f"{shared} boxes of {store.path} served the training and are left out"
