r"""How the mean settles where no truth is known: what the second half of the samples changed.

For samples of variance v that are independent of each other, the mean of n and that of the
first n/2 of them differ by

.. math:: \mathrm{rms}\,(\bar x_n - \bar x_{n/2}) = \sqrt{v\,(2/n - 1/n)} = \sqrt{v/n}

over the footprint: 1/√n, whatever the posterior. Samples that repeat themselves, or remember
the one before, leave the law. Whether the mean settles at the right place it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.posterior import RunningMoments


@dataclass(frozen=True, eq=False)
class Settling:
    """The change of the mean when the number of samples doubles.

    Args:
        n: Numbers of samples 2, 4, 8 …, and the largest even one.
        change: Rms over the footprint of the mean of n less that of the first n/2.
        law: √(v/n) of independent samples, with the variance v of all of them.
    """

    n: list[int]
    change: list[float]
    law: list[float]


def settling(batches: Iterable[Float[Tensor, "_ H W"]], area: Bool[Tensor, "H W"]) -> Settling:
    """Follow the mean of samples that come in batches.

    Args:
        batches: Samples, in order, that lost their footprint mean.
        area: Footprint.

    Raises:
        ValueError: There are less than two samples.
    """
    batches = list(batches)
    total = sum(map(len, batches))
    if total < 2:
        raise ValueError(f"`batches` must hold at least 2 samples, got {total}")
    points = sorted({2**k for k in range(1, total.bit_length())} | {total - total % 2})
    wanted = {m for n in points for m in (n, n // 2)}
    moments, means = RunningMoments(), {}
    for sample in (one for batch in batches for one in batch):
        moments = moments.update(sample[None])
        if moments.n in wanted:
            means[moments.n] = moments.mean
    spread = moments.var[area].mean()
    return Settling(
        points,
        [float((means[n] - means[n // 2])[area].square().mean().sqrt()) for n in points],
        [float(torch.sqrt(spread / n)) for n in points],
    )
