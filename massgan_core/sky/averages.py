"""What a survey is made of, round every pixel: how many galaxies, and their mean shear."""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from massgan_core.sky.fields import ShearField
from massgan_core.sky.smooth import smooth


def galaxy_density(field: ShearField, sigma: float = 1.0) -> Float[Tensor, "H W"]:
    """Galaxies per arcmin² under a Gaussian window, NaN outside the footprint.

    Args:
        field: With known galaxy counts.
        sigma: Std of the window [arcmin].

    Raises:
        ValueError: The counts are not known.
    """
    if field.counts is None:
        raise ValueError("`field` must know its galaxy counts: grid a catalogue")
    area = field.footprint
    mean = smooth(field.counts.float(), field.grid, sigma, mask=area)
    return torch.where(area, mean / field.grid.pixel_scale**2, torch.nan)


def mean_shear(field: ShearField, sigma: float = 2.0) -> Complex[Tensor, "H W"]:
    """Shear averaged under a Gaussian window, pixels weighted by 1/σ²; NaN outside the footprint.

    Args:
        field: One observed field, in the frame of its pixels.
        sigma: Std of the window [arcmin].
    """
    weight, area = field.weight**2, field.footprint
    gamma = torch.where(weight > 0, field.gamma, 0)
    parts = torch.stack([weight * gamma.real, weight * gamma.imag, weight]).float()
    real, imag, total = smooth(parts, field.grid, sigma, mask=area.expand_as(parts))
    mean = torch.complex(real, imag) / total.clamp_min(torch.finfo(total.dtype).tiny)
    return torch.where(area, mean, torch.nan)
