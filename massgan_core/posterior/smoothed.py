r"""Posterior samples after smoothing, each smoothed once: for thresholds and windows that move.

The std or the probability of a smoothed field must come from smoothed samples; smoothing a map
of the std gives neither. The mean may be smoothed itself, for with a window :math:`G`

.. math:: \langle G * \kappa \rangle = G * \langle \kappa \rangle, \qquad
          \mathrm{Var}(G * \kappa) \ne G * \mathrm{Var}(\kappa)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.posterior.running import RunningMoments
from massgan_core.posterior.summary import Summary, share_above, smoother
from massgan_core.sky import ShearField

BLOCK = 32  #: samples whose moments are kept together


@dataclass(frozen=True, eq=False)
class Spread:
    """How far smoothed samples lie apart.

    Args:
        n: Number of samples it is of.
        std: Their standard deviation (ddof = 1), float32; NaN for fewer than two.
        snr: Mean of all samples seen over `std`: not a detection significance.
    """

    n: int
    std: Float[Tensor, "H W"]
    snr: Float[Tensor, "H W"]


class SmoothedSamples:
    """The samples that the summaries of a growing stream keep, smoothed.

    Only batches that were not there before are smoothed, those that went are forgotten. Another
    stream, or another field, starts anew. Maps are NaN outside the footprint, and those of the
    summary itself for 0′.

    Args:
        smoothing: Std of the Gaussian [arcmin]; 0 leaves samples as they are.

    Raises:
        ValueError: `smoothing` is negative.
    """

    def __init__(self, smoothing: float) -> None:
        if smoothing < 0:
            raise ValueError(f"`smoothing` must be ≥ 0 [arcmin], got {smoothing}")
        self.smoothing = smoothing
        self._known: dict[int, tuple[Tensor, Tensor]] = {}  # a batch and its smoothed self
        self._blocks: dict[int, tuple[tuple[Tensor, ...], RunningMoments]] = {}
        self._made: tuple[ShearField, Callable[[Tensor], Tensor]] | None = None

    def take(self, summary: Summary) -> list[Float[Tensor, "_ H W"]]:
        """The batches kept by `summary`, smoothed inside the footprint and 0 elsewhere."""
        smooth = self._smoother(summary.field)
        # A batch that is held cannot lend its id to another.
        self._known = {
            id(batch): self._known.get(id(batch)) or (batch, smooth(batch))
            for batch in summary.batches
        }
        return [smooth for _, smooth in self._known.values()]

    def probability(self, summary: Summary, threshold: float) -> Float[Tensor, "H W"]:
        """Fraction of the samples kept by `summary` whose smoothed κ exceeds `threshold`."""
        return share_above(self.take(summary), threshold, summary.field)

    def sample(self, summary: Summary, index: int) -> Float[Tensor, "H W"]:
        """Number `index` of the samples that `summary` keeps; see :meth:`Summary.sample`."""
        return self._map(summary.sample(index), summary.field)

    def mean(self, summary: Summary) -> Float[Tensor, "H W"]:
        """Posterior mean over all samples seen, kept or not: smoothing is linear."""
        return self._map(summary.mean, summary.field)

    def residual(self, summary: Summary) -> Float[Tensor, "H W"] | None:
        """:meth:`mean` less the smoothed truth; `None` where it is unknown."""
        residual = summary.residual
        return None if residual is None else self._map(residual, summary.field)

    def std(self, summary: Summary) -> Float[Tensor, "H W"]:
        """Posterior standard deviation (ddof = 1) of the samples kept; NaN for fewer than two."""
        return self._full(summary).std

    def snr(self, summary: Summary) -> Float[Tensor, "H W"]:
        """:meth:`mean` over :meth:`std`: not a detection significance."""
        return self._full(summary).snr

    def steps(self, summary: Summary) -> Iterator[int]:
        """Smooth the samples kept, the newest first, some at every step.

        Yields how many of them :meth:`spread` knows by now. Whoever stops on the way loses
        nothing: the rest is done when asked for again.
        """
        if self.smoothing == 0:
            yield summary.n  # it has seen them all
            return
        blocks = _blocks(summary)
        smooth = self._smoother(summary.field)
        self._blocks = {k: v for k, v in self._blocks.items() if _begins(blocks.get(k, ()), v[0])}
        for number in reversed(blocks):
            known, moments = self._blocks.get(number, ((), RunningMoments()))
            for batch in blocks[number][len(known) :]:
                moments = moments.update(smooth(batch))
            self._blocks[number] = blocks[number], moments
            yield sum(moments.n for _, moments in self._blocks.values())

    def spread(self, summary: Summary) -> Spread:
        """Std and S/N of those samples that :meth:`steps` has been through.

        Every number is the same whichever steps were taken in which order, once all were.
        """
        moments = self._moments(summary)
        std = self._inside(moments.std.float(), summary.field)
        return Spread(moments.n, std, self.mean(summary) / std)

    def _full(self, summary: Summary) -> Spread:
        for _ in self.steps(summary):
            pass
        return self.spread(summary)

    def _moments(self, summary: Summary) -> RunningMoments:
        if self.smoothing == 0:
            return summary.moments
        total = RunningMoments()
        for number, batches in _blocks(summary).items():
            known, moments = self._blocks.get(number, ((), RunningMoments()))
            if _begins(batches, known):
                total = total.merge(moments)
        return total

    def _map(self, image: Tensor, field: ShearField) -> Tensor:
        return self._inside(self._smoother(field)(image.float().cpu()), field)

    def _inside(self, image: Tensor, field: ShearField) -> Tensor:
        return image if self.smoothing == 0 else image.where(field.footprint.cpu(), torch.nan)

    def _smoother(self, field: ShearField) -> Callable[[Tensor], Tensor]:
        if self._made is None or self._made[0] is not field:
            self._made = field, smoother(field, self.smoothing)
        return self._made[1]


def _blocks(summary: Summary) -> dict[int, tuple[Tensor, ...]]:
    """The batches kept, by the numbers of their samples: the same ones however many there are."""
    blocks, number = {}, summary.first
    for batch in summary.batches:
        key = number // BLOCK
        blocks[key] = (*blocks.get(key, ()), batch)
        number += len(batch)
    return blocks


def _begins(batches: tuple[Tensor, ...], known: tuple[Tensor, ...]) -> bool:
    """Whether `known` are the first of `batches`."""
    # A batch that is held cannot lend its identity to another.
    return len(known) <= len(batches) and all(map(_same, known, batches))


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other
