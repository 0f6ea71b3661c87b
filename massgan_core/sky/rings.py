r"""The whole sky cut into rings of equal height, each ring into equal boxes.

Ring r reaches from declination −90° + r h to −90° + (r + 1) h; its boxes are so many that none is
wider than h anywhere. Every position lies in exactly one box; boxes are numbered ring by ring
from the South pole, in each from RA 0 on.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import ArrayLike


class Rings:
    """Boxes at most `step` high and wide.

    Args:
        step: [deg].

    Raises:
        ValueError: `step` is not positive, or larger than 90°.
    """

    def __init__(self, step: float) -> None:
        if not 0 < step <= 90:
            raise ValueError(f"`step` must lie between 0 and 90 degrees, got {step}")
        self.count = ceil(round(180 / step, 9))
        self.height = 180 / self.count
        edges = np.linspace(-90, 90, self.count + 1)
        # The edge nearer to the equator is the longer one; a ring across it is 2π long.
        near = np.where(
            edges[:-1] * edges[1:] < 0, 0, np.minimum(*np.abs([edges[:-1], edges[1:]]))
        )
        width = 360 * np.cos(np.deg2rad(near)) / self.height
        self.boxes = np.maximum(np.ceil(np.round(width, 9)), 3).astype(np.int64)
        self.first = np.concatenate([[0], np.cumsum(self.boxes)])

    def __len__(self) -> int:
        return int(self.first[-1])

    def find(self, ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
        """Number of the box of each position [deg]."""
        ring = ((np.asarray(dec, float) + 90) / self.height).astype(np.int64)
        ring = ring.clip(0, self.count - 1)
        turn = np.mod(np.asarray(ra, float), 360.0) / 360  # a tiny negative RA becomes 360
        boxes = self.boxes[ring]
        return self.first[ring] + np.minimum((turn * boxes).astype(np.int64), boxes - 1)

    def center(self, box: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """(RA, Dec) of the middle of each box [deg]."""
        box = np.asarray(box)
        ring = np.searchsorted(self.first, box, side="right") - 1
        ra = (box - self.first[ring] + 0.5) * (360 / self.boxes[ring])
        return ra, -90 + (ring + 0.5) * self.height

    def outline(self, box: int, points: int = 33) -> tuple[np.ndarray, np.ndarray]:
        """(RA, Dec) of `points` positions along each side of a box [deg]."""
        (ra,), (dec,) = self.center(np.array([box]))
        ring = int(np.searchsorted(self.first, box, side="right")) - 1
        along = np.linspace(-0.5, 0.5, points)
        x, y = 360 / self.boxes[ring] * along, self.height * along
        low, high = x[0] + 0 * y, x[-1] + 0 * y
        dx = np.concatenate([x, x, low, high])
        dy = np.concatenate([y[0] + 0 * x, y[-1] + 0 * x, y, y])
        return np.mod(ra + dx, 360), (dec + dy).clip(-90, 90)

    def around(
        self, center: tuple[float, float], radius: float, rings: slice = slice(None)
    ) -> np.ndarray:
        """Numbers of the boxes whose middle lies within `radius` [deg] of `center`.

        Args:
            center: (RA, Dec) [deg].
            radius: [deg].
            rings: Which rings to look at.
        """
        dec = -90 + (np.arange(self.count)[rings] + 0.5) * self.height
        ring = np.arange(self.count)[rings][np.abs(dec - center[1]) <= radius]
        d, d0 = np.deg2rad(-90 + (ring + 0.5) * self.height), np.deg2rad(center[1])
        # Half the arc of the ring inside the circle, by the spherical law of cosines.
        cosine = np.cos(np.deg2rad(radius)) - np.sin(d) * np.sin(d0)
        reach = np.arccos(np.clip(cosine / np.maximum(np.cos(d) * np.cos(d0), 1e-15), -1, 1))
        boxes = self.boxes[ring]
        half = reach / (2 * np.pi) * boxes
        middle = (center[0] % 360) / 360 * boxes - 0.5
        start = np.ceil(middle - half - 1e-9).astype(np.int64)
        count = np.floor(middle + half + 1e-9).astype(np.int64) - start + 1
        count = np.minimum(np.maximum(count, 0), boxes)
        ends = np.cumsum(count)
        offset = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - count, count)
        box = np.repeat(start, count) + offset
        return np.repeat(self.first[ring], count) + np.mod(box, np.repeat(boxes, count))
