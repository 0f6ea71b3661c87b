r"""How the mean of ever more samples settles: its scores against their number, and some means.

Errors come from redrawing whole boxes. Other skies move a whole curve up or down, for every N
alike; so there are two: of each score, and of its *change* since N = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from csv import writer
from dataclasses import dataclass
from functools import partial
from math import inf, isnan, nan, sqrt
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluate import box_weights, ssim, value_range
from massgan_core.evaluate.convergence import (
    Convergence,
    RunningConvergence,
    convergence,
    drawn,
)
from massgan_core.evaluate.metrics import mean_square
from massgan_core.posterior import RunningMoments, Sampler
from massgan_core.sky import ShearField

MOST = 5  #: means worth a picture
SCORES = ("psnr", "rmse", "r", "ssim")


@dataclass(frozen=True, eq=False)
class Settled:
    """What the means of ever more samples of one field score, and some of them. From `settle`.

    Args:
        field: With a truth, on the CPU.
        n: Numbers of samples: 1, 2, 4 …
        scores: Of their means, by name.
        maps: Means to be shown, by number of samples.
        spread: Mean variance of all samples in the footprint.
        skill: Mean squared error of their mean.
    """

    field: ShearField
    n: list[int]
    scores: dict[str, Float[Tensor, " K"]]
    maps: dict[int, Float[Tensor, "H W"]]
    spread: float
    skill: float


def shown(samples: int) -> list[int]:
    """Numbers of samples whose mean is worth a picture: powers of four, and all of them."""
    powers = [4**k for k in range(samples.bit_length()) if 4**k < samples]
    return [*powers[: MOST - 1], samples]


def settle(
    sampler: Sampler,
    field: ShearField,
    samples: int = 64,
    batch: int = 8,
    *,
    seed: int = 0,
    watch: Callable[[int], None] = lambda done: None,
) -> Settled:
    """Draw samples of a field with a truth and follow their mean.

    Args:
        sampler: Draws them.
        field: On the sampler's device.
        samples: At least 2.
        batch: Drawn at once.
        seed: Sample i depends on (`seed`, i) alone.
        watch: Is told how many more samples there are.

    Raises:
        ValueError: There is no truth, or one sample only.
    """
    if field.truth is None:
        raise ValueError(
            f"`field` must have a truth to be held against, {field.name!r} has none: take a "
            "simulated field"
        )
    if samples < 2:
        raise ValueError(f"`samples` must be at least 2, got {samples}")
    home = field.to("cpu")
    truth, area = home.truth, home.footprint
    likeness = partial(ssim, data_range=value_range(truth, area).item())
    running = RunningConvergence(truth, area, {"ssim": likeness})
    moments, maps, wanted = RunningMoments(), {}, shown(samples)
    for part in _at_powers(drawn(sampler, field, samples, batch, seed=seed)):
        running, moments = running.update(part), moments.update(part)
        if moments.n in wanted:
            maps[moments.n] = moments.mean.float()
        watch(len(part))
    n, scores = running.table()
    skill = mean_square(moments.mean, truth, area)
    return Settled(home, n, scores, maps, moments.var[area].mean().item(), skill.item())


def _at_powers(batches: Iterator[Float[Tensor, "B H W"]]) -> Iterator[Float[Tensor, "B H W"]]:
    """The same samples on the CPU, in parts that end wherever their number is a power of two."""
    n = 0
    for batch in batches:
        rest = batch.cpu()
        while len(rest):
            room = (1 << n.bit_length()) - n
            part, rest = rest[:room], rest[room:]
            n += len(part)
            yield part


@dataclass(frozen=True, eq=False)
class Growth:
    """Scores of all fields together.

    Args:
        found: Means over fields.
        spread_skill: Of all samples over all fields.
        errors: Std error over boxes of each score, by name; NaN with one box.
        changes: The same of each score less that at N = 1.
        fields: Their number.
        boxes: The number of theirs.
    """

    found: Convergence
    spread_skill: float
    errors: dict[str, list[float]]
    changes: dict[str, list[float]]
    fields: int
    boxes: int

    @classmethod
    def of(cls, settled: Sequence[Settled], boxes: Sequence[int], *, seed: int = 0) -> Growth:
        """Of fields that were all given as many samples.

        Args:
            settled: One for each field.
            boxes: Box of each: the units of the errors.
            seed: Of the bootstrap.
        """
        n = settled[0].n
        skill = sum(s.skill for s in settled)
        ratio = sqrt((1 + 1 / n[-1]) * sum(s.spread for s in settled) / skill) if skill else inf
        tables = [s.scores for s in settled]
        errors, changes = _errors(tables, boxes, seed)
        return cls(
            convergence(n, tables, boxes, ratio, seed=seed),
            ratio,
            errors,
            changes,
            len(settled),
            len(set(boxes)),
        )

    def values(self, name: str) -> list[float]:
        """A score at each N."""
        return getattr(self.found, name) if name in ("psnr", "rmse") else self.found.scores[name]

    def rows(self) -> list[dict[str, Any]]:
        """The table, a row for each N."""
        found, rows = self.found, []
        for i, n in enumerate(found.n):
            row: dict[str, Any] = {"n": n}
            for name in SCORES:
                row[name] = self.values(name)[i]
                row[f"{name}_error"] = self.errors[name][i]
                row[f"{name}_change_error"] = self.changes[name][i]
            row |= {"gain": found.gain[i], "gain_error": found.gain_error[i]}
            row |= {"ideal": found.ideal[i], "law": found.law[i]}
            row |= {"spread_skill": self.spread_skill, "fields": self.fields, "boxes": self.boxes}
            rows.append(row)
        return rows

    def write(self, path: Path) -> None:
        """The table as CSV; what is not known is empty."""
        rows = self.rows()
        with path.open("w", newline="", encoding="utf-8") as file:
            out = writer(file)
            out.writerow(rows[0])
            out.writerows([["" if isnan(v) else v for v in row.values()] for row in rows])


def _errors(
    tables: Sequence[dict[str, Tensor]], boxes: Sequence[int], seed: int, draws: int = 1000
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Std errors over boxes of the scores, and of their changes since N = 1."""
    if len(set(boxes)) < 2:
        unknown = {name: [nan] * len(tables[0]["r"]) for name in SCORES}
        return unknown, unknown
    weights = box_weights(boxes, draws, seed)
    weights = weights / weights.sum(1, keepdim=True)
    means = {k: weights @ torch.stack([t[k] for t in tables]).double() for k in tables[0]}
    square = means.pop("mean_square")
    means |= {"rmse": square.sqrt(), "psnr": -10 * torch.log10(square)}
    errors = {name: means[name].std(0).tolist() for name in SCORES}
    return errors, {k: (means[k] - means[k][:, :1]).std(0).tolist() for k in SCORES}
