r"""κTNG: crops of ray-traced convergence maps from a hydrodynamical simulation.

.. math:: \kappa = \sum_{i=1}^{40} w_i\, \kappa_i, \qquad \sum_i w_i = 1

κ_i is the map for sources on plane i (redshifts 0.034 … 2.568) and w_i the share of the galaxies
counted there. A map is 1024² pixels and 5° on a side; it is *not* periodic, so a crop lies wholly
inside.

The unit of independence, the **box**, is the number LP: the runs of one LP look through the same
lens planes, so a split into sets keeps each LP whole. Independence ends there: all LPs are cut,
turned and shifted, from the one simulated volume TNG300-1 and share its initial conditions.

References:
    Osato, Liu & Haiman (2021), https://ui.adsabs.harvard.edu/abs/2021MNRAS.502.5593O
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import floor
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core.simulate.kappa_tng_disk import PLANES, SIDE, Realisation, find
from massgan_core.simulate.lognormal import Lognormal
from massgan_core.simulate.resample import resample
from massgan_core.simulate.turns import turned
from massgan_core.sky import Grid, PowerSpectrum, Sources

EXTENT = 300.0  #: side of a map [arcmin]
#: Share of the COSMOS sources that lie beyond the last plane and are counted on it.
COSMOS_BEYOND = 0.12


@dataclass(frozen=True)
class Crop:
    """Where a map was cut: first pixel of the 5° map, and one of 8 flips and transposes.

    Args:
        realisation: The map.
        top: First row.
        left: First column.
        turn: See :func:`massgan_core.simulate.turns.turned`.
    """

    realisation: Realisation
    top: int
    left: int
    turn: int = 0


class KappaTNG:
    """Random crops of the κTNG maps under a folder.

    Args:
        root: Folder that holds ``LP001`` …, and ``zs.dat`` if there is one.
        grid: Shape and pixel scale of a crop; by default 300² pixels of 0.29′. At another
            scale than the map's 0.293′ see :func:`~massgan_core.simulate.resample.resample`.
        sources: n(z), see :func:`plane_weights`; or the number of one source plane, 1 … 40;
            or weights [40] of any normalisation. By default the published COSMOS weights.
        boxes: Numbers LP to take realisations from; by default all.
        side: Pixels of a map on a side.
        zero_mean: Subtract each crop's own mean (lensing loses it).
        keep: Weighted maps held in memory, 4 MB each.

    Attributes:
        realisations: What was found, sorted by box and run.
        redshifts: Of the 40 source planes, from ``zs.dat`` or else :func:`planes`.
        weights: Of the 40 source planes, summing to 1.
        beyond: Share of the sources beyond the last plane, which are counted on it.
        last: The crop that the last call returned.

    Raises:
        FileNotFoundError: There is no such folder, or no realisation in it.
        ValueError: A box is unknown, the weights are none, or a crop does not fit into a map.
    """

    def __init__(
        self,
        root: str | Path,
        grid: Grid | None = None,
        *,
        sources: Sources | int | ArrayLike | None = None,
        boxes: Iterable[int] | None = None,
        side: int = SIDE,
        zero_mean: bool = True,
        keep: int = 8,
    ) -> None:
        self.realisations = _in_boxes(find(root), boxes)
        self.grid = Grid((300, 300)) if grid is None else grid
        if max(self.grid.extent) > EXTENT * (1 + 1e-6):
            height, width = self.grid.extent
            raise ValueError(
                f"`grid` must fit into a map of {EXTENT:.0f}′ on a side, got {height:.1f}′ × "
                f"{width:.1f}′; take fewer or smaller pixels"
            )
        self.redshifts = _redshifts(Path(root))
        self.weights, self.beyond = _weights(sources, self.redshifts)
        self.side, self.zero_mean, self.keep = side, zero_mean, keep
        self.last: Crop | None = None
        self._maps: OrderedDict[Realisation, Tensor] = OrderedDict()

    @property
    def boxes(self) -> tuple[int, ...]:
        """The numbers LP in use, sorted."""
        return tuple(sorted({r.box for r in self.realisations}))

    def __len__(self) -> int:
        return len(self.realisations)

    def __call__(self, generator: torch.Generator) -> Float[Tensor, "H W"]:
        """A crop of a random realisation at a random place and orientation, float32."""
        self.last = self.draw(generator)
        return self.crop(self.last)

    def draw(self, generator: torch.Generator) -> Crop:
        """A random place in a random realisation; reads nothing."""
        one, turn = _pick(len(self), generator), _pick(8, generator)
        room = [self.side - n * self._step for n in self._shape(turn)]
        top, left = (_pick(floor(r + 1e-6) + 1, generator) for r in room)
        return Crop(self.realisations[one], top, left, turn)

    def crop(self, where: Crop) -> Float[Tensor, "H W"]:
        """The part of a map that `where` names, on :attr:`grid`."""
        whole, start = self.map(where.realisation), (where.top, where.left)
        kappa = resample(whole, start, self._step, self._shape(where.turn))
        if self.zero_mean:
            kappa = kappa - kappa.mean()
        return turned(kappa, where.turn)

    def map(self, realisation: Realisation) -> Float[Tensor, "S S"]:
        """The whole 5° map, weighted over the source planes, float32."""
        kappa = self._maps.pop(realisation, None)
        kappa = self._weighted(realisation) if kappa is None else kappa
        self._maps[realisation] = kappa
        while len(self._maps) > self.keep:
            self._maps.popitem(last=False)
        return kappa

    def _weighted(self, realisation: Realisation) -> Float[Tensor, "S S"]:
        total = np.zeros((self.side, self.side))
        for i in np.flatnonzero(self.weights):  # one plane in memory at a time
            total += self.weights[i] * realisation.plane(int(i) + 1, self.side)
        return torch.from_numpy(total.astype(np.float32))

    @property
    def _step(self) -> float:
        """Side of a crop's pixel in pixels of the map."""
        return self.grid.pixel_scale * self.side / EXTENT

    def _shape(self, turn: int) -> tuple[int, int]:
        """Shape of the crop before it is turned."""
        return self.grid.shape[::-1] if turn & 4 else self.grid.shape


