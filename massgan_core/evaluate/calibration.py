r"""Margins learned from calibration maps, kept beside a checkpoint, and the interval they give.

===========  =============================================  =================================
method       interval                                       λ
===========  =============================================  =================================
residual     κ̂ ± λ r                                        conformal, of |κ̂ − κ|/r
cqr          [lo − λ σ_κ, hi + λ σ_κ]                       conformal, of max(lo − κ, κ − hi)
rcps         κ̂ ± λ r                                        one for all pixels, see ``rcps``
===========  =============================================  =================================

r is the std of the samples, lo and hi are their quantiles, σ_κ is the std of κ for the field's
n(z). On the grid, mask and noise of one survey λ has a value a pixel; on other fields it depends
on the noise around a pixel (in units of σ_κ) and on the distance from the footprint's edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from massgan_core.posterior import Summary
from massgan_core.sky import ShearField, smooth

METHODS = ("residual", "cqr", "rcps")
WINDOW = 1.0  #: Gaussian std [arcmin] of the surroundings whose noise counts
STRAY = 0.02  #: share of a footprint that may lie outside the table


@dataclass(frozen=True, eq=False)
class SurveyFactors:
    """λ of every pixel for one survey's grid, mask and noise.

    Args:
        sigma: Noise std of one component, ∞ where unobserved.
        pixel_scale: [arcmin].
        redshift: Mean redshifts of sources, lowest and highest.
        factor: λ for each level.
    """

    sigma: Float[Tensor, "H W"]
    pixel_scale: float
    redshift: tuple[float, float]
    factor: Float[Tensor, "L H W"]

    def fits(self, field: ShearField, redshift: float) -> bool:
        """Whether `field` has this grid, mask and noise, and such sources."""
        sigma = field.sigma.cpu()
        return (
            field.grid.shape == tuple(self.sigma.shape)
            and abs(field.grid.pixel_scale / self.pixel_scale - 1) < 0.01
            and self.redshift[0] <= redshift <= self.redshift[1]
            # σ is stored in half precision, and sums of weights differ between machines.
            and torch.allclose(sigma, self.sigma.to(sigma.dtype), rtol=0.01, atol=0)
        )


@dataclass(frozen=True, eq=False)
class TableFactors:
    """λ by noise and by distance from the footprint's edge.

    Args:
        noise: Edges of the A bins in :func:`local_noise` over σ_κ, both ends included.
        distance: What parts the D bins in :func:`edge_distance` [arcmin], without ends.
        pixel_scale: Lowest and highest [arcmin].
        redshift: Mean redshifts of sources, lowest and highest.
        factor: λ for each level; ∞ where calibration maps were too few.
    """

    noise: tuple[float, ...]
    distance: tuple[float, ...]
    pixel_scale: tuple[float, float]
    redshift: tuple[float, float]
    factor: Float[Tensor, "L A D"]

    def bins(self, noise: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Bin of each pixel; beyond the ends, the nearest one."""
        parts = (self.noise[1:-1], noise), (self.distance, distance)
        a, d = (
            torch.bucketize(m.contiguous(), m.new_tensor(edges), right=True) for edges, m in parts
        )
        return a, d


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns samples of one checkpoint into an interval that holds.

    Args:
        method: One of :data:`METHODS`.
        levels: Probabilities inside, increasing (1 − α).
        checkpoint: Name of the checkpoint.
        digest: Of its file.
        samples: Posterior samples behind each calibration map.
        seed: Of the noise and the latents.
        maps: Calibration maps.
        boxes: Simulation boxes they come from.
        redshifts: Mean source redshifts of the table of σ_κ, increasing; () for none.
        scales: σ_κ at those.
        home: Mean source redshift and σ_κ of fields without an n(z) of their own.
        survey: λ on one survey's own grid, or `None`.
        table: λ for other fields, or `None`.
        facts: Anything else worth keeping (JSON values).
    """

    method: str
    levels: tuple[float, ...]
    checkpoint: str
    digest: str
    samples: int
    seed: int
    maps: int
    boxes: int
    redshifts: tuple[float, ...]
    scales: tuple[float, ...]
    home: tuple[float, float]
    survey: SurveyFactors | None = None
    table: TableFactors | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    _known: WeakKeyDictionary = field(init=False, repr=False, default_factory=WeakKeyDictionary)

    def covers(
        self, field: ShearField, n: int | None = None, level: float | None = None
    ) -> list[str]:
        """Reasons why the interval of `field` is not calibrated; [] where it is.

        Args:
            field: Observed, without batch axes.
            n: Samples drawn so far; by default enough.
            level: Of the interval; by default the highest, which takes the most maps.
        """
        reasons, at = [], -1 if level is None else self._level(level)
        if not self.on_survey(field):
            reasons += self._outside_table(field, at)
        if n is not None and n < self.samples:
            reasons.append(f"{n} samples were drawn, calibrated with {self.samples} or more")
        return reasons

    def factor(self, field: ShearField, level: float) -> Float[Tensor, "H W"]:
        """λ of every pixel, in units of r or (``cqr``) of κ."""
        at = self._level(level)
        if field not in self._known:
            self._known[field] = self._factors(field)
        return self._known[field][at]

    def on_survey(self, field: ShearField) -> bool:
        """Whether λ of `field` are those of the survey's own grid, not of the table."""
        return self.survey is not None and self.survey.fits(field, self._redshift(field))

    def has(self, level: float) -> bool:
        """Whether `level` is one of :attr:`levels`."""
        return any(abs(level - known) < 1e-6 for known in self.levels)

    def promise(self, level: float) -> str:
        """What the interval at `level` guarantees, a sentence without its full stop."""
        text = f"{100 * level:.3g} % over simulated skies like the training ones"
        if self.method != "rcps":
            return f"coverage of a pixel: {text}"
        return f"coverage of all pixels: {text}, with {1 - self.facts['delta']:.0%} confidence"

    def scale(self, field: ShearField) -> float:
        """σ_κ of the field's n(z)."""
        if field.sources is None or not self.redshifts:
            return self.home[1]
        return float(np.interp(field.sources.mean, self.redshifts, self.scales))

    def _level(self, level: float) -> int:
        for i, known in enumerate(self.levels):
            if abs(level - known) < 1e-6:
                return i
        known = ", ".join(f"{known:g}" for known in self.levels)
        raise ValueError(f"`level` must be one that was calibrated ({known}), got {level:g}")

    def _redshift(self, field: ShearField) -> float:
        return self.home[0] if field.sources is None else field.sources.mean

    def _factors(self, field: ShearField) -> Float[Tensor, "L H W"]:
        unit = self.scale(field) if self.method == "cqr" else 1.0
        if self.on_survey(field):
            factor = self.survey.factor
        elif self.table is not None:
            noise, distance = self._place(field)
            factor = self.table.factor[:, *self.table.bins(noise, distance)]
        else:
            raise ValueError(f"the field is not calibrated: {self.covers(field)[0]}")
        return unit * factor.float()

    def _place(self, field: ShearField) -> tuple[Tensor, Tensor]:
        """Noise over σ_κ, and distance from the edge, of every pixel."""
        noise = local_noise(field) / self.scale(field)
        return noise, edge_distance(field.footprint.cpu(), field.grid.pixel_scale)

    def _outside_table(self, field: ShearField, at: int) -> list[str]:
        table, redshift = self.table, self._redshift(field)
        if table is None:
            return ["only the survey's own grid, mask, noise and sources are calibrated"]
        reasons = []
        for words, value, (low, high) in (
            ("the pixel scale [arcmin]", field.grid.pixel_scale, table.pixel_scale),
            ("the mean redshift of the sources", redshift, table.redshift),
        ):
            if not low <= value <= high:
                reasons.append(f"{words} is {value:.3g}, calibrated for {low:.3g} to {high:.3g}")
        area = field.footprint.cpu()
        noise, distance = (m[area] for m in self._place(field))
        low, high = table.noise[0], table.noise[-1]
        stray = float(((noise < low) | (noise > high)).double().mean())
        if stray > STRAY:
            reasons.append(
                f"the noise of {stray:.0%} of the footprint lies outside the {low:.3g} to "
                f"{high:.3g} times the std of κ that were calibrated"
            )
        thin = float(torch.isinf(table.factor[at][table.bins(noise, distance)]).double().mean())
        if thin > STRAY:
            reasons.append(f"{thin:.0%} of the footprint had too few calibration maps")
        return reasons


