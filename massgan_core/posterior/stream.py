"""Posterior samples as a stream of running summaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.posterior.running import RunningMoments
from massgan_core.posterior.summary import Summary
from massgan_core.sky import Draws, ShearField, remove_mean


@runtime_checkable
class Sampler(Protocol):
    """Anything that draws κ given a shear field.

    `generator` is a :class:`~massgan_core.sky.Draws`, a torch generator or a seed; sample i
    must depend on (seed, i) alone.
    """

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` samples of κ.

        Args:
            field: One observed field, without batch axes.
            n: Number of samples N.
            generator: Where their random numbers come from; `None` is seed 0.
        """


def stream(
    sampler: Sampler,
    field: ShearField,
    n: int = 64,
    batch: int = 8,
    *,
    seed: int = 0,
    keep: int = 256,
) -> Iterator[Summary]:
    """Draw `n` samples in batches and yield a :class:`Summary` after each batch.

    The sampler is always asked for `batch` samples, the last time too (what exceeds `n` is
    dropped), so that the arithmetic does not change with `n`.

    Args:
        sampler: Draws the samples.
        field: One observed field, without batch axes.
        n: Number of samples ≥ 1.
        batch: Samples a network call ≥ 1.
        seed: Sample i depends on (`seed`, i) alone.
        keep: How many samples the summaries hold on to.

    Raises:
        ValueError: `n` or `batch` is below 1.
    """
    for name, value in (("n", n), ("batch", batch)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}")
    return _stream(sampler, field, n, batch, seed, keep)


def endless(
    sampler: Sampler, field: ShearField, batch: int = 8, *, seed: int = 0, first: int = 0
) -> Iterator[Float[Tensor, "N H W"]]:
    """Samples without end, `batch` at a time, float32 on the CPU, each less its footprint mean.

    Args:
        sampler: Draws the samples.
        field: One observed field, without batch axes.
        batch: Samples a network call ≥ 1.
        seed: Sample i depends on (`seed`, i) alone.
        first: Number of the first sample, a multiple of `batch`.
    """
    draws, area = Draws.of(seed), field.footprint.cpu()
    draws.next = first
    while True:
        kappa = sampler.sample(field, batch, draws)
        yield remove_mean(kappa.detach().float().cpu(), area)


def provenance(sampler: Sampler, batch: int, seed: int) -> dict[str, Any]:
    """What samples of `sampler` depend on beside the field: `batch`, `seed` … (JSON values)."""
    return {
        "sampler": getattr(sampler, "name", type(sampler).__name__),
        "seed": seed,
        "batch": batch,
        "threads": torch.get_num_threads(),
        **getattr(sampler, "provenance", {}),
    }


def _stream(
    sampler: Sampler, field: ShearField, n: int, batch: int, seed: int, keep: int
) -> Iterator[Summary]:
    moments, kept, room = RunningMoments(), (), keep
    told, drawn = provenance(sampler, batch, seed), endless(sampler, field, batch, seed=seed)
    while moments.n < n:
        kappa = next(drawn)
        if len(kappa) > n - moments.n:
            kappa = kappa[: n - moments.n]
        moments = moments.update(kappa)
        if room > 0:
            # A slice of a batch would keep the whole batch alive in memory: copy it.
            part = kappa if room >= len(kappa) else kappa[:room].clone()
            kept, room = (*kept, part), room - len(part)
        yield Summary(field, moments, kept, told)
