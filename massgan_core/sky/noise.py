r"""Shape noise: σ is the noise std of **one** shear component in a pixel.

For weighted means :math:`\sigma^2 = \sigma_e^2 \sum w^2 / (\sum w)^2` with the intrinsic
scatter of one component :math:`\sigma_e^2 = \sum w^2 (e_1^2 + e_2^2) / (2 \sum w^2)`.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

COSMOS_SCATTER = 0.295  #: weighted scatter of one component in the COSMOS catalogue


def shear_scatter(
    e1: Float[Tensor, " N"], e2: Float[Tensor, " N"], weight: Float[Tensor, " N"]
) -> Tensor:
    """σ_e, a scalar: scatter of one component of the ellipticities `e1`, `e2` under `weight`."""
    w2 = weight.double() ** 2
    return torch.sqrt((w2 * (e1.double() ** 2 + e2.double() ** 2)).sum() / (2 * w2.sum()))


def pixel_sigma(
    sum_w: Float[Tensor, "*S"], sum_w2: Float[Tensor, "*S"], scatter: float | Tensor
) -> Float[Tensor, "*S"]:
    """σ per pixel; ∞ where a pixel holds no galaxy (unobserved).

    Args:
        sum_w: Σw of the galaxies in each pixel.
        sum_w2: Σw² likewise.
        scatter: σ_e, a scalar.
    """
    empty = sum_w <= 0
    sigma = scatter * torch.sqrt(sum_w2) / torch.where(empty, 1.0, sum_w)
    return torch.where(empty, torch.inf, sigma)


def shape_noise(
    sigma: Float[Tensor, "*S"], generator: torch.Generator | list[torch.Generator] | None = None
) -> Complex[Tensor, "*S"]:
    """n ~ N(0, σ²) for each component, σ = `sigma`; 0 where σ is infinite (unobserved).

    Drawn where `generator` is: a CPU generator gives every device the same noise. Of a list,
    each draws the noise of one map along the first axis.
    """
    if isinstance(generator, list):
        unit = torch.stack([_unit(sigma[0], one) for one in generator], 1)
    else:
        unit = _unit(sigma, generator)
    scale = torch.where(torch.isfinite(sigma), sigma, 0.0)
    return torch.complex(*unit.to(sigma.device)) * scale


def _unit(like: Float[Tensor, "*S"], generator: torch.Generator | None) -> Float[Tensor, "2 *S"]:
    place = "cpu" if generator is None else generator.device
    return torch.randn((2, *like.shape), generator=generator, dtype=like.dtype, device=place)
