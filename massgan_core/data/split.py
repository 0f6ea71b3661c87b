"""Train, calibration and test parts that share no simulation box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from massgan_core.sky import generator

_SPLIT = 16  # key of the random stream


def split_boxes(
    boxes: Sequence[int], parts: Mapping[str, float], seed: int = 0
) -> dict[str, list[int]]:
    """Share boxes out at random, each to one part.

    The first boxes go one to each part, every further one to a part drawn by how far that
    lags behind its share. So no part is empty, all are within about one box of their
    shares, and a box stays in its part when more boxes are appended later.

    Args:
        boxes: Distinct ids in the order of the plan.
        parts: Share of each part; they sum to 1.
        seed: Of the draws.

    Raises:
        ValueError: Shares are not positive or do not sum to 1, or boxes are fewer than parts.
    """
    share = torch.tensor(list(parts.values()), dtype=torch.float64)
    if len(share) == 0 or not bool((share > 0).all()) or abs(share.sum() - 1) > 1e-6:
        raise ValueError(f"`parts` must be positive and sum to 1, got {dict(parts)}")
    if len(boxes) < len(share):
        raise ValueError(
            f"{len(boxes)} boxes cannot make {len(share)} parts ({', '.join(parts)}) that share "
            "none: simulate more boxes"
        )
    key = generator(seed, _SPLIT)
    counts, order = torch.zeros_like(share), torch.randperm(len(share), generator=key)
    names, result = list(parts), {name: [] for name in parts}
    for i, box in enumerate(boxes):
        lag = (share * (i + 1) - counts).clamp_min(0)
        one_each = i < len(names)
        part = int(order[i] if one_each else torch.multinomial(lag, 1, generator=key))
        counts[part] += 1
        result[names[part]].append(int(box))
    return result
