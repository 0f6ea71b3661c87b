"""Seeded randomness. Sample i depends on (seed, i) alone.

Batch size, pauses, other sessions and workers therefore never change the set of samples.
Numbers are drawn on the CPU and moved, so that every device sees the same latents.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def generator(*key: int) -> torch.Generator:
    """A CPU generator keyed by integers, e.g. ``generator(seed, index)``."""
    # Negative numbers are legal seeds for a user; SeedSequence wants unsigned words.
    words = [int(k) & 0xFFFFFFFFFFFFFFFF for k in key]
    state = np.random.SeedSequence(words).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 31 ^ int(state[1]))


def device_generator(device: torch.device, *key: int) -> torch.Generator:
    """A generator on `device` keyed by integers; on the CPU :func:`generator`.

    Args:
        device: Where it draws.
        key: Integers, as for :func:`generator`.
    """
    return torch.Generator(device).manual_seed(generator(*key).initial_seed())


class Draws:
    """Hands out one generator a sample: the i-th is keyed by (seed, i).

    Args:
        seed: Any integer.
        start: Index of the first sample handed out.
    """

    def __init__(self, seed: int = 0, start: int = 0) -> None:
        self.seed, self.next = int(seed), int(start)

    @classmethod
    def of(cls, source: Draws | torch.Generator | int | None) -> Draws:
        """`source` itself, or draws seeded by an integer or from a torch generator."""
        if isinstance(source, cls):
            return source
        if isinstance(source, torch.Generator):
            return cls(int(torch.randint(2**62, (), generator=source)))
        return cls(0 if source is None else source)

    def take(self, n: int) -> list[torch.Generator]:
        """Generators of the next `n` samples."""
        first, self.next = self.next, self.next + n
        return [generator(self.seed, i) for i in range(first, first + n)]

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Take back what was handed out within, where that ends by an exception."""
        first = self.next
        try:
            yield
        except BaseException:
            self.next = first
            raise

    def normal(self, n: int, shape: tuple[int, ...]) -> torch.Tensor:
        """Standard normal latents of `shape` for the next `n` samples, ``[n, *shape]`` float32."""
        return torch.stack([torch.randn(shape, generator=g) for g in self.take(n)])
