r"""Posterior predictive check: is the shear of a sample the measured one, up to the noise?

.. math:: r = \frac{\gamma - g(\kappa_i)}{\sigma}, \qquad
          T(\kappa_i) = \frac{1}{2 N_\mathrm{pix}} \sum_\mathrm{observed} |r|^2, \qquad
          g = \frac{A\kappa_i}{1 - \kappa_i}

T is χ² over its 2 N_pix degrees of freedom. It needs no truth: it works on real data.

**What T should be.** For the truth E T = 1, std √(1/N_pix). Given the data, an exact sample and
the truth have one and the same distribution, so (κ_i, γ) and (κ, γ) do too, and

.. math:: \mathrm{E}\,T(\kappa_i) = \mathrm{E}\,T(\kappa) = 1

on average over data. For the *one* noise realisation at hand it is not 1. In the Gaussian case,
with posterior mean m and covariance Σ,

.. math:: \mathrm{E}[T(\kappa_i) \mid \gamma] = T(m) + p/(2 N_\mathrm{pix}), \qquad
          p = \mathrm{tr}\,(A \Sigma A^T N^{-1}), \qquad
          \mathrm{E}\,T(m) = 1 - p/(2 N_\mathrm{pix})

with p the number of parameters that the data decide. All samples share T(m), and with it nearly
all of the √(1/N_pix): more samples do not average it away, more fields do. The mean map lies
below 1 by p/(2 N_pix), and so does a sampler without any spread; one whose spread is f times
the right one lies at 1 + (f² − 1)·p/(2 N_pix). For the Wiener filter under the COSMOS noise
p/(2 N_pix) is 1.6 %, and √(1/N_pix) 0.4 %: one field shows gross faults, many show finer ones.

**The sky outside.** κ outside the footprint is unknown. It is set to the footprint mean, in the
footprint's holes and beyond the border alike (zero padding to twice the field), which leaves
T of the *truth* at 1 + δ. On simulated fields nothing is lost: T depends on κ inside the
footprint alone, so sample and truth still agree on average, and T of the truth is at hand to
compare with. On real data δ is a bias; far from the edge it is smaller. Measured on 14 lognormal
COSMOS skies cut from fields four times as wide, with the σ and mask of COSMOS:

====================  =====  =====  =====  =====  =====  =====
margin [arcmin]           0      1      2      3      5     10
δ [%]                  0.14   0.11   0.09   0.08   0.07   0.07
error of g, rms       .0050  .0042  .0039  .0037  .0034  .0032
====================  =====  =====  =====  =====  =====  =====

(δ scatters by 0.05 from field to field; the rms of g is 0.019 in one component). The first two
arcminutes take a third of δ; the rest is the shear of modes wider than the field, which no
margin removes. 1′ to 2′ is enough: δ is then a quarter of √(1/N_pix). It goes as 1/σ², so deeper
data feel it more.

References:
    Gelman, Meng & Stern (1996), Statistica Sinica 6, 733
    Spiegelhalter et al. (2002), J. R. Stat. Soc. B 64, 583 (the effective number p)
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from scipy.ndimage import binary_fill_holes, distance_transform_edt
from torch import Tensor

from massgan_core.sky import Grid, ShearField, ShearOperator, reduced_shear, remove_mean, smooth


def predicted_shear(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"], *, linear: bool = False
) -> Complex[Tensor, "*B H W"]:
    """Shear of κ in the footprint, with the footprint mean everywhere else.

    Args:
        kappa: Maps; what they hold outside the footprint changes nothing.
        area: Footprint.
        linear: Give γ instead of the reduced shear g = γ/(1 − κ) that galaxies measure.
    """
    height, width = kappa.shape[-2:]
    inside = torch.where(area, kappa, 0.0)
    inside = torch.where(area, remove_mean(inside, area), 0.0)
    padded = torch.nn.functional.pad(inside, (0, width, 0, height))
    gamma = ShearOperator((2 * height, 2 * width))(padded)[..., :height, :width]
    return gamma if linear else reduced_shear(gamma, inside)


def residual(
    kappa: Float[Tensor, "*B H W"], field: ShearField, *, linear: bool = False
) -> Complex[Tensor, "*B H W"]:
    """(γ − g(κ))/σ of every pixel, std 1 in each component for the truth; 0 where unobserved.

    Args:
        kappa: Samples or truths; leading axes broadcast against the field's.
        field: What was measured.
        linear: The field holds γ, not reduced shear, or the sampler takes it for γ (Wiener).
    """
    shear = predicted_shear(kappa, field.footprint, linear=linear)
    return (field.gamma - shear) * field.weight


def chi_square(
    kappa: Float[Tensor, "*B H W"],
    field: ShearField,
    *,
    margin: float = 0.0,
    linear: bool = False,
) -> Float[Tensor, "*B"]:
    """T = χ²/dof of each map over the observed pixels; see the module for what to expect.

    A map of 300² takes about 12 MB on the way: many samples go in batches.

    Args:
        kappa: Samples or truths; leading axes broadcast against the field's.
        field: What was measured.
        margin: Leave out pixels closer than this to the footprint's outer edge [arcmin].
        linear: As for :func:`residual`.

    Raises:
        ValueError: `margin` is negative.
    """
    where = field.mask & inner(field.footprint, field.grid, margin)
    square = residual(kappa, field, linear=linear).abs().double() ** 2
    return (square * where).sum((-2, -1)) / (2 * where.sum((-2, -1)))


def chi_square_error(field: ShearField, margin: float = 0.0) -> Float[Tensor, "*B"]:
    """Std √(1/N_pix) of T of the truth over realisations of the noise; all samples share it.

    Args:
        field: What was measured.
        margin: As for :func:`chi_square` [arcmin]; errors too.
    """
    where = field.mask & inner(field.footprint, field.grid, margin)
    return where.sum((-2, -1)).double() ** -0.5


def chi_square_map(
    residual: Complex[Tensor, "*B H W"], where: Bool[Tensor, "*A H W"], grid: Grid, width: float
) -> Float[Tensor, "*B H W"]:
    """|r|²/2 smoothed over the pixels of `where`: about 1 everywhere, for the eye.

    Its std is 1/√M with M = 4π(width/pixel)² pixels in the window, fewer at edges and holes.

    Args:
        residual: From :func:`residual`.
        where: Observed pixels that count, e.g. ``field.mask & inner(...)``; 0 elsewhere.
        grid: Pixels.
        width: Std of the Gaussian window [arcmin].
    """
    square = residual.abs() ** 2 / 2
    return smooth(square, grid, width, mask=where.expand_as(square))


def predictive_map(
    samples: Float[Tensor, "N H W"],
    field: ShearField,
    width: float = 1.0,
    *,
    margin: float = 2.0,
    linear: bool = False,
) -> Float[Tensor, "H W"]:
    """χ² of the shear that samples predict, pixel by pixel: the mean over them of χ²/dof.

    About 1 everywhere (see :func:`chi_square_map` for the scatter). Much more where no sample
    explains the shear, NaN where no pixel counts.

    Args:
        samples: Of the posterior.
        field: What was measured.
        width: Std of the Gaussian window [arcmin]; > 0, one pixel alone says nothing.
        margin: As for :func:`chi_square` [arcmin].
        linear: As for :func:`residual`.

    Raises:
        ValueError: No samples, or a `width` that is not positive.
    """
    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    if not width > 0:
        raise ValueError(f"`width` must be > 0 [arcmin], got {width}")
    where = field.mask & inner(field.footprint, field.grid, margin)
    maps = [
        chi_square_map(residual(one, field, linear=linear), where, field.grid, width)
        for one in samples.to(field.device)
    ]
    return torch.where(where, sum(maps) / len(maps), torch.nan)


def inner(area: Bool[Tensor, "*A H W"], grid: Grid, margin: float) -> Bool[Tensor, "*A H W"]:
    """Footprint pixels at least `margin` inside its outer edge; holes are no edge.

    Distances are between pixel centres; the border of the grid is an edge.

    Args:
        area: Footprint.
        grid: Pixels.
        margin: Least distance [arcmin].

    Raises:
        ValueError: `margin` is negative.
    """
    if not margin >= 0:
        raise ValueError(f"`margin` must be ≥ 0 [arcmin], got {margin}")
    if margin == 0:
        return area
    filled = [np.pad(binary_fill_holes(a), 1) for a in area.cpu().reshape(-1, *grid.shape).numpy()]
    room = np.stack([distance_transform_edt(a)[1:-1, 1:-1] for a in filled]) * grid.pixel_scale
    return area & torch.from_numpy(room >= margin).to(area.device).reshape(area.shape)
