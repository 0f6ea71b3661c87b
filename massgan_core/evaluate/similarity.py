r"""Structural similarity (SSIM) of two maps inside a footprint.

.. math:: \mathrm{SSIM} = \frac{(2\mu_x\mu_y + C_1)(2\sigma_{xy} + C_2)}
          {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}, \qquad C_i = (K_i L)^2

with means, variances and covariance under a Gaussian window about every pixel. The window's
weights are those of the footprint's pixels alone and sum to 1: nothing outside enters, and
there is no border to cut off. Both maps first lose their footprint mean.

The data range L decides the value: C₂ counts as variance (K₂L)²/2 that both maps share, so
that κ maps rated with the L = 1 of photographs all look alike. A score means something only
beside its L; the range of the truth in the footprint (:func:`value_range`) is a common choice.
SSIM was made for intensities ≥ 0. κ has both signs: where local mean *and* covariance have the
wrong sign, the product is positive. Such windows are rare in maps of any worth; r_ℓ tells them.

References:
    Wang, Bovik, Sheikh & Simoncelli (2004), IEEE Trans. Image Processing 13, 600
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.sky import remove_mean

_RADIUS = 3.5  #: half width of the window, in units of its std: 11 × 11 pixels at 1.5


def ssim(
    estimate: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*A H W"],
    *,
    data_range: float | Float[Tensor, "*B"],
    width: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Float[Tensor, "*B"]:
    """Mean SSIM over the footprint of each map, at most 1; float64.

    Args:
        estimate: A map.
        truth: The map it should look like; the score is the same when the two change places.
        area: Footprint.
        data_range: L, in units of κ; one number for all maps or one for each.
        width: Std of the window [pixels].
        k1: Of the constant that steadies the means.
        k2: Of the constant that steadies the variances.

    Raises:
        ValueError: The window or a data range is not positive.
    """
    local = ssim_map(estimate, truth, area, data_range=data_range, width=width, k1=k1, k2=k2)
    return local.sum((-2, -1)) / area.sum((-2, -1))


def ssim_map(
    estimate: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*A H W"],
    *,
    data_range: float | Float[Tensor, "*B"],
    width: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Float[Tensor, "*B H W"]:
    """SSIM of the window about every footprint pixel, 0 outside; arguments as :func:`ssim`.

    Raises:
        ValueError: As there.
    """
    scale = torch.as_tensor(data_range, dtype=torch.float64, device=truth.device)[..., None, None]
    if not width > 0:
        raise ValueError(f"`width` must be positive [pixels], got {width}")
    if not bool((scale > 0).all()):
        raise ValueError(f"`data_range` must be positive, got {data_range}")
    c1, c2 = (k1 * scale) ** 2, (k2 * scale) ** 2
    x, y = (
        remove_mean(torch.where(area, m.double(), 0.0), area) * area for m in (estimate, truth)
    )
    # Far outside the footprint no pixel has weight: 1 there keeps the quotient finite.
    norm = _blurred(area.double(), width)
    norm = torch.where(area, norm, 1.0)
    mean_x, mean_y, xx, yy, xy = (_blurred(m, width) / norm for m in (x, y, x * x, y * y, x * y))
    var_x, var_y, cov = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * cov + c2)
    size = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return torch.where(area, likeness / size, 0.0)


def value_range(
    truth: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"]
) -> Float[Tensor, "*B"]:
    """Highest less lowest κ of each map of `truth` inside the footprint `area`."""
    high = torch.where(area, truth, -torch.inf).flatten(-2).amax(-1)
    return high - torch.where(area, truth, torch.inf).flatten(-2).amin(-1)


def _blurred(image: Float[Tensor, "*B H W"], width: float) -> Float[Tensor, "*B H W"]:
    """Weighted sums under a cut Gaussian window about every pixel; zero beyond the edge."""
    radius = int(_RADIUS * width + 0.5)
    at = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    line = torch.exp(-0.5 * (at / width) ** 2)
    line = line / line.sum()
    out = image.reshape(-1, 1, *image.shape[-2:])
    out = torch.nn.functional.conv2d(out, line[None, None, :, None], padding=(radius, 0))
    out = torch.nn.functional.conv2d(out, line[None, None, None, :], padding=(0, radius))
    return out.reshape(image.shape)
