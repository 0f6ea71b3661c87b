r"""The losses of the regularised conditional GAN; functions of tensors.

Each is a function of sums over the batch. Where several processes share a batch, `total` makes
their sums those of the whole (:meth:`massgan_core.gan.processes.Processes.total`).

Generator: β_adv·(−E D(x̂)) + ‖mean_N x̂ − x‖₁ − β_SD·L_SD. Critic: E D(x̂) − E D(x) + 10·GP +
10⁻³·E D(x)². In place of L1 and reward, or beside them: a fair CRPS of many scales and an
unbiased squared error of the posterior mean. Variance stage: the Gaussian score.

References:
    Bendel, Ahmad & Schniter (2023), https://arxiv.org/abs/2210.13389
    Gulrajani et al. (2017), https://arxiv.org/abs/1704.00028 (gradient penalty)
    Gneiting & Raftery (2007), https://doi.org/10.1198/016214506000001437 (CRPS)
    Ferro (2014), https://doi.org/10.1002/qj.2270 (fair CRPS)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import pi, sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import forward_ad

from massgan_core.gan.pyramid import pyramid

Total = Callable[[Tensor], Tensor]

_NO_SPREAD = 1e-6  # ratio of variances that counts as none
_NO_SLOPE = 1e-12  # length of a gradient that has no direction


def alone(sums: Tensor) -> Tensor:
    """The sums of a batch that nobody shares: as they are."""
    return sums


def area_mean(
    values: Float[Tensor, "B H W"], area: Bool[Tensor, "B H W"], total: Total = alone
) -> Float[Tensor, ""]:
    """Mean over the pixels of `area`."""
    return _ratio((values * area).sum(), area.sum(), total)


def batch_mean(values: Float[Tensor, " B"], total: Total = alone) -> Float[Tensor, ""]:
    """Mean over the maps of a batch."""
    return _ratio(values.sum(), values.new_full((), len(values)), total)


def _ratio(above: Float[Tensor, ""], below: Tensor, total: Total) -> Float[Tensor, ""]:
    above, below = total(torch.stack([above, below.to(above.dtype)]))
    return above / below


def mean_l1(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    total: Total = alone,
) -> Float[Tensor, ""]:
    """Mean absolute error of the N-sample mean inside `area`."""
    return area_mean((samples.mean(1) - truth).abs(), area, total)


def deviation_reward(
    samples: Float[Tensor, "B N H W"], area: Bool[Tensor, "B H W"], total: Total = alone
) -> Float[Tensor, ""]:
    """L_SD = √(π/(2N(N−1))) Σ_i ‖x̂_i − x̂_(N)‖₁: an unbiased std of Gaussian samples."""
    n = samples.shape[1]
    spread = (samples - samples.mean(1, keepdim=True)).abs().sum(1)
    return sqrt(pi / (2 * n * (n - 1))) * area_mean(spread, area, total)


def mean_square(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    total: Total = alone,
) -> Float[Tensor, ""]:
    """Squared error of the posterior mean, without the samples' own variance.

    The mean over pairs i ≠ j of (x̂_i − x)(x̂_j − x): unbiased for any N ≥ 2, so it asks
    nothing of the spread.
    """
    n = samples.shape[1]
    error = samples - truth[:, None]
    pairs = (error.sum(1) ** 2 - (error**2).sum(1)) / (n * (n - 1))
    return area_mean(pairs, area, total)


def variance_score(
    variance: Float[Tensor, "B H W"],
    square: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    total: Total = alone,
) -> Float[Tensor, ""]:
    r"""Gaussian score (QLIKE) of a variance inside `area`: the mean of log v + e²/v.

    Its expectation is least at v = E[e²|γ] whatever the law of e, as is that of the squared
    error (v − e²)² of the original moment networks; both are consistent (Patton 2011). But
    that one grows as e⁴, so that few bright pixels decide, while here a pixel counts by its
    *relative* error in v. Trained with either on the same skies the squared errors do not
    differ, but spread/skill in the decile of least variance is 0.98–1.00 with this one and
    0.91–0.98 with the other.

    Args:
        variance: v > 0.
        square: e², of a mean that is frozen.
        area: Footprint.
        total: Of the processes that share the batch.

    References:
        Patton (2011), https://doi.org/10.1016/j.jeconom.2010.03.034
        Jeffrey & Wandelt (2020), https://arxiv.org/abs/2011.05991
    """
    return area_mean(variance.log() + square / variance, area, total)


def fair_crps(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    bands: int = 5,
    offset: tuple[int, int] = (0, 0),
    total: Total = alone,
) -> Float[Tensor, ""]:
    """Fair CRPS of a Laplacian pyramid's bands, and of what each level still holds.

    The CRPS is mean|x_i − y| − Σ_{i<j}|x_i − x_j|/(N(N−1)), whose expectation is least for the
    true posterior of each coefficient (Gneiting & Raftery 2007): band-passed maps give the
    samples the right power at every scale, smoothed maps the right spread after smoothing;
    pixels alone would leave large scales free. Coarse levels weigh more (2^⅓ a level), about
    as much as κ's std falls there.

    Args:
        samples: N ≥ 2 maps a field.
        truth: True κ.
        area: Footprint; smoothing ignores what lies outside.
        bands: Levels, each of half the resolution; 1 looks at pixels alone.
        offset: Pixel (y, x) where the coarse grids begin. Training must vary it: a loss that
            always sees the same grid leaves its lattice in the samples.
        total: Of the processes that share the batch.
    """
    sums, weights = [], []
    for level, maps, weight in pyramid(samples, truth, area, bands, offset):
        sums.append(torch.stack([(_crps(maps) * weight[:, 0]).sum(), weight.sum()]))
        weights.append(2 ** (level / 3))
    above, below = total(torch.stack(sums)).unbind(1)
    return sum(w * a / b for w, a, b in zip(weights, above, below, strict=True))


def spread_gap(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    bands: int = 5,
    offset: tuple[int, int] = (0, 0),
    total: Total = alone,
) -> Float[Tensor, ""]:
    """How far the spread of every band and level is from its error: mean of (log ratio)².

    Truth and samples of a posterior are exchangeable, so ⟨(x_i − x_j)²⟩ must be ⟨(x_i − y)²⟩;
    both are means over the batch, and only the first has a gradient. The CRPS alone is least
    for samples of too small a variance as long as they lack κ's tails: it looks at the bulk.

    Args:
        samples, truth, area, bands, offset, total: As in :func:`fair_crps`.
    """
    sums, n = [], samples.shape[1]
    for _, maps, weight in pyramid(samples, truth, area, bands, offset):
        drawn, true = maps[:, :-1], maps[:, -1:]
        error = ((drawn - true) ** 2 * weight).detach().sum() / n
        sums.append(torch.stack([(drawn.var(1, keepdim=True) * weight).sum(), error]))
    return _gap(total(torch.stack(sums)))


def _gap(sums: Float[Tensor, "K 2"]) -> Float[Tensor, ""]:
    """Mean of (log ratio)² of twice the first and the second sums."""
    # Of samples that do not differ at all the log must stay finite.
    return (torch.log(2 * sums[:, 0] / sums[:, 1] + _NO_SPREAD) ** 2).mean()


def bands_within(bands: int, shape: tuple[int, int]) -> int:
    """`bands`, or as many as leave a few pixels on the coarsest level of such maps."""
    return max(1, min(bands, min(shape).bit_length() - 2))


def peak_gap(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    guide: Float[Tensor, "B H W"],
    shares: tuple[float, ...] = (0.01, 0.05, 0.2),
    total: Total = alone,
) -> Float[Tensor, ""]:
    """How far the spread of pixels is from their error where a map of the data is high.

    The gap of :func:`spread_gap`, pixel by pixel, in the highest 1 % of `guide`, from there to
    5 % and to 20 %: what is chosen by the data alone is no reason for a posterior to be wrong
    there, while choosing by the samples would be. Over all pixels the few peaks, whose error is
    largest, drown.

    Args:
        samples, truth, area: As in :func:`fair_crps`.
        guide: Map of the data, e.g. their Wiener filter.
        shares: Of each footprint, increasing.
        total: Of the processes that share the batch.
    """
    error = ((samples - truth[:, None]) ** 2).detach().mean(1)
    spread, before, sums = samples.var(1), torch.zeros_like(area), []
    rank = torch.where(area, guide, -torch.inf).flatten(1)
    order = rank.sort(dim=1, descending=True).values
    for share in shares:
        last = (share * area.flatten(1).sum(1)).long().clamp_min(1) - 1
        inside = area & (guide >= order.gather(1, last[:, None])[..., None])
        where = inside & ~before
        sums.append(torch.stack([(spread * where).sum(), (error * where).sum()]))
        before = inside
    return _gap(total(torch.stack(sums)))


def third_moment_gap(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    bands: int = 3,
    offset: tuple[int, int] = (0, 0),
    total: Total = alone,
) -> Float[Tensor, ""]:
    """Squared difference of the third moments of samples and truth, in units of the truth's std³.

    Over pixels, and over the coarser levels of the pyramid. Truth and samples of a posterior are
    exchangeable: whatever the field, both moments have one expectation.

    Args:
        samples, truth, area, offset, total: As in :func:`fair_crps`.
        bands: Levels.
    """
    sums, seen = [], -1
    for level, maps, weight in pyramid(samples, truth, area, bands, offset):
        if level == seen:
            continue  # a band, whose skewness says less
        seen = level
        drawn, true = maps[:, :-1], maps[:, -1:]
        moments = ((true**k * weight).sum() for k in (2, 3))
        third = (drawn**3 * weight).sum() / drawn.shape[1]
        sums.append(torch.stack([third, *moments, weight.sum()]))
    third, square, true, weight = total(torch.stack(sums)).unbind(1)
    return (((third - true) / weight / (square / weight) ** 1.5) ** 2).mean()


def _crps(maps: Float[Tensor, "B M H W"]) -> Float[Tensor, "B H W"]:
    """Fair CRPS of the first M − 1 maps against the last."""
    *samples, truth = maps.unbind(1)
    n = len(samples)
    skill = sum((x - truth).abs() for x in samples) / n
    pairs = sum((samples[i] - samples[j]).abs() for i in range(n) for j in range(i))
    return skill - pairs / (n * (n - 1))


def critic_loss(
    real: Float[Tensor, " B"], fake: Float[Tensor, " B"], drift: float, total: Total = alone
) -> Float[Tensor, ""]:
    """Wasserstein estimate with a drift term that keeps the scores near zero."""
    return batch_mean(fake - real + drift * real**2, total)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "B 1 H W"],
    fake: Float[Tensor, "B 1 H W"],
    mix: Float[Tensor, "B 1 1 1"],
    *,
    pieces: bool = False,
    total: Total = alone,
) -> Float[Tensor, ""]:
    """E(‖∇D‖₂ − 1)² on straight lines between real and generated maps.

    Args:
        critic: D, of each map alone.
        real, fake: Maps.
        mix: Places between them, 0…1.
        pieces: Whether D is made of linear pieces; on a GPU there is a faster way for such.
        total: Of the processes that share the batch.
    """
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_(True)
    fast = pieces and real.device.type != "cpu"
    return batch_mean((_penalty_along if fast else _penalty_twice)(critic, between), total)


def _penalty_twice(critic: Callable[[Tensor], Tensor], between: Tensor) -> Float[Tensor, " B"]:
    """The penalty of each map by differentiating ∇D a second time."""
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1) ** 2


def _penalty_along(critic: Callable[[Tensor], Tensor], between: Tensor) -> Float[Tensor, " B"]:
    """The same by a forward derivative of D along v = 2(‖∇D‖₂ − 1) ∇D/‖∇D‖₂, held fixed.

    D must be made of linear pieces: normalisation layers forget that their derivative depends
    on their input.

    Its derivatives by the weights are those of the penalty. Second derivatives of convolutions
    are convolutions with kernels as large as the maps, for which cuDNN has slow algorithms
    alone: 20 of the 57 ms of a step of 16 fields on an H200.
    """
    (slope,) = torch.autograd.grad(critic(between).sum(), between)
    length = slope.flatten(1).norm(dim=1)
    pull = 2 * (length - 1) / length.clamp_min(_NO_SLOPE)
    with warnings.catch_warnings():
        # Torch compiles its forward derivatives on first use, by a function that it deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        with forward_ad.dual_level():
            along = forward_ad.make_dual(between.detach(), pull[:, None, None, None] * slope)
            change = forward_ad.unpack_dual(critic(along)).tangent
    return (length - 1) ** 2 + change - change.detach()
