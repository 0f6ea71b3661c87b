"""The two parts of a calibration: pixel by pixel for one survey, a table for other fields.

A part names its fields, what of each is kept, how λ follows from it, and how often the truth of
held-out maps lies outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.calibrating.fields import LEAST_HELD_OUT, LOOKS, SAME, Chosen, Views
from massgan_core.calibrating.terms import Coverage, Terms, global_factor
from massgan_core.data import Ledger
from massgan_core.evaluate import box_weights
from massgan_core.evaluate.calibration import (
    SurveyFactors,
    TableFactors,
    edge_distance,
    local_noise,
)
from massgan_core.evaluate.conformal import order_statistic
from massgan_core.sky import ShearField, generator

SIGMA8 = (0.76, 0.86)  #: between skies whose coverage is told apart: ± 0.05 around the fiducial
PIXELS = 4096  #: of a field that stand for it in a table
#: A bin's intervals are too wide by (1 − α) over its number of maps: most maps, with one look in
#: each third of the depths, shall be seen in every bin.
NOISE_BINS = 3
DISTANCES = (1.0, 3.0)  #: between bins of distance from the edge [arcmin]
_ROWS = 32  #: of a map at a time, to bound memory
_PICK = 95  # key of the random stream behind a seed


@dataclass(frozen=True, eq=False)
class SurveyPart:
    """λ of every pixel of the survey's own grid."""

    views: Views
    chosen: Chosen
    terms: Terms
    name: str = "its own grid"
    looks: int = 1

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Arrays of the ledger, one row a field."""
        n, sigma = len(self.chosen.rows), self.views.survey.sigma
        maps = (n, self.terms.kinds, *sigma.shape)
        return {"scores": maps, "before": (n, len(self.terms.levels))}

    def fields(self, row: int) -> list[ShearField]:
        """Observations of a map."""
        return self.views.as_surveyed(row)

    def record(self, field: ShearField, scores: Tensor, scale: float, key: int) -> dict:
        """What of a field's scores [C, H, W] the ledger keeps, beside the raw misses."""
        return {"scores": scores}

    def factors(self, ledger: Ledger) -> SurveyFactors:
        """λ, from the calibration maps."""
        survey, redshift = self.views.survey, self.views.survey.sources.mean
        maps = [self._factor(ledger["scores"], i) for i in range(len(self.terms.levels))]
        around = (1 - SAME) * redshift, (1 + SAME) * redshift
        return SurveyFactors(survey.sigma, self.views.store.pixel_scale, around, torch.stack(maps))

    def misses(self, ledger: Ledger, factors: SurveyFactors) -> Float[Tensor, "F L"]:
        """Fraction of each held-out field outside the calibrated interval."""
        area, held = self.views.survey.area, ledger["scores"][self.chosen.held_out]
        shares = [
            [(_tensor(maps[self.terms.kind(i)]) > f)[area].double().mean() for maps in held]
            for i, f in enumerate(factors.factor)
        ]
        return torch.tensor(shares).double().T

    def _factor(self, scores: np.ndarray, level: int) -> Float[Tensor, "H W"]:
        scores = scores[: self.chosen.calibrate, self.terms.kind(level)]
        alpha, units = 1 - self.terms.levels[level], self.terms.unit(self.chosen)
        if self.terms.method == "rcps":
            area, boxes = self.views.survey.area, self.chosen.boxes[: self.chosen.calibrate]
            one = global_factor(_tensor(scores)[:, area], boxes, alpha, self.terms.delta)
            return torch.full(area.shape, one)
        parts, weights = range(0, scores.shape[1], _ROWS), self.chosen.weights
        return torch.cat(
            [
                order_statistic(_tensor(scores[:, i : i + _ROWS]), alpha, units, weights)
                for i in parts
            ]
        )


