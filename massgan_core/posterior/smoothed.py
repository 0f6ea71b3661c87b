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

    Only batches that were not there before are smoothed. Another stream, or another field,
    starts anew.

    Args:
        smoothing: Std of the Gaussian [arcmin]; 0 leaves samples as they are.
    """

    def __init__(self, smoothing: float) -> None:
        if smoothing < 0:
            raise ValueError(f"`smoothing` must be ≥ 0 [arcmin], got {smoothing}")
        self.smoothing = smoothing
        self._raw: tuple[Tensor, ...] = ()
        self._smooth: list[Tensor] = []

    def take(self, summary: Summary) -> list[Float[Tensor, "N H W"]]:
        """The batches kept by `summary`, smoothed inside the footprint and 0 elsewhere."""
        known = summary.batches[: len(self._raw)]
        if len(known) < len(self._raw) or any(
            a is not b for a, b in zip(known, self._raw, strict=True)
        ):
            self._raw, self._smooth = (), []
        new = summary.batches[len(self._raw) :]
        self._smooth += [smoothed(batch, summary.field, self.smoothing) for batch in new]
        self._raw = summary.batches
        return self._smooth

    def probability(self, summary: Summary, threshold: float) -> Float[Tensor, "H W"]:
        """Fraction of the kept samples whose smoothed κ exceeds `threshold`."""
        return share_above(self.take(summary), threshold, summary.field)
