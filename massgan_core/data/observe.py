"""Random observations of a sky patch: any mask, any depth, noise drawn on the fly."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from massgan_core.sky import Grid, ShearField, generator, reduced_shear
from massgan_core.sky.noise import COSMOS_SCATTER, shape_noise

_OBSERVE = 21


@dataclass(frozen=True, eq=False)
class Observe:
    """Turns (κ, γ) patches into a batch of noisy shear fields with their truth.

    Args:
        sigma: σ map of a real survey (∞ where unobserved), e.g. COSMOS.
        pixel_scale: Of the patches [arcmin].
        real: Fraction of fields that see exactly the real mask and σ (turned and mirrored).
        rescaled: Fraction that see the real mask at another depth; the rest have a random
            mask (holes and bad columns).
        depth: Range of galaxies/arcmin², drawn log-uniformly.
        linear: Observe γ instead of reduced shear.
        seed: Of counts, masks and noise.
    """

    sigma: Float[Tensor, "H W"]
    pixel_scale: float = 0.29
    real: float = 0.5
    rescaled: float = 0.25
    depth: tuple[float, float] = (10.0, 120.0)
    linear: bool = False
    seed: int = 0
    observed: float = field(init=False)

    def __post_init__(self) -> None:
        # What a patch must show at least: half of what the whole survey does.
        object.__setattr__(
            self, "observed", float(torch.isfinite(self.sigma).sum()) / self.sigma.numel() / 2
        )

    def __call__(
        self, kappa: Float[Tensor, "B H W"], gamma: Complex[Tensor, "B H W"], index: int
    ) -> ShearField:
        """The batch as one ShearField with a leading axis."""
        grid = Grid(tuple(kappa.shape[-2:]), self.pixel_scale)
        key = generator(self.seed, _OBSERVE, index)
        seen = [self._survey(grid, key) for _ in range(len(kappa))]
        sigma, area = (torch.stack(parts) for parts in zip(*seen, strict=True))
        signal = gamma if self.linear else reduced_shear(gamma, kappa)
        noisy = signal + shape_noise(sigma, key)
        return ShearField(grid, noisy, sigma, torch.isfinite(sigma), kappa, area=area)

    def _survey(
        self, grid: Grid, key: torch.Generator
    ) -> tuple[Float[Tensor, "H W"], Bool[Tensor, "H W"]]:
        """σ and footprint of one field."""
        choice = float(torch.rand((), generator=key))
        real = self._turned(grid, key)
        if choice < self.real:
            return real, torch.isfinite(real)
        low, high = self.depth
        depth = low * (high / low) ** float(torch.rand((), generator=key))
        area = torch.isfinite(real)
        if choice >= self.real + self.rescaled:
            area = random_mask(grid, key)
        rate = area * (depth * grid.pixel_scale**2)
        counts = torch.poisson(rate.float(), generator=key)
        sigma = COSMOS_SCATTER / torch.sqrt(counts.clamp_min(1))
        return torch.where(counts > 0, sigma, torch.inf), area

    def _turned(self, grid: Grid, key: torch.Generator) -> Float[Tensor, "H W"]:
        """The real σ map mirrored or transposed, and cut to the patch."""
        sigma, kind = self.sigma, int(torch.randint(8, (), generator=key))
        dims = [d for d, bit in ((-1, 1), (-2, 2)) if kind & bit]
        sigma = sigma.flip(dims) if dims else sigma
        sigma = sigma.mT if kind & 4 else sigma
        while True:  # a small patch may fall beside the survey: look again
            top, left = (
                int(torch.randint(have - want + 1, (), generator=key))
                for have, want in zip(sigma.shape, grid.shape, strict=True)
            )
            part = sigma[top : top + grid.shape[0], left : left + grid.shape[1]]
            if torch.isfinite(part).float().mean() >= self.observed:
                return part.contiguous()


def random_mask(grid: Grid, key: torch.Generator) -> Bool[Tensor, "H W"]:
    """Up to 40 round holes of 0.5′–4′ (stars) and up to 4 bad columns or rows."""
    height, width = grid.shape
    mask = torch.ones(grid.shape, dtype=torch.bool)
    y, x = torch.arange(height)[:, None], torch.arange(width)[None, :]
    for _ in range(int(torch.randint(41, (), generator=key))):
        u, v, size = torch.rand(3, generator=key).tolist()
        radius = 0.5 * 8.0**size / grid.pixel_scale
        mask &= (x - u * width) ** 2 + (y - v * height) ** 2 > radius**2
    for _ in range(int(torch.randint(5, (), generator=key))):
        u, v, size = torch.rand(3, generator=key).tolist()
        line = x if v < 0.5 else y
        mask &= (line - u * width).abs() > 0.5 + 3 * size
    return mask
