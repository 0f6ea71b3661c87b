"""What is asked of a calibration, the scores that answer it, and how well they did."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.calibrating.fields import Chosen
from massgan_core.evaluate.calibration import METHODS
from massgan_core.evaluate.conformal import (
    fewest_units,
    missed,
    quantile_score,
    residual_score,
)
from massgan_core.evaluate.conformal import passes as agrees
from massgan_core.evaluate.rcps import box_means, fewest_boxes, smallest_factor
from massgan_core.posterior import Summary
from massgan_core.sky import ShearField

UNITS = ("maps", "boxes")


@dataclass(frozen=True)
class Terms:
    """What is asked of a calibration; see :func:`massgan_core.calibrating.calibrate`."""

    method: str
    levels: tuple[float, ...]
    units: str
    delta: float
    samples: int
    batch: int
    seed: int

    def __post_init__(self) -> None:
        known = {"method": METHODS, "units": UNITS}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(values)}, got {getattr(self, name)!r}"
                )
        if not self.levels or not all(0 < level < 1 for level in self.levels):
            raise ValueError(f"`levels` must lie between 0 and 1, got {self.levels}")
        if not 0 < self.delta < 1:
            raise ValueError(f"`delta` must lie between 0 and 1, got {self.delta}")
        if self.samples < 2 or self.batch < 1:
            raise ValueError(
                f"`samples` must be at least 2 and `batch` at least 1, got {self.samples} and "
                f"{self.batch}"
            )

    def unit(self, chosen: Chosen) -> Tensor:
        """Which unit each calibration map belongs to."""
        maps = torch.arange(chosen.calibrate)
        return maps if self.units == "maps" else torch.tensor(chosen.boxes[: chosen.calibrate])

    @property
    def kinds(self) -> int:
        """Scores of a pixel: one for all levels, or one for each."""
        return len(self.levels) if self.method == "cqr" else 1

    def kind(self, level: int) -> int:
        """Which of the scores serves a level."""
        return level if self.method == "cqr" else 0

    def check_enough(self, chosen: Chosen) -> None:
        """Refuse, before any work, what no number of hits could show."""
        boxes, highest = len(set(chosen.boxes[: chosen.calibrate])), self.levels[-1]
        if self.method == "rcps":
            have, need, what = boxes, fewest_boxes(1 - highest, self.delta), "boxes"
        else:
            have = chosen.calibrate if self.units == "maps" else boxes
            need, what = fewest_units(1 - highest), self.units
        if have < need:
            raise ValueError(
                f"a level of {highest:g} by {self.method} takes at least {need} {what}, got "
                f"{have}: simulate more or ask for a lower `level`"
            )


@dataclass(frozen=True)
class Coverage:
    """Coverage of held-out maps by the samples' quantiles and by the calibrated interval."""

    part: str
    level: float
    before: float
    after: float
    error: float  #: of `after`, from a bootstrap over boxes
    maps: int
    boxes: int
    skies: str = "all"

    @property
    def passes(self) -> bool:
        """Whether `after` is what was promised, within errors."""
        return agrees(1 - self.after, self.error, 1 - self.level)


def scores_of(
    summary: Summary, field: ShearField, terms: Terms, scale: float
) -> tuple[Float[Tensor, "C H W"], Float[Tensor, " L"]]:
    """Scores of a map, and the fraction of it that the samples' own quantiles miss.

    Args:
        summary: Of the samples.
        field: With its truth, on the CPU.
        terms: Method and levels.
        scale: σ_κ, the unit of quantile scores.
    """
    truth, area = field.truth.float(), field.footprint
    at = [q for level in terms.levels for q in ((1 - level) / 2, (1 + level) / 2)]
    low, high = summary.quantile(tuple(at)).unflatten(0, (-1, 2)).unbind(1)
    before = torch.stack([missed(a, b, truth, area) for a, b in zip(low, high, strict=True)])
    if terms.method == "cqr":
        return quantile_score(low, high, truth.expand_as(low)) / scale, before
    return residual_score(summary.mean, summary.std, truth)[None], before


def global_factor(
    scores: Float[Tensor, "n P"], boxes: list[int], alpha: float, delta: float
) -> float:
    """One λ for which at most a fraction `alpha` of pixels has larger scores, see ``rcps``."""
    ordered = scores.sort(-1).values

    def risk(factors: Float[Tensor, " G"]) -> Float[Tensor, "K G"]:
        wanted = factors.to(ordered.dtype).expand(len(ordered), -1).contiguous()
        inside = torch.searchsorted(ordered, wanted, right=True)
        return box_means(1 - inside.double() / ordered.shape[1], boxes)

    return smallest_factor(risk, alpha, delta=delta)
