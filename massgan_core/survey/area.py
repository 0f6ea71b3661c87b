r"""The surveyed area, from where galaxies fell.

A pixel without galaxies inside the survey is a hole, not an edge. At λ galaxies a pixel a disc
of N pixels is empty by chance with probability exp(−λN), and N discs hold a given pixel. The
mask is closed with the smallest disc for which N exp(−λN) ≤ 1 %, so that chance leaves at most
1 % of the survey unfilled. At COSMOS depth that disc is one pixel and only single empty pixels
are filled.
"""

from __future__ import annotations

from math import ceil, exp, pi

import numpy as np
import torch
from jaxtyping import Bool, Shaped
from scipy.ndimage import distance_transform_edt
from scipy.special import lambertw

from massgan_core.sky import footprint

IMPROBABLE = 0.01  #: chance that a pixel lies in an empty disc


def survey_area(
    mask: Bool[np.ndarray, "H W"], counts: Shaped[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """`mask` with the holes filled that galaxy counts leave by chance."""
    filled = footprint(torch.from_numpy(mask)).numpy()
    radius = closing_radius(galaxies_per_pixel(counts), largest=min(mask.shape) // 2)
    return filled | _closed(mask, radius) if radius else filled


def closing_radius(rate: float, *, largest: int) -> float:
    """Radius [pixels] of the disc that is improbably empty at `rate` galaxies a pixel."""
    # Beyond λN = 20 the answer is found for any λ > 1e-7.
    reach = min(largest, ceil((20 / (pi * rate)) ** 0.5) + 1)
    offsets = np.arange(-reach, reach + 1)
    square = (offsets[:, None] ** 2 + offsets**2).ravel()
    radius2, pixels = np.unique(square[square <= reach**2], return_counts=True)
    pixels = pixels.cumsum()
    enough = np.flatnonzero(pixels * np.exp(-rate * pixels) <= IMPROBABLE)
    return float(radius2[enough[0]] ** 0.5) if len(enough) else float(reach)


def galaxies_per_pixel(counts: Shaped[np.ndarray, "H W"]) -> float:
    """Mean λ of Poisson counts over the survey, from the pixels that are not empty.

    Their mean is m = λ/(1 − exp(−λ)), whatever part of the array was surveyed, so
    λ = m + W(−m exp(−m)) with Lambert's W.
    """
    total, occupied = float(counts.sum()), int((counts > 0).sum())
    mean = total / occupied
    # Not more than one anywhere: too few to tell, λ is small.
    rate = mean + float(lambertw(-mean * exp(-mean)).real) if mean > 1 else 0.0
    return max(rate, total / counts.size)


def _closed(mask: Bool[np.ndarray, "H W"], radius: float) -> Bool[np.ndarray, "H W"]:
    """Closing with a disc: grown by `radius`, then shrunk by it."""
    reach = ceil(radius)
    # Past the edge of the array the sky goes on as it is within: mirrored, not empty.
    room = np.pad(np.pad(mask, reach, mode="symmetric"), reach + 1)
    grown = distance_transform_edt(~room) <= radius
    shrunk = distance_transform_edt(grown) > radius
    edge = 2 * reach + 1
    return shrunk[edge:-edge, edge:-edge]
