r"""The surveyed area, from where galaxies fell.

A pixel without galaxies inside the survey is a hole, not an edge. At λ galaxies a pixel a disc
of radius r is empty by chance with probability exp(−π r² λ); the mask is closed with the disc
for which this is 1 % (π r² λ = 4.6). At COSMOS depth r is below one pixel and only single
empty pixels are filled.
"""

from __future__ import annotations

from math import ceil, floor, log, pi

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import binary_closing

from massgan_core.sky import footprint

IMPROBABLE = 0.01  #: chance of an empty disc


def survey_area(
    mask: Bool[np.ndarray, "H W"], counts: Float[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """`mask` with the holes filled that galaxy counts leave by chance."""
    filled = footprint(torch.from_numpy(mask)).numpy()
    radius = (-log(IMPROBABLE) / (pi * galaxies_per_pixel(counts))) ** 0.5
    if radius < 1:
        return filled
    # Past the edge of the array the sky goes on as it is within: mirrored, not empty.
    reach = min(floor(radius), *mask.shape)
    offsets = np.arange(-reach, reach + 1)
    disc = offsets[:, None] ** 2 + offsets**2 <= radius**2
    room = np.pad(mask, reach, mode="symmetric")
    room = np.pad(room, reach + 1)
    edge = 2 * reach + 1
    closed = binary_closing(room, disc)[edge:-edge, edge:-edge]
    return closed | filled


def galaxies_per_pixel(counts: Float[np.ndarray, "H W"]) -> float:
    """Mean λ of Poisson counts over the survey, from the pixels that are not empty.

    Their mean is λ/(1 − exp(−λ)), whatever part of the array was surveyed.
    """
    occupied = counts[counts > 0]
    mean = float(occupied.mean())
    lowest = occupied.sum() / counts.size
    rate = mean
    for _ in range(ceil(200)):
        rate = mean * (1 - np.exp(-rate))
    return max(rate, lowest)