def calibrated_interval(
    summary: Summary, calibration: Calibration, level: float = 0.95
) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
    """Ends of the interval of κ at `level`; ask :meth:`Calibration.covers` whether it holds.

    Args:
        summary: Of the samples drawn.
        calibration: Of the checkpoint that drew them.
        level: One of ``calibration.levels``.

    Raises:
        ValueError: The level was not calibrated, or nothing is known for such a field.
    """
    factor = calibration.factor(summary.field, level)
    if calibration.method != "cqr":
        return summary.mean - factor * summary.std, summary.mean + factor * summary.std
    low, high = summary.quantile(((1 - level) / 2, (1 + level) / 2))
    return low - factor, high + factor


def local_noise(field: ShearField) -> Float[Tensor, "H W"]:
    """σ of the surroundings, 1/√⟨1/σ²⟩ under a 1′ window inside the footprint; else ∞.

    A single pixel's σ says how many galaxies fell into it by chance; what the samples know
    comes from the galaxies around it.
    """
    weight = field.weight.cpu().double() ** 2
    mean = smooth(weight, field.grid, WINDOW, mask=field.footprint.cpu())
    # The transform leaves ±1e-17 where nothing is observed within the window.
    return torch.where(mean > 1e-9 * mean.max(), mean, 0.0).rsqrt()


def edge_distance(area: Bool[Tensor, "H W"], pixel_scale: float) -> Float[Tensor, "H W"]:
    """Distance [arcmin] of each pixel from the nearest one outside `area`; 0 outside.

    Beyond the field nothing was observed: its sides are edges too.
    """
    room = np.pad(area.numpy(), 1)
    return pixel_scale * torch.from_numpy(distance_transform_edt(room)[1:-1, 1:-1])
