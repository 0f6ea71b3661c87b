"""Random observations of sky patches: any mask, any depth, noise drawn on the fly.

A batch, or a part of one, is observed at once on the device its κ is on. Choices (orientation,
depth, masks) are drawn on the CPU and agree on every device; galaxy counts and noise are drawn
on the device itself, for each field by a generator of its own: they are the same for the same
device and any way of sharing out a batch, but not from one kind of device to another.
Nothing here waits for the device but the checks of :class:`massgan_core.sky.ShearField`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor

from massgan_core.data.cut import cut
from massgan_core.data.masks import random_mask
from massgan_core.sky import (
    Grid,
    ShearField,
    device_generator,
    footprint,
    generator,
    reduced_shear,
    shape_noise,
)
from massgan_core.sky.noise import COSMOS_SCATTER

_OBSERVE, _NOISE = 21, 22  # keys of the independent random streams behind one seed


@dataclass(frozen=True, eq=False)
class Observe:
    """Turns (κ, γ) patches into a batch of noisy shear fields with their truth.

    Args:
        sigma: σ map of a real survey (∞ where unobserved), e.g. COSMOS.
        pixel_scale: Of the patches [arcmin].
        real: Fraction of fields that see exactly the real mask and σ (turned and mirrored).
        rescaled: Fraction that see the real footprint at another depth; the rest have a
            random mask (holes and bad columns).
        depth: Range of galaxies/arcmin², drawn log-uniformly.
        linear: Observe γ instead of reduced shear.
        seed: Of counts, masks and noise.
    """

    sigma: Float[Tensor, "Y X"]
    pixel_scale: float = 0.29
    real: float = 0.5
    rescaled: float = 0.25
    depth: tuple[float, float] = (10.0, 120.0)
    linear: bool = False
    seed: int = 0
    _corners: dict = field(init=False, repr=False, default_factory=dict)
    _surveys: dict = field(init=False, repr=False, default_factory=dict)

    def __call__(
        self,
        kappa: Float[Tensor, "B H W"],
        gamma: Complex[Tensor, "B H W"],
        index: int,
        part: slice | None = None,
        of: int | None = None,
    ) -> ShearField:
        """The batch, or a part of it, as one ShearField with a leading axis.

        Args:
            kappa: Patches of κ.
            gamma: Their shear.
            index: Number of the batch; with the seed it decides mask, depth and noise.
            part: Which fields of the batch these are; default all.
            of: How many the whole batch has.

        Raises:
            ValueError: The patches are larger than the survey, or none lies in its observed part.
        """
        grid = Grid(tuple(kappa.shape[-2:]), self.pixel_scale)
        part, of = (slice(0, len(kappa)), len(kappa)) if part is None else (part, of)
        key = generator(self.seed, _OBSERVE, index)
        noise = [
            device_generator(kappa.device, self.seed, _NOISE, index, item)
            for item in range(part.start, part.stop)
        ]
        sigma, area = self._survey(grid, part, of, key, noise)
        signal = gamma if self.linear else reduced_shear(gamma, kappa)
        noisy = signal + shape_noise(sigma, noise)
        return ShearField(grid, noisy, sigma, torch.isfinite(sigma), kappa, area=area)

    def _survey(
        self,
        grid: Grid,
        part: slice,
        of: int,
        key: torch.Generator,
        noise: list[torch.Generator],
    ) -> tuple[Float[Tensor, "B H W"], Bool[Tensor, "B H W"]]:
        """σ and footprint of each field."""
        place = noise[0].device
        sigma, area = self._turned(grid, part, of, key, place)
        choice, depth = torch.rand((2, of), generator=key)
        low, high = self.depth
        rate = low * (high / low) ** depth[part] * grid.pixel_scale**2
        # Which fields are not exactly the real one is known here, without asking the device.
        other, wild = (
            torch.nonzero(choice >= f).flatten() for f in (self.real, self.real + self.rescaled)
        )
        if (inside := _within(part, wild)).any():
            at = (wild[inside] - part.start).to(place, non_blocking=True)
            area[at] = random_mask(grid, key, (len(wild),), place, chosen=inside)
        if len(mine := other[_within(part, other)] - part.start):
            at = mine.to(place, non_blocking=True)
            dense = area * rate.to(place, non_blocking=True)[:, None, None]
            counts = torch.stack([torch.poisson(dense[i], noise[i]) for i in mine.tolist()])
            thin = COSMOS_SCATTER / torch.sqrt(counts.clamp_min(1))
            sigma[at] = torch.where(counts > 0, thin, torch.inf)
        return sigma, area

    def _turned(
        self, grid: Grid, part: slice, of: int, key: torch.Generator, place: torch.device
    ) -> tuple[Float[Tensor, "B H W"], Bool[Tensor, "B H W"]]:
        """The real σ map and its footprint, cut to the patch and turned, for each of `part`."""
        turn = torch.randint(8, (of,), generator=key)[part]
        draw = torch.rand(of, generator=key)[part]
        n = len(turn)
        plain, swapped = (self._drawn(shape, draw) for shape in (grid.shape, grid.shape[::-1]))
        corner = torch.where((turn & 4).bool(), swapped, plain).to(place, non_blocking=True)
        turn = turn.to(place, non_blocking=True)
        if place not in self._surveys:
            area = footprint(torch.isfinite(self.sigma))
            self._surveys[place] = self.sigma.float().to(place), area.to(place)
        return tuple(
            cut(survey.expand(n, -1, -1), corner, turn, grid.shape)
            for survey in self._surveys[place]
        )

    def _drawn(self, shape: tuple[int, int], draw: Float[Tensor, " B"]) -> Int[Tensor, "2 B"]:
        """Corners of patches that see enough of the survey, from numbers in [0, 1)."""
        if shape not in self._corners:
            self._corners[shape] = _observed_corners(torch.isfinite(self.sigma), shape)
        corners = self._corners[shape]
        # In float64: rounded to float32, the largest draw could point behind the last corner.
        return corners[:, (draw.double() * corners.shape[1]).long()]


def _within(part: slice, items: Int[Tensor, " n"]) -> Bool[Tensor, " n"]:
    return (items >= part.start) & (items < part.stop)


def _observed_corners(mask: Bool[Tensor, "Y X"], shape: tuple[int, int]) -> Int[Tensor, "2 M"]:
    """Where a patch shows at least half of what the whole survey does."""
    if shape[0] > mask.shape[0] or shape[1] > mask.shape[1]:
        raise ValueError(
            f"patches must fit the survey's σ map of {tuple(mask.shape)} pixels, got {shape}"
        )
    total = torch.nn.functional.pad(mask.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    total = total[shape[0] :] - total[: -shape[0]]
    total = total[:, shape[1] :] - total[:, : -shape[1]]
    corners = torch.nonzero(total >= mask.double().mean() / 2 * shape[0] * shape[1]).T
    if corners.shape[1] == 0:
        raise ValueError(f"no patch of {shape} pixels lies in the observed part of `sigma`")
    return corners
