r"""Galaxies → pixels.

.. math:: \hat\gamma = \frac{\sum w (e - c)}{\sum w (1 + m)}, \qquad
          \sigma^2 = \sigma_e^2 \frac{\sum w^2}{(\sum w (1 + m))^2}

Each ellipticity is first turned from its galaxy's local North to the grid's y axis,
:math:`e \to e\,e^{2i\psi}`, ψ being the angle from y to North, counter-clockwise, by the WCS.
On a grid whose East points right the mirror image e* is turned.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, isfinite

import numpy as np
import torch
from jaxtyping import Shaped

from massgan_core.sky import Grid, ShearField, Sources
from massgan_core.survey.area import survey_area
from massgan_core.survey.binning import PixelSums
from massgan_core.survey.catalog import Catalog
from massgan_core.survey.outline import checked_center, numbers

NOISES = ("weighted", "published")
MOST_PIXELS = 4096  #: on a side; beyond it a flat patch of sky is no longer flat


def grid_around(
    center: tuple[float, float], size: float | tuple[float, float], pixel_scale: float = 0.29
) -> Grid:
    """The TAN grid about `center` that holds at least `size`.

    Args:
        center: (RA, Dec) [deg].
        size: Side, or (width, height) [arcmin].
        pixel_scale: Side of a pixel [arcmin].

    Raises:
        ValueError: `center` is no position, `size` or `pixel_scale` is not positive, or the field
            has more than :data:`MOST_PIXELS` on a side.
    """
    center = checked_center(center)
    if not (isfinite(pixel_scale) and pixel_scale > 0):
        raise ValueError(f"`pixel_scale` must be positive [arcmin], got {pixel_scale}")
    sides = numbers(size)
    if sides.size not in (1, 2) or not np.isfinite(sides).all() or (sides <= 0).any():
        raise ValueError(
            f"`size` must be positive, one number or (width, height) [arcmin], got {size}"
        )
    # Sides that are a whole number of pixels but for rounding get no extra pixel.
    width, height = (ceil(round(side / pixel_scale, 6)) for side in (sides[0], sides[-1]))
    if max(width, height) > MOST_PIXELS:
        raise ValueError(
            f"the field would have {width} × {height} pixels, the limit is {MOST_PIXELS} on a "
            "side; give a smaller `size` or a larger `pixel_scale`"
        )
    return Grid.tan((height, width), pixel_scale, center=center)


def grid_catalog(
    catalog: Catalog,
    grid: Grid,
    *,
    noise: str = "weighted",
    sources: Sources | None = None,
    name: str | None = None,
) -> ShearField:
    """Weighted mean shear, its noise, galaxy counts, mask and footprint on `grid`.

    Args:
        catalog: The galaxies.
        grid: Pixels on the sky (with a WCS).
        noise: ``weighted``: the σ of the module's docstring with the catalogue's weighted σ_e;
            ``published``: unweighted scatter/√n_gal (0.305/√n_gal on COSMOS).
        sources: n(z) of the galaxies; `None` means the COSMOS one.
        name: Short name for people; by default the catalogue's.

    Raises:
        ValueError: No galaxy lies in the field.
    """
    if noise not in NOISES:
        raise ValueError(f"`noise` must be one of {', '.join(NOISES)}, got {noise!r}")
    added, name = PixelSums(grid).add(catalog), name or catalog.name
    return field_of(added, noise=noise, sources=sources, name=name)


def field_of(added: PixelSums, *, noise: str, sources: Sources | None, name: str) -> ShearField:
    """The field that sums over galaxies make, as :func:`grid_catalog` of them.

    Args:
        added: Sums over all galaxies.
        noise: As there.
        sources: As there.
        name: Short name for people.

    Raises:
        ValueError: No galaxy lies in the field, no pixel has a positive response, or all galaxies
            are round.
    """
    sums = added.maps()
    counts, response, variance = sums["n"], sums["response"], sums["w2"]
    if not counts.any():
        raise ValueError(_nothing_there(added, name))
    mask = (counts > 0) & (response > 0)
    safe = np.where(mask, response, 1.0)
    gamma = np.where(mask, sums["e"] / safe, 0)
    if noise == "weighted":
        sigma = added.scatter * np.sqrt(variance) / safe
    else:
        bias = np.where(mask, response / np.where(mask, sums["w"], 1.0), 1.0)
        sigma = added.plain_scatter / np.sqrt(np.maximum(counts, 1)) / bias
    if not mask.any():
        raise ValueError(f"{name}: no pixel has a positive Σw(1 + m); check `m`")
    if not (sigma[mask] > 0).all():
        raise ValueError(f"{name}: every ellipticity is 0, so the shape noise is unknown")
    return ShearField(
        grid=added.grid,
        gamma=torch.from_numpy(gamma.astype(np.complex64)),
        sigma=torch.from_numpy(np.where(mask, sigma, np.inf).astype(np.float32)),
        mask=torch.from_numpy(mask),
        counts=torch.from_numpy(counts.astype(np.int32)),
        area=torch.from_numpy(survey_area(mask, counts)),
        sources=sources,
        name=name,
        notes={
            "galaxies": int(counts.sum()),
            "sigma_e": round(added.scatter, 6),
            "noise": noise,
        },
    )


def pixel_sums(catalog: Catalog, grid: Grid) -> dict[str, Shaped[np.ndarray, "H W"]]:
    """Sums over the galaxies of every pixel; galaxies off the grid are left out.

    Returns:
        ``n`` galaxies, ``w`` Σw, ``w2`` Σw², ``response`` Σw(1 + m) (with a column R:
        times its weighted mean over the field), ``e`` Σw(e − c) along the grid's axes.
    """
    return PixelSums(grid).add(catalog).maps()


def rotate_galaxies(catalog: Catalog, generator: torch.Generator) -> Catalog:
    """The galaxies of `catalog`, each turned at random: shear destroyed, shape noise kept.

    A second noise mode: it has the real distribution of shapes, weights and positions.
    Angles come from `generator`.
    """
    angle = 2 * np.pi * torch.rand(len(catalog), generator=generator, dtype=torch.float64).numpy()
    e1, e2 = catalog.corrected()
    turned = (e1 + 1j * e2) * np.exp(1j * angle)
    return replace(catalog, e1=turned.real, e2=turned.imag, c1=None, c2=None)


def _nothing_there(added: PixelSums, name: str) -> str:
    grid, (low, high) = added.grid, added.span
    ra, dec = grid.pixel_to_sky((grid.shape[1] - 1) / 2, (grid.shape[0] - 1) / 2)
    height, width = grid.extent
    return (
        f"no galaxy of {name} lies in the field of {width:.4g}′ × {height:.4g}′ about "
        f"RA {float(ra):.4f}, Dec {float(dec):.4f}; its galaxies span RA "
        f"{low[0]:.4f} to {high[0]:.4f}, Dec {low[1]:.4f} to {high[1]:.4f}"
    )
