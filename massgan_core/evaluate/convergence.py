r"""How the mean of ever more samples gets better, and how it should.

The mean of N samples of variance v, of a posterior whose own mean is wrong by e² on average, is
wrong by e² + v/N. Averaging therefore gains

.. math:: \mathrm{gain}(N) = 10 \log_{10} \frac{\mathrm{MSE}_1}{\mathrm{MSE}_N}
          = 10 \log_{10} \frac{1 + s^2}{1 + s^2/N}\;\mathrm{dB}, \qquad s^2 = v/e^2,

and exact samples, s = 1, gain 10·log₁₀(2N/(N + 1)): 2.5 dB at N = 8, 3.0 dB at most. Here s is
the spread/skill of infinitely many samples; :func:`limit_of_spread` gets it from that of N.

MSE, RMSE and PSNR (MAX = 1) are means over the footprint and over maps before any root or
logarithm, so that the law holds; Pearson r and handed-in scores are means over maps.

References:
    Bendel, Ahmad & Schniter (2023), https://arxiv.org/abs/2210.13389
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, log10, sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.evaluate.bootstrap import paired_ratio
from massgan_core.evaluate.metrics import mean_square, pearson, psnr
from massgan_core.posterior import Sampler
from massgan_core.sky import Draws, ShearField, remove_mean

#: A score of a map: (estimate, truth, footprint) → number, e.g. an SSIM.
Score = Callable[[Tensor, Tensor, Tensor], Float[Tensor, ""]]


def gain_law(n: int, spread_skill: float = 1.0) -> float:
    """Gain [dB] in PSNR of the mean of `n` samples over one sample.

    Args:
        n: Number of samples.
        spread_skill: s of infinitely many samples; 1 for exact ones.
    """
    s2 = spread_skill**2
    return 10 * log10(n if s2 == inf else (1 + s2) / (1 + s2 / n))


def limit_of_spread(spread_skill: float, n: int) -> float:
    r"""Spread/skill of infinitely many samples from that measured with `n`.

    .. math:: s_N^2 = (1 + 1/N)\,\frac{s^2}{1 + s^2/N}

    1 stays 1. Beyond √(N + 1), where the mean's error would be less than sampling noise alone
    makes it, the limit is infinite.
    """
    left = 1 + (1 - spread_skill**2) / n
    return spread_skill / sqrt(left) if left > 0 else inf


def drawn(
    sampler: Sampler, field: ShearField, n: int, batch: int = 8, *, seed: int = 0
) -> Iterator[Float[Tensor, "B H W"]]:
    """The samples of :func:`massgan_core.posterior.stream`, batch by batch and not kept.

    They stay on the sampler's device and have lost their footprint mean.
    """
    draws = Draws.of(seed)
    for done in range(0, n, batch):
        kappa = sampler.sample(field, batch, draws)[: n - done].detach().float()
        yield remove_mean(kappa, field.footprint.to(kappa.device))


@dataclass(frozen=True, eq=False)
class RunningConvergence:
    """Scores of the mean of the first 1, 2, 4 … samples of one field; the last N too.

    Immutable: `update` returns new scores. Only the sum of the samples is kept.

    Args:
        truth: True κ.
        area: Footprint.
        scores: Further scores by name, e.g. ``{"ssim": ssim}``.
        n: Number of samples seen.
        total: Their sum, float64.
        reached: Scores at each power of two so far: (N, {name: score}).
    """

    truth: Float[Tensor, "H W"]
    area: Bool[Tensor, "H W"]
    scores: Mapping[str, Score] = field(default_factory=dict)
    n: int = 0
    total: Tensor | float = 0.0
    reached: tuple[tuple[int, dict[str, Tensor]], ...] = ()

    def update(self, samples: Float[Tensor, "N H W"]) -> RunningConvergence:
        """Scores after a batch of samples."""
        n, total, reached = self.n, self.total, self.reached
        while len(samples):
            power = 1 << n.bit_length()  # the next power of two: 1, 2, 4 …
            part, samples = samples[: power - n], samples[power - n :]
            n, total = n + len(part), total + part.double().sum(0)
            if n == power:
                reached = (*reached, (n, self._scores(total / n)))
        return replace(self, n=n, total=total, reached=reached)

    def table(self) -> tuple[list[int], dict[str, Float[Tensor, " K"]]]:
        """Numbers of samples, and each score of their mean: ``mean_square``, ``r`` …"""
        if not self.n:
            raise ValueError("no sample was seen yet: call `update` with one or more")
        points = self.reached
        if points[-1][0] != self.n:
            points = (*points, (self.n, self._scores(self.total / self.n)))
        rows = [scores for _, scores in points]
        table = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        return [n for n, _ in points], table

    def _scores(self, mean: Float[Tensor, "H W"]) -> dict[str, Tensor]:
        both = {"mean_square": mean_square, "r": pearson, **self.scores}
        return {name: score(mean, self.truth, self.area) for name, score in both.items()}


@dataclass(frozen=True)
class Convergence:
    """Scores over all fields against the number of samples in the mean.

    Args:
        n: Numbers of samples: 1, 2, 4 …
        rmse: Root of the mean squared error.
        psnr: Of it, with MAX = 1 [dB].
        gain: In PSNR over one sample [dB].
        gain_error: Its std error over boxes [dB].
        ideal: Gain of exact samples [dB].
        law: Gain of samples with the measured spread/skill [dB].
        scores: Means over fields of Pearson r and of handed-in scores.
    """

    n: list[int]
    rmse: list[float]
    psnr: list[float]
    gain: list[float]
    gain_error: list[float]
    ideal: list[float]
    law: list[float]
    scores: dict[str, list[float]]


def convergence(
    n: Sequence[int],
    tables: Sequence[Mapping[str, Float[Tensor, " K"]]],
    boxes: Sequence[int],
    spread_skill: float,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Convergence:
    """All fields together.

    Args:
        n: Numbers of samples, from :meth:`RunningConvergence.table`.
        tables: Scores of each field, from there too.
        boxes: Box of each field.
        spread_skill: Of all samples, `n[-1]` of them, per pixel over all fields.
        draws: Bootstrap sets.
        seed: Of the bootstrap.
    """
    stacked = {name: torch.stack([t[name] for t in tables]).double() for name in tables[0]}
    square = stacked.pop("mean_square")
    one = square[:, :1].expand_as(square)
    ratio, error = paired_ratio(one, square, boxes, draws=draws, seed=seed)
    errors = square.mean(0).sqrt().tolist()
    limit = limit_of_spread(spread_skill, n[-1])
    return Convergence(
        n=list(n),
        rmse=errors,
        psnr=[psnr(e) if e > 0 else inf for e in errors],
        gain=(10 * torch.log10(ratio)).tolist(),
        gain_error=(10 / torch.tensor(10.0).log() * error / ratio).tolist(),
        ideal=[gain_law(k) for k in n],
        law=[gain_law(k, limit) for k in n],
        scores={name: values.mean(0).tolist() for name, values in stacked.items()},
    )
