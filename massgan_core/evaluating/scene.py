"""What all methods are held against: the truth of a field, and what belongs to its footprint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from massgan_core.evaluate import (
    central_moments,
    levels,
    noise_std,
    peak_counts,
    smoothed,
    value_counts,
    windowed_power,
)
from massgan_core.evaluate.probes import local_depth
from massgan_core.evaluate.tarp import (
    References,
    RunningTarp,
    block_means,
    patches,
    peaks,
    random_corners,
)
from massgan_core.mapping import KaiserSquires
from massgan_core.peaks import Peaks, find_peaks
from massgan_core.simulate import Lognormal
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    generator,
    remove_mean,
    shape_noise,
)

WIDTHS = (2.0, 4.0)  #: smoothings for spread/skill [arcmin]
PEAK_WIDTH = 1.0  #: smoothing of peaks [arcmin]
HEIGHTS = np.array([0.0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7])  #: of peaks, in std of smoothed κ
VALUES = np.linspace(-0.12, 0.3, 106)  #: of κ, for the histogram
DEPTHS = 5  #: levels of local depth
REFERENCES = 8  #: prior maps from which TARP takes distances
NOISES = 12  #: maps of pure noise that give the noise of a smoothed map
TARPS = ("blocks", "patches", "peaks")

_PRIOR, _NOISE, _CORNER = 101, 102, 103  # keys of the random streams behind a seed


@dataclass(frozen=True, eq=False)
class Likeness:
    """What single maps of a field look like: means over maps.

    Args:
        power: In the bands of :data:`massgan_core.evaluate.spectra.EDGES`.
        moments: Second and third.
        peaks: Numbers between `HEIGHTS`.
        values: Pixels between `VALUES`.
    """

    power: Float[Tensor, " K"]
    moments: Float[Tensor, " 2"]
    peaks: Float[Tensor, " P"]
    values: Float[Tensor, " V"]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What fields of one footprint and σ share. Make it with :meth:`of`.

    Args:
        sigma: By which :meth:`fits` knows its fields.
        unit: Std of prior κ smoothed like peaks.
        noise: Std that noise alone gives a Kaiser–Squires map smoothed like peaks.
        depth: Level of each pixel's local depth.
        references: Of TARP, by kind of coordinates.
    """

    sigma: Float[Tensor, "H W"]
    unit: float
    noise: Float[Tensor, "H W"]
    depth: Int[Tensor, "H W"]
    references: dict[str, References]

    @classmethod
    def of(cls, field: ShearField, power: PowerSpectrum, seed: int = 0) -> Yardstick:
        """For fields like this one.

        Args:
            field: Its grid, footprint and σ count.
            power: Spectrum of κ, for the lognormal skies that serve as references.
            seed: Of these and of the noise.
        """
        grid, area = field.grid, field.footprint
        large = Grid(tuple(2 * n for n in grid.shape), grid.pixel_scale)
        sky = Lognormal(large, power)
        prior = torch.stack([sky(generator(seed, _PRIOR, k)) for k in range(REFERENCES)])
        prior = remove_mean(prior[:, : grid.shape[0], : grid.shape[1]].to(area.device), area)
        unit = float(smoothed(prior, grid, PEAK_WIDTH, area)[:, area].std())
        corners = random_corners(area, generator(seed, _CORNER))
        coordinates = {
            "blocks": partial(block_means, grid=grid, area=area),
            "patches": partial(patches, corners=corners),
            "peaks": partial(peaks, grid=grid, area=area, edges=HEIGHTS * unit, width=PEAK_WIDTH),
        }
        estimator = KaiserSquires(PEAK_WIDTH)
        noise = torch.stack(
            [estimator.map(_noise(field, generator(seed, _NOISE, k))) for k in range(NOISES)]
        )
        return cls(
            field.sigma,
            unit,
            noise_std(noise, grid, area, 4 * PEAK_WIDTH),
            levels(local_depth(field), area, DEPTHS),
            {name: References.of(f, prior) for name, f in coordinates.items()},
        )

    def fits(self, field: ShearField) -> bool:
        """Whether `field` has this σ."""
        return torch.equal(self.sigma, field.sigma)


@dataclass(frozen=True, eq=False)
class Scene:
    """A field with its truth, seen in all the ways in which samples will be. Make it with `of`.

    Args:
        field: With a truth.
        yard: Of its footprint.
        soft: Truth, smoothed by each of `WIDTHS`.
        look: Of the truth.
        peaks: Of the truth.
        tarp: For each kind of coordinates, ready for samples.
    """

    field: ShearField
    yard: Yardstick
    soft: dict[float, Float[Tensor, "H W"]]
    look: Likeness
    peaks: Peaks
    tarp: dict[str, RunningTarp]

    @classmethod
    def of(cls, field: ShearField, yard: Yardstick) -> Scene:
        """Of a field on the device where the samples are."""
        truth, grid, area = field.truth, field.grid, field.footprint
        return cls(
            field,
            yard,
            {w: smoothed(truth, grid, w, area) for w in WIDTHS},
            look(truth[None], field, yard.unit),
            find_peaks(truth, grid, area, smoothing=PEAK_WIDTH),
            {name: RunningTarp.of(r, truth) for name, r in yard.references.items()},
        )


def look(maps: Float[Tensor, "N H W"], field: ShearField, unit: float) -> Likeness:
    """Of maps that lost their footprint mean; heights of peaks in `unit`."""
    area = field.footprint
    soft = smoothed(maps, field.grid, PEAK_WIDTH, area)
    return Likeness(
        windowed_power(maps, field.grid, area).mean(0),
        central_moments(maps, area).mean(0),
        peak_counts(soft, area.expand_as(maps), HEIGHTS * unit).mean(0),
        value_counts(maps, area, VALUES) / len(maps),
    )


def _noise(field: ShearField, key: torch.Generator) -> ShearField:
    """The field with pure noise for shear."""
    noise = shape_noise(field.sigma.cpu(), key).to(field.device)
    return replace(field, gamma=noise.to(field.gamma.dtype), kappa=None)
