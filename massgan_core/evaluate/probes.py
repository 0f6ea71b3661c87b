r"""Measurements that only serve to find faults, and a probe for what a sampler must not see.

The functions of maps give one number (or sum) a field, so that a set of fields is measured one
at a time and has a bootstrap (:func:`massgan_core.evaluate.paired_ratio`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from massgan_core.posterior import Sampler
from massgan_core.sky import Grid, ShearField, generator, remove_mean, smooth

_PROBE = 93  # key of the random stream behind a seed


def leak_probe(
    sampler: Sampler,
    field: ShearField,
    *,
    n: int = 2,
    seed: int = 0,
    shear: Complex[Tensor, "Y X"] | None = None,
    hidden: Bool[Tensor, "Y X"] | None = None,
    observe: Callable[[Tensor], ShearField] | None = None,
) -> dict[str, float]:
    """How much samples move when something changes that was not observed; all 0 without a leak.

    The same samples are drawn again of copies of the field whose shear outside the mask, σ
    outside the mask, or truth is another one; and of the field itself (``repeat``: what the
    device's arithmetic does alone). Zero points count, nothing is removed.

    A field masks its own shear, so what leaks *before* there is a field (Kaiser–Squires of
    unmasked shear, a window across the edge of the crop) shows only if that step is probed too:
    give `shear`, `hidden` and `observe`. For a crop of a larger field ``whole``::

        hidden = ~whole.mask
        hidden[outside_the_crop] = True
        leak_probe(sampler, field, shear=whole.gamma, hidden=hidden,
                   observe=lambda gamma: replace(whole, gamma=gamma).crop(*corner, shape))

    Args:
        sampler: Drawn from with one and the same seed each time.
        field: One field, with or without a truth.
        n: Number of samples.
        seed: Of the samples and of the changes.
        shear: Shear before it is masked or cropped; by default the field's own.
        hidden: Where it must not matter; by default outside the mask.
        observe: From `shear` to what the sampler is given; by default `field` with this shear.

    Returns:
        For each change the rms of what it does to the samples, in units of their rms; ``inf``
        where they become NaN.
    """
    shear = field.gamma if shear is None else shear
    hidden = ~field.mask if hidden is None else hidden
    if hidden.shape != shear.shape:
        raise ValueError(
            f"`hidden` must have the shape of the shear {tuple(shear.shape)}, got "
            f"{tuple(hidden.shape)}; give both, and `observe`"
        )
    observe = observe or (lambda gamma: replace(field, gamma=gamma))
    seen, key = observe(shear), generator(seed, _PROBE)

    def other(shape: torch.Size) -> Tensor:
        """Of order one: far more than any κ or γ."""
        return (1 + torch.randn(shape, generator=key)).to(shear.device, shear.real.dtype)

    false = torch.complex(other(shear.shape), other(shear.shape)).to(shear.dtype)
    changed = {"repeat": seen, "the true κ": replace(seen, kappa=other(seen.gamma.shape))}
    if bool(hidden.any()):
        changed["shear that was not observed"] = observe(torch.where(hidden, false, shear))
    if not bool(seen.mask.all()):
        sigma = torch.where(seen.mask, seen.sigma, other(seen.sigma.shape).abs() / 100)
        changed["σ outside the mask"] = replace(seen, sigma=sigma)
    first = sampler.sample(seen, n, seed).double()
    unit = first.square().mean().sqrt().clamp_min(torch.finfo(torch.float64).tiny)
    moved = {}
    for name, copy in changed.items():
        rms = (sampler.sample(copy, n, seed).double() - first).square().mean().sqrt()
        moved[name] = float(torch.nan_to_num(rms / unit, nan=torch.inf))
    return moved


def slope_sums(
    mean: Float[Tensor, "*B H W"],
    var: Float[Tensor, "*B H W"],
    truth: Float[Tensor, "*B H W"],
    area: Bool[Tensor, "*B H W"],
    n: float,
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    r"""Sums of x·x̂ and of x̂² less its sampling noise: their ratio is the slope of truth on MEAN.

    .. math:: \sum x\,\hat x_N \Big/ \sum (\hat x_N^2 - \mathrm{var}/N) = 1
              \qquad \text{where } \hat x_\infty = E[x \mid \gamma]

    because the truth scatters about its posterior mean whatever was observed. A wrong mean
    breaks this even where a spread just as wrong keeps spread/skill and coverage right.

    Args:
        mean: Mean of `n` samples that lost their footprint mean.
        var: Their variance (ddof = 1).
        truth: True κ.
        area: Footprint.
        n: Number of samples; ``inf`` where `mean` is exact.
    """
    estimate, true = (remove_mean(m.double(), area) * area for m in (mean, truth))
    noise = var.double() * area / n
    return (true * estimate).sum((-2, -1)), (estimate**2 - noise).sum((-2, -1))


def std_variation(
    first: Float[Tensor, "*B H W"], second: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> Float[Tensor, "*B"]:
    """Squared relative variation of STD over the footprint, free of sampling noise, of each map.

    The covariance of the STD of two halves of the samples over their means; below 0 by chance
    where STD is constant. Take the mean over maps, then the root of what is positive.

    Args:
        first: STD of one half of the samples.
        second: Of the other.
        area: Footprint.
    """
    count = area.sum((-2, -1))
    means = [(std.double() * area).sum((-2, -1)) / count for std in (first, second)]
    parts = [remove_mean(std.double(), area) * area for std in (first, second)]
    return (parts[0] * parts[1]).sum((-2, -1)) / count / (means[0] * means[1])


def zero_point(
    mean: Float[Tensor, "*B H W"], kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """Squared error of the mean of κ over `area`, and its square, of each map.

    √ of the ratio of their sums over many maps is near 1 where the mean is lost, and 0 where it
    was copied from the truth.

    Args:
        mean: Mean of samples as they were drawn, *with* their zero point.
        kappa: True κ, with its own.
        area: Footprint, or what lies outside it.
    """
    count = area.sum((-2, -1))
    here, there = ((m.double() * area).sum((-2, -1)) / count for m in (mean, kappa))
    return (here - there) ** 2, there**2


def latent_share(
    mean: Float[Tensor, "*B H W"], var: Float[Tensor, "*B H W"], area: Bool[Tensor, "*B H W"]
) -> Float[Tensor, "*B"]:
    """Std from latent to latent over the std of a sample in the footprint, of each map.

    0 where latents are ignored; near 1 where data say little. For ⟨x̂²⟩ = r²⟨x²⟩ it is √(1 − r²).

    Args:
        mean: Mean of samples that lost their footprint mean.
        var: Their variance (ddof = 1).
        area: Footprint.
    """
    spread, power = ((m.double() * area).sum((-2, -1)) for m in (var, mean**2))
    return torch.sqrt(spread / (spread + power))


def closest_pair(samples: Float[Tensor, "N H W"], area: Bool[Tensor, "H W"]) -> Float[Tensor, ""]:
    """Least rms difference of two samples, over that of independent ones (√2 STD).

    0 where a sampler repeats itself. A few (8 … 16) samples are enough; NaN where none differ.
    """
    inside = samples[:, area].double()
    inside = inside - inside.mean(0)
    gram = inside @ inside.T
    square = (gram.diag()[:, None] + gram.diag() - 2 * gram).clamp_min(0)
    pairs = square[torch.triu_indices(len(samples), len(samples), 1).unbind()]
    return torch.sqrt(pairs.min() / pairs.mean())


def local_depth(field: ShearField, width: float = 1.0) -> Float[Tensor, "*B H W"]:
    """How much was observed around a pixel: 1/σ² under a Gaussian of std `width` [arcmin].

    It is 0 outside the mask and beyond the edge of the field: low in holes and along edges.
    :func:`massgan_core.evaluate.levels` makes levels of it by which an exact posterior has
    spread/skill 1, and one that does not know where its map is bad has not.
    """
    margin = int(4 * width / field.grid.pixel_scale + 1)
    height, columns = field.grid.shape
    padded = torch.nn.functional.pad(field.weight**2, (0, margin, 0, margin))
    grid = Grid(tuple(padded.shape[-2:]), field.grid.pixel_scale)
    return smooth(padded, grid, width)[..., :height, :columns].contiguous()
