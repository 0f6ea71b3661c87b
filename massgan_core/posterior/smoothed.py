"""Posterior samples after smoothing, each smoothed once: for thresholds that move.

The std or the probability of a smoothed field must come from smoothed samples; smoothing a map
of the std gives neither.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from massgan_core.posterior.summary import Summary, share_above, smoothed


class SmoothedSamples:
    """The samples that the summaries of a growing stream keep, smoothed.

    Only batches that were not there before are smoothed, those that went are forgotten. Another
    stream, or another field, starts anew.

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

    def take(self, summary: Summary) -> list[Float[Tensor, "_ H W"]]:
        """The batches kept by `summary`, smoothed inside the footprint and 0 elsewhere."""
        # A batch that is held cannot lend its id to another.
        self._known = {
            id(batch): self._known.get(id(batch))
            or (batch, smoothed(batch, summary.field, self.smoothing))
            for batch in summary.batches
        }
        return [smooth for _, smooth in self._known.values()]

    def probability(self, summary: Summary, threshold: float) -> Float[Tensor, "H W"]:
        """Fraction of the samples kept by `summary` whose smoothed κ exceeds `threshold`."""
        return share_above(self.take(summary), threshold, summary.field)
