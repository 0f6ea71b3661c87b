r"""Mergeable running mean and variance, in float64.

.. math:: \bar x_{ab} = \bar x_a + \delta\,\frac{n_b}{n_a + n_b}, \qquad
          M_{ab} = M_a + M_b + \delta^2\,\frac{n_a n_b}{n_a + n_b}, \qquad
          \delta = \bar x_b - \bar x_a

References:
    Chan, Golub & LeVeque (1983), The American Statistician 37, 242
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class RunningMoments:
    """Number, mean and sum of squared deviations of the samples seen so far.

    Immutable: `update` and `merge` return new moments, so a snapshot stays what it was.

    Args:
        n: Number of samples.
        mean: Their mean, in the shape of one sample.
        squares: Sum of their squared deviations from it, likewise in shape.
    """

    n: int = 0
    mean: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def update(self, samples: Float[Tensor, "N *S"]) -> RunningMoments:
        """Moments after seeing a batch of samples."""
        if len(samples) == 0:
            return self
        batch = samples.double()
        mean = batch.mean(0)
        return self.merge(RunningMoments(len(batch), mean, ((batch - mean) ** 2).sum(0)))

    def merge(self, other: RunningMoments) -> RunningMoments:
        """Moments of two disjoint sets of samples together."""
        if self.n == 0 or other.n == 0:
            return other if self.n == 0 else self
        n = self.n + other.n
        delta = other.mean - self.mean
        return RunningMoments(
            n,
            self.mean + delta * (other.n / n),
            self.squares + other.squares + delta**2 * (self.n * other.n / n),
        )

    @property
    def var(self) -> Tensor:
        """Unbiased variance (ddof = 1), in the shape of a sample; NaN for fewer than two."""
        if self.n < 2:
            return torch.full_like(torch.as_tensor(self.squares), torch.nan)
        return self.squares / (self.n - 1)

    @property
    def std(self) -> Tensor:
        """Square root of :attr:`var`, in its shape."""
        return torch.sqrt(self.var)