@dataclass(frozen=True, eq=False)
class TablePart:
    """λ by noise and distance from the edge, for fields that are not the survey's own.

    Random pixels of the footprint stand for each field.
    """

    views: Views
    chosen: Chosen
    terms: Terms
    name: str = "other fields"
    looks: int = LOOKS

    def shapes(self) -> dict[str, tuple[int, ...]]:
        n = LOOKS * len(self.chosen.rows)
        pixels = min(PIXELS, self.views.side**2 // 4)
        shapes = {name: (n, pixels) for name in ("noise", "distance")}
        shapes["before"] = (n, len(self.terms.levels))
        return shapes | {"scores": (n, self.terms.kinds, pixels)}

    def fields(self, row: int) -> list[ShearField]:
        return self.views.otherwise(row)

    def record(self, field: ShearField, scores: Tensor, scale: float, key: int) -> dict:
        area = field.footprint
        place = torch.nonzero(area)
        draw = generator(key, _PICK)
        at = place[torch.randint(len(place), self.shapes()["noise"][1:], generator=draw)].T
        noise = local_noise(field) / scale
        distance = edge_distance(area, field.grid.pixel_scale)
        return {
            "scores": scores[:, *at],
            "noise": noise[*at],
            "distance": distance[*at],
        }

    def factors(self, ledger: Ledger) -> TableFactors:
        end, levels = LOOKS * self.chosen.calibrate, self.terms.levels
        scores, noise, distance = (
            _tensor(ledger[name][:end]) for name in ("scores", "noise", "distance")
        )
        edges, parts = self._edges(noise)
        scale = self.views.store.pixel_scale
        means = [self.views.store.sources[i].mean for i in self._sources()]
        empty = TableFactors(
            edges,
            parts,
            ((1 - SAME) * scale, (1 + SAME) * scale),
            ((1 - SAME) * min(means), (1 + SAME) * max(means)),
            torch.full((len(levels), len(edges) - 1, len(parts) + 1), torch.inf),
        )
        bins = empty.bins(noise, distance)
        for i, level in enumerate(levels):
            self._fill(empty.factor[i], scores[:, self.terms.kind(i)], bins, 1 - level)
        return empty

    def misses(self, ledger: Ledger, factors: TableFactors) -> Float[Tensor, "F L"]:
        start = LOOKS * self.chosen.calibrate
        scores, noise, distance = (
            _tensor(ledger[name][start:]) for name in ("scores", "noise", "distance")
        )
        bins = factors.bins(noise, distance)
        columns = [
            (scores[:, self.terms.kind(i)] > factor[bins]).double().mean(-1)
            for i, factor in enumerate(factors.factor)
        ]
        return torch.stack(columns, -1)

    def _edges(self, noise: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Bins of noise with equal numbers of pixels; a global λ knows no bins."""
        seen = noise[torch.isfinite(noise)].sort().values
        count = 1 if self.terms.method == "rcps" else NOISE_BINS
        ranks = [round(k * (len(seen) - 1) / count) for k in range(count + 1)]
        return tuple(seen[ranks].tolist()), () if count == 1 else DISTANCES

    def _fill(
        self, factor: Tensor, scores: Tensor, bins: tuple[Tensor, Tensor], alpha: float
    ) -> None:
        """λ of every bin, in place."""
        boxes = np.repeat(self.chosen.boxes[: self.chosen.calibrate], LOOKS).tolist()
        if self.terms.method == "rcps":
            factor[:] = global_factor(scores, boxes, alpha, self.terms.delta)
            return
        unit, weight = (
            each.repeat_interleave(LOOKS)[:, None].expand_as(scores)
            for each in (self.terms.unit(self.chosen), self.chosen.weights)
        )
        for a, d in np.ndindex(*factor.shape):
            here = (bins[0] == a) & (bins[1] == d)
            if bool(here.any()):
                factor[a, d] = order_statistic(scores[here], alpha, unit[here], weight[here])

    def _sources(self) -> list[int]:
        rows = self.chosen.rows[: self.chosen.calibrate]
        return sorted(set(self.views.store.rows("sources")[rows].tolist()))


Part = SurveyPart | TablePart


def coverage(
    part: Part, ledger: Ledger, factors: Any, levels: tuple[float, ...]
) -> list[Coverage]:
    """Before and after, on the maps held out: all of them, then by σ8 where it differs."""
    held = part.chosen.held_out
    rows, boxes = part.chosen.rows[held], np.asarray(part.chosen.boxes[held])
    after = part.misses(ledger, factors)
    before = _tensor(ledger["before"][part.looks * part.chosen.calibrate :]).double()
    sigma8 = np.asarray(part.views.store.rows("sigma8")[rows])
    groups = [("all", np.ones(len(rows), bool))]
    if np.ptp(sigma8) > 0:
        edges = (-np.inf, *SIGMA8, np.inf)
        names = (f"σ8 < {SIGMA8[0]:g}", f"σ8 {SIGMA8[0]:g}–{SIGMA8[1]:g}", f"σ8 > {SIGMA8[1]:g}")
        groups += [
            (name, (low <= sigma8) & (sigma8 < high))
            for name, (low, high) in zip(names, pairwise(edges), strict=True)
        ]
    found = []
    for name, chosen in groups:
        if len(set(boxes[chosen].tolist())) < LEAST_HELD_OUT:
            continue
        looks = torch.from_numpy(np.repeat(chosen, part.looks))
        missed = _share(after[looks], np.repeat(boxes[chosen], part.looks))
        found += [
            Coverage(
                part.name,
                level,
                1 - float(before[looks][:, i].mean()),
                1 - float(missed[0][i]),
                float(missed[1][i]),
                int(chosen.sum()),
                len(set(boxes[chosen].tolist())),
                name,
            )
            for i, level in enumerate(levels)
        ]
    return found


def _share(misses: Float[Tensor, "F L"], boxes: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean of each level, and its std error from a bootstrap over boxes."""
    weights = box_weights(boxes.tolist())
    return misses.mean(0), (weights @ misses / weights.sum(1, keepdim=True)).std(0)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array))
