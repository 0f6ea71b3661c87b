"""From a simulated sky to what a survey would measure: mask, galaxy counts, shape noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from massgan_core.simulate.bundled_ktng import bundled_ktng
from massgan_core.simulate.bundled_skies import bundled_sky
from massgan_core.simulate.halo import nfw_field
from massgan_core.simulate.lognormal import Lognormal
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    gaussian_field,
    generator,
    reduced_shear,
)
from massgan_core.sky.noise import COSMOS_SCATTER, shape_noise

COSMOS_DEPTH = 71.7  #: galaxies/arcmin² inside the COSMOS mask

# Keys of the independent random streams behind one seed.
_SKY, _COUNTS, _NOISE = 101, 102, 103


def sky(
    kind: str, grid: Grid, power: PowerSpectrum, *, seed: int
) -> tuple[Float[Tensor, "H W"], Complex[Tensor, "H W"]]:
    """κ and γ of a random sky, made on a field twice as large (zero mean) and cropped.

    Shear made on the crop itself would wrap around its edges, which the sky does not.

    Args:
        kind: ``lognormal``, ``gaussian``, ``nfw`` (one halo), ``nbody`` or ``ktng``
            (bundled maps).
        grid: Pixels of the crop.
        power: C_ℓ of κ [sr]; for ``ktng`` of the sky around the map; ``nfw`` and ``nbody``
            do not use it.
        seed: Of the sky; ``nfw`` does not use it.

    Raises:
        ValueError: Unknown `kind`, or a `grid` that the bundled maps do not hold.
    """
    height, width = grid.shape
    if kind == "nfw":
        short = min(grid.extent)
        return nfw_field(grid, position=(0.18 * short, 0.09 * short))
    large, corner = Grid((2 * height, 2 * width), grid.pixel_scale), (height // 2, width // 2)
    key = generator(seed, _SKY)
    if kind == "lognormal":
        kappa = Lognormal(large, power)(key)
    elif kind == "gaussian":
        kappa = gaussian_field(power, large, key)
    elif kind == "nbody":
        kappa, corner = bundled_sky(grid, seed=seed)
    elif kind == "ktng":
        kappa, corner = bundled_ktng(grid, power, seed=seed)
    else:
        raise ValueError(f"`kind` must be lognormal, gaussian, nfw, nbody or ktng, got {kind!r}")
    kappa = kappa - kappa.mean()
    gamma = ShearOperator(tuple(kappa.shape))(kappa)
    rows, columns = (slice(at, at + n) for at, n in zip(corner, (height, width), strict=True))
    return kappa[rows, columns].clone(), gamma[rows, columns].clone()


def mock(
    kappa: Float[Tensor, "H W"],
    gamma: Complex[Tensor, "H W"],
    grid: Grid,
    *,
    sigma: Float[Tensor, "H W"] | None = None,
    mask: Bool[Tensor, "H W"] | None = None,
    depth: float | None = None,
    area: Bool[Tensor, "H W"] | None = None,
    scatter: float = COSMOS_SCATTER,
    linear: bool = False,
    seed: int = 0,
) -> ShearField:
    """A noisy shear field of a simulated sky.

    Either `sigma` and `mask` are given (a real survey's), or `depth`: integer Poisson counts
    are drawn inside `area`, a pixel without galaxies is unobserved, and σ = scatter/√count.

    Args:
        kappa: True convergence.
        gamma: Its shear, made on a larger field.
        grid: Pixels.
        sigma: Noise std of one component.
        mask: True where observed.
        depth: Galaxies per arcmin².
        area: Where galaxies may lie (all pixels by default); becomes the footprint.
        scatter: Intrinsic ellipticity std of one component.
        linear: Give γ instead of reduced shear g = γ/(1 − κ).
        seed: Of counts and noise.

    Raises:
        ValueError: Both or neither of `sigma` and `depth`, `sigma` without `mask`, or a `depth`
            that is not positive.
    """
    if (sigma is None) == (depth is None):
        raise ValueError("give either `sigma` (with `mask`) or `depth`, not both or none")
    counts = None
    if depth is not None:
        if not depth > 0:
            raise ValueError(f"`depth` must be positive [galaxies/arcmin²], got {depth}")
        area = torch.ones(grid.shape, dtype=torch.bool) if area is None else area
        rate = area * (depth * grid.pixel_scale**2)
        counts = torch.poisson(rate.float(), generator=generator(seed, _COUNTS))
        mask = counts > 0
        sigma = scatter / torch.sqrt(counts.clamp_min(1))
    elif mask is None:
        raise ValueError("`sigma` needs a `mask`: True where observed")
    signal = gamma if linear else reduced_shear(gamma, kappa)
    noise = shape_noise(torch.where(mask, sigma, torch.inf), generator(seed, _NOISE))
    return ShearField(grid, signal + noise, sigma, mask, kappa, counts=counts, area=area)


def named(field: ShearField, *, kind: str, seed: int, **settings: Any) -> ShearField:
    """`field` named after its `kind` and `seed`, with these and `settings` as provenance."""
    notes = {"kind": kind, "seed": seed, **settings}
    return replace(field, name=f"simulated: {kind}, seed {seed}", notes=notes)