@cache
def planes() -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Redshifts of the 40 source planes and their published weights for COSMOS."""
    table = files(__package__) / "bundled" / "ktng_cosmos_plane_weights.csv"
    rows = table.read_text(encoding="utf-8").split()[1:]
    redshift, weight = np.array([row.split(",") for row in rows], float).T
    return redshift, weight


def embedded(
    kappa: Float[Tensor, "S S"],
    around: Grid,
    power: PowerSpectrum,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "H W"], int]:
    """A map in the middle of a lognormal sky, mean 0, and its first row and column.

    What lies around a map is not known, and its shear depends on it.

    Args:
        kappa: Square map; it takes the mean of the sky that it replaces.
        around: Grid of the whole, square.
        power: Of the sky around it.
        generator: Of that sky.
    """
    size = len(kappa)
    first = (around.shape[0] - size) // 2
    place = (slice(first, first + size),) * 2
    whole = Lognormal(around, power)(generator)
    whole[place] = kappa - kappa.mean() + whole[place].mean()
    return whole - whole.mean(), first


def plane_weights(
    sources: Sources, redshifts: ArrayLike | None = None
) -> tuple[Float[np.ndarray, " K"], float]:
    """Weights of the source planes for galaxies with this n(z).

    A galaxy between two planes is shared linearly, which keeps the mean redshift; one nearer
    than the first plane is counted on the first, one beyond the last on the last.

    Args:
        sources: n(z).
        redshifts: Of the planes, increasing; by default :func:`planes`.

    Returns:
        Weights, summing to 1, and the share of the galaxies beyond the last plane.
    """
    at = planes()[0] if redshifts is None else np.asarray(redshifts, float)
    edges = np.linspace(sources.redshift[0], sources.redshift[-1], 20001)
    z = (edges[1:] + edges[:-1]) / 2
    share = np.interp(z, sources.redshift, sources.density)
    share = share / share.sum()
    place = np.interp(z, at, np.arange(len(at)))
    below = np.minimum(place.astype(int), len(at) - 2)
    weights = np.bincount(below, share * (below + 1 - place), len(at))
    weights += np.bincount(below + 1, share * (place - below), len(at))
    return weights, float(share[z > at[-1]].sum())


def _weights(
    sources: Sources | int | ArrayLike | None, redshifts: Float[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, " K"], float]:
    if sources is None:
        return planes()[1] / planes()[1].sum(), COSMOS_BEYOND
    if isinstance(sources, Sources):
        return plane_weights(sources, redshifts)
    if isinstance(sources, int | np.integer):
        if not 1 <= sources <= PLANES:
            raise ValueError(f"`sources` as a plane must be 1 … {PLANES}, got {sources}")
        return np.eye(PLANES)[sources - 1], 0.0
    weights = np.asarray(sources, float)
    if weights.shape != (PLANES,) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise ValueError(
            f"`sources` as weights must be {PLANES} numbers ≥ 0, not all 0, got {weights}"
        )
    return weights / weights.sum(), 0.0


def _redshifts(root: Path) -> Float[np.ndarray, " K"]:
    path = root / "zs.dat"
    if not path.is_file():
        return planes()[0]
    try:
        redshifts = np.array(path.read_text(encoding="utf-8").split(), float)
    except ValueError:
        redshifts = np.empty(0)
    if redshifts.shape != (PLANES,) or not (np.diff(redshifts) > 0).all():
        raise ValueError(f"{path} must hold {PLANES} increasing redshifts and nothing else")
    return redshifts


def _in_boxes(found: list[Realisation], boxes: Iterable[int] | None) -> list[Realisation]:
    if boxes is None:
        return found
    wanted, known = set(boxes), sorted({r.box for r in found})
    if not wanted or not wanted <= set(known):
        raise ValueError(
            f"`boxes` must be some of the numbers LP on disk ({', '.join(map(str, known))}), "
            f"got {sorted(wanted)}"
        )
    return [r for r in found if r.box in wanted]


def _pick(n: int, generator: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=generator, device=generator.device))
