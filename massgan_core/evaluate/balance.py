r"""Weights that give a finite set of skies the mean properties of all the skies it stands for.

How often an interval holds the truth depends on the sky: more often where κ varies less. Some
tens of boxes with random cosmologies have a mean σ8 and Ωm a little off those of the range that
they were drawn from, and with them a coverage off that of the range. Among all weights with the
right means, those nearest to equal ones (in entropy) are

.. math:: w_k \propto b_k \exp(\lambda \cdot x_k), \qquad \sum_k w_k x_k = \bar x \sum_k w_k .

References:
    Hainmueller (2012), https://doi.org/10.1093/pan/mpr025 (entropy balancing)
    Deville & Särndal (1992), https://doi.org/10.1080/01621459.1992.10475217 (calibration)
    Tibshirani, Barber, Candès & Ramdas (2019), https://arxiv.org/abs/1904.06019 (conformal
    intervals from weighted scores)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import softmax

LEAST = 0.5  #: effective number of skies over their number


def balanced(
    properties: Float[ndarray, "K C"],
    means: Float[ndarray, " C"],
    times: Float[ndarray, " K"] | None = None,
    *,
    least: float = LEAST,
) -> Float[ndarray, " K"]:
    """Weights of skies, of mean 1 (counting each `times`), with the wanted mean properties.

    Args:
        properties: C numbers of each of K skies; with C = 0 nothing is asked of the weights.
        means: What their weighted means must be.
        times: How often each sky is there, as in a bootstrap.
        least: Effective number of skies (Σw)²/Σw², over K, below which no weights are given.

    Raises:
        ValueError: The skies are too few or too one-sided for that.
    """
    times = np.ones(len(properties)) if times is None else np.asarray(times, float)
    there = times > 0
    offset = np.asarray(properties, float)[there] - means
    spread = offset.std(0)
    offset = offset[:, spread > 0] / spread[spread > 0]
    log = np.log(times[there])

    def dual(pull: ndarray) -> tuple[float, ndarray]:
        power = log + offset @ pull
        top = power.max()
        total = np.exp(power - top)
        return top + np.log(total.sum()), offset.T @ total / total.sum()

    pull = np.zeros(offset.shape[1])
    if len(pull):
        # Where there are no such weights the least is at infinity.
        with np.errstate(over="ignore", invalid="ignore"):
            pull = minimize(dual, pull, jac=True, method="BFGS").x
    share = softmax(log + offset @ pull)
    effective = 1 / (share**2 / times[there]).sum()
    met = np.abs(share @ offset).max(initial=0.0) <= 1e-3  # not of NaN
    if not met or effective < least * times.sum():
        raise ValueError(
            f"no weights near equal ones give {there.sum()} skies the wanted means "
            f"{np.round(means, 3).tolist()}: more skies are needed"
        )
    weights = np.zeros(len(times))
    weights[there] = share * times.sum() / times[there]
    return weights
