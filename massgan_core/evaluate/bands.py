"""What many samples of one thing have in common: a band, and a histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Band:
    """Where the middle part of samples lies.

    Args:
        low: Lower edge.
        middle: Median.
        high: Upper edge.
    """

    low: Float[np.ndarray, " K"]
    middle: Float[np.ndarray, " K"]
    high: Float[np.ndarray, " K"]


def band(values: Float[Tensor, "N K"], share: float = 0.68) -> Band:
    """The central interval that holds `share` of the samples, for each of K numbers."""
    if not 0 < share < 1:
        raise ValueError(f"`share` must lie between 0 and 1, got {share}")
    at = torch.tensor([(1 - share) / 2, 0.5, (1 + share) / 2], dtype=values.dtype)
    return Band(*torch.quantile(values, at, dim=0).numpy())


def even_edges(values: Float[Tensor, "*N"], bins: int) -> Float[np.ndarray, " E"]:
    """Edges of equal bins from the least to the largest value, which lie inside."""
    low, high = float(values.min()), float(values.max())
    room = 1e-6 * max(abs(low), abs(high), 1e-6)  # values all alike still have a bin
    return np.linspace(low - room, high + room, bins + 1)


def histogram(
    values: Float[Tensor, " N"], bins: int = 16
) -> tuple[Float[np.ndarray, " E"], Float[np.ndarray, " K"]]:
    """Even edges about all values, and the share of the values in each bin."""
    edges = even_edges(values, bins)
    return edges, np.histogram(values.numpy(), edges)[0] / len(values)
