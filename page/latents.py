r"""Standard normal latents by a counter: the twin of ``src/normal.js``, number for number.

Philox-4x32-10 turns a key (seed, number of the sample) and a counter (block, level, 0, 0) into
four words of 32 bits, and Box and Muller's formula these into four normal numbers. Any sample can
be drawn alone and in any order. It is not the stream that torch draws from a seed.

References:
    Salmon et al. (2011), https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import numpy as np

_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Four random words [4, N] of each counter [4, N] (uint64 below 2³²)."""
    a, b, c, d = (word.astype(np.uint64) for word in counter)
    for turn in range(10):
        one, two = (
            np.uint64((k + turn * w) & 0xFFFFFFFF) for k, w in zip(key, _WEYL, strict=True)
        )
        left, right = a * _MULTIPLY[0], c * _MULTIPLY[1]
        a, b, c, d = (
            (right >> _SHIFT) ^ b ^ one,
            right & _LOW,
            (left >> _SHIFT) ^ d ^ two,
            left & _LOW,
        )
    return np.stack([a, b, c, d])


def normal(n: int, seed: int, sample: int, level: int) -> np.ndarray:
    """`n` standard normal numbers, float32, of one level of a sample's latents."""
    blocks = -(-n // 4)
    counter = np.zeros((4, blocks), np.uint64)
    counter[0], counter[1] = np.arange(blocks), level
    words = philox(counter, (seed, sample)).astype(np.float64)
    radius = np.sqrt(-2 * np.log((words[0::2] + 1) / 2**32))
    angle = 2 * np.pi * words[1::2] / 2**32
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)  # [2, 2, blocks]
    return pairs.reshape(4, blocks).T.ravel()[:n].astype(np.float32)


def latents(shapes: list[tuple[int, ...]], seed: int, sample: int) -> list[np.ndarray]:
    """Latents of one sample, one array [1, *shape] a level, finest first."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    drawn = [normal(n, seed, sample, level) for level, n in enumerate(sizes)]
    return [flat.reshape(1, *shape) for flat, shape in zip(drawn, shapes, strict=True)]
