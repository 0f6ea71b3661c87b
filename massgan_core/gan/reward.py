r"""The weight β_SD of the standard-deviation reward, tuned by what averaging gains.

The mean of P independent posterior samples has an error 10·log₁₀(2P/(P + 1)) dB below that of
one sample. Less gain means too little spread: raise β; more means too much: lower it.

References:
    Bendel, Ahmad & Schniter (2023), eq. 15–18, https://arxiv.org/abs/2210.13389
"""

from __future__ import annotations

from math import log10, pi, sqrt


def starting_weight(n: int) -> float:
    """β_SD = √(2/(πN(N + 1))), exact for Gaussian posteriors; 0.326 at N = 2."""
    return sqrt(2 / (pi * n * (n + 1)))


def ideal_gain(p: int) -> float:
    """PSNR of a P-sample mean less that of one sample, for true posterior samples [dB]."""
    return 10 * log10(2 * p / (p + 1))


def measured_gain(error_one: float, error_mean: float) -> float:
    """The same, measured from two mean squared errors [dB]."""
    return 10 * log10(error_one / error_mean)


def largest_weight(n: int) -> float:
    """Where the loss loses its minimum: the error of an N-sample mean grows by √(2/(πN)) for
    each unit of spread, so a larger reward would pay for spread without end."""
    return sqrt(2 / (pi * n))


def tuned(weight: float, gain: float, p: int, step: float, n: int = 2) -> float:
    """β_SD after one validation: β + step·(ideal − measured gain), within safe bounds."""
    return min(max(weight + step * (ideal_gain(p) - gain), 0.0), 0.9 * largest_weight(n))
