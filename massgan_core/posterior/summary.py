"""What the samples seen so far say about κ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.posterior.running import RunningMoments
from massgan_core.sky import MaskedSmoothing, ShearField

if TYPE_CHECKING:
    import xarray


ROWS = 16  #: of all samples at once, for quantiles


def smoother(field: ShearField, smoothing: float) -> Callable[[Tensor], Tensor]:
    """What smooths samples [arcmin] inside the footprint, 0 elsewhere; 0′ leaves them alone."""
    if smoothing == 0:
        return lambda samples: samples
    soften = MaskedSmoothing(field.grid, smoothing, field.footprint.cpu())
    return lambda samples: soften(samples.float())


def share_above(
    parts: Iterable[Tensor], threshold: float, field: ShearField
) -> Float[Tensor, "H W"]:
    """In which fraction of the maps of all `parts` a pixel of `field` exceeds `threshold`."""
    above, count = torch.zeros(field.grid.shape), 0
    for part in parts:
        above += (part > threshold).sum(0, dtype=torch.int32)
        count += len(part)
    return above / max(count, 1)


@dataclass(frozen=True, eq=False)
class Summary:
    """A snapshot of a posterior stream; later samples never change it.

    Every sample has lost its footprint mean. `mean` and `std` cover all `n` samples; `samples`
    holds those of them that are kept: the first ones, up to the stream's limit.

    Args:
        field: What was observed.
        moments: Running mean and variance of all samples.
        batches: The samples kept, in order, as drawn: batches [_, H, W].
        first: Number of the first of them, from 0 on.
        provenance: Sampler, seed, network batch … (JSON values).
    """

    field: ShearField
    moments: RunningMoments
    batches: tuple[Tensor, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    first: int = 0

    @property
    def n(self) -> int:
        """Number of samples seen."""
        return self.moments.n

    @property
    def mean(self) -> Float[Tensor, "H W"]:
        """Posterior mean of κ, float32."""
        return torch.as_tensor(self.moments.mean).float()

    @property
    def std(self) -> Float[Tensor, "H W"]:
        """Posterior standard deviation of κ (ddof = 1), float32; NaN at n = 1."""
        return self.moments.std.float()

    @property
    def snr(self) -> Float[Tensor, "H W"]:
        """Posterior mean / std: not a detection significance."""
        return self.mean / self.std

    @property
    def samples(self) -> Float[Tensor, "N H W"]:
        """The samples kept, in order of their index, float32."""
        if not self.batches:
            return torch.empty((0, *self.field.grid.shape))
        return torch.cat(self.batches)

    @property
    def kept(self) -> int:
        """Number of samples kept."""
        return sum(map(len, self.batches))

    def sample(self, index: int) -> Float[Tensor, "H W"]:
        """One of the samples kept, without a copy of the others.

        Raises:
            IndexError: It is not there.
        """
        left = index
        for batch in self.batches if index >= 0 else ():
            if left < len(batch):
                return batch[left].float()
            left -= len(batch)
        raise IndexError(f"`index` must lie between 0 and {self.kept - 1}, got {index}")

    def last(self, n: int) -> Float[Tensor, "N H W"]:
        """The last `n` of the samples kept, or all if they are fewer."""
        parts, left = [], n
        for batch in reversed(self.batches):
            if left > 0:
                parts.insert(0, batch[-left:])
                left -= len(batch)
        return torch.cat(parts) if parts else self.samples[:0]

    def quantile(self, levels: tuple[float, ...]) -> Float[Tensor, "Q H W"]:
        """Quantiles of the samples kept, one map a level, rows at a time to bound memory."""
        at, parts = torch.tensor(levels), self.batches or (self.samples,)
        rows = [
            torch.quantile(torch.cat([part[:, row : row + ROWS] for part in parts]), at, dim=0)
            for row in range(0, self.field.grid.shape[0], ROWS)
        ]
        return torch.cat(rows, dim=1)

    def probability(self, threshold: float, smoothing: float = 0.0) -> Float[Tensor, "H W"]:
        """Fraction of the samples kept whose smoothed κ exceeds `threshold`.

        `smoothing` is the std of the Gaussian [arcmin]; 0 leaves the samples as they are.

        For thresholds that move see :class:`~massgan_core.posterior.SmoothedSamples`.
        """
        parts = (part for batch in self.batches for part in batch.split(16))
        return share_above(map(smoother(self.field, smoothing), parts), threshold, self.field)

    @property
    def residual(self) -> Float[Tensor, "H W"] | None:
        """Mean less the truth, both without their footprint mean; `None` where it is unknown."""
        truth = self.field.truth
        return None if truth is None else self.mean - truth.float().cpu()

    def to_xarray(self) -> xarray.Dataset:
        """Mean, std, samples, mask … with dims (`sample`,) `y`, `x` and sky coordinates."""
        from massgan_core.export import to_xarray

        return to_xarray(self)
