r"""The losses of the regularised conditional GAN; functions of tensors.

Generator: β_adv·(−E D(x̂)) + ‖mean_N x̂ − x‖₁ − β_SD·L_SD. Critic: E D(x̂) − E D(x) + 10·GP +
10⁻³·E D(x)².

References:
    Bendel, Ahmad & Schniter (2023), https://arxiv.org/abs/2210.13389
    Gulrajani et al. (2017), https://arxiv.org/abs/1704.00028
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def mean_l1(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
) -> Float[Tensor, ""]:
    """Mean absolute error of the N-sample mean inside `area`."""
    error = (samples.mean(1) - truth).abs()
    return (error * area).sum() / area.sum()


def deviation_reward(
    samples: Float[Tensor, "B N H W"], area: Bool[Tensor, "B H W"]
) -> Float[Tensor, ""]:
    """L_SD = √(π/(2N(N−1))) Σ_i ‖x̂_i − x̂_(N)‖₁: an unbiased std of Gaussian samples."""
    n = samples.shape[1]
    spread = (samples - samples.mean(1, keepdim=True)).abs().sum(1)
    return sqrt(pi / (2 * n * (n - 1))) * (spread * area).sum() / area.sum()


def fair_crps(
    samples: Float[Tensor, "B N H W"],
    truth: Float[Tensor, "B H W"],
    area: Bool[Tensor, "B H W"],
    blocks: tuple[int, ...] = (1, 2, 4, 8, 16),
    offset: tuple[int, int] = (0, 0),
) -> Float[Tensor, ""]:
    """mean|x_i − y| − Σ_{i<j}|x_i − x_j|/(N(N−1)) over pixels and block averages inside `area`.

    Its minimum in expectation is the true marginal posterior at each scale (Gneiting &
    Raftery 2007); pixels alone would leave large scales free. Blocks count as far as they
    lie inside `area`. They begin at pixel `offset` (y, x): training must vary it, because a
    loss that always sees the same blocks leaves their lattice in the samples.
    """
    rows, columns = (slice(start, None) for start in offset)
    samples, truth = samples[..., rows, columns], truth[..., rows, columns]
    area = area[..., rows, columns]
    n = samples.shape[1]
    weight = area.to(samples.dtype)[:, None]
    total = samples.new_zeros(())
    for block in blocks:
        share = _pool(weight, block)
        x = _pool(samples * weight, block) / share.clamp_min(1e-6)
        y = _pool(truth[:, None] * weight, block) / share.clamp_min(1e-6)
        skill = (x - y).abs().mean(1, keepdim=True)
        pairs = sum(
            ((x[:, i] - x[:, j]).abs() for i in range(n) for j in range(i)),
            start=torch.zeros_like(x[:, 0]),
        )
        score = skill - pairs[:, None] / (n * (n - 1))
        total = total + (score * share).sum() / share.sum()
    return total


def _pool(image: Tensor, block: int) -> Tensor:
    return torch.nn.functional.avg_pool2d(image, block) if block > 1 else image


def critic_loss(
    real: Float[Tensor, " B"], fake: Float[Tensor, " M"], drift: float
) -> Float[Tensor, ""]:
    """Wasserstein estimate with a drift term that keeps the scores near zero."""
    return fake.mean() - real.mean() + drift * (real**2).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "B 1 H W"],
    fake: Float[Tensor, "B 1 H W"],
    mix: Float[Tensor, "B 1 1 1"],
) -> Float[Tensor, ""]:
    """E(‖∇D‖₂ − 1)² on straight lines between real and generated maps."""
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
