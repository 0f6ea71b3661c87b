"""What a wide survey is cut into, and where its parts lie on disk while they are made.

Beside the output `OUT.zarr` stands the folder `OUT.zarr.parts` until the end: the galaxies by
patch (``spool``), samples of the coarse wide field (``coarse``), and the store that grows in it
(``store``), one group a patch. A run that was stopped goes on from what lies there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from massgan_core.sky import Grid, Sources
from massgan_core.sky.rings import Rings
from massgan_core.sky.tangent import directions, pixels_of
from massgan_core.survey.patches import Patches
from massgan_core.survey.spool import Spool

METHODS = ("gan", "wiener", "ks")
PIXEL_SCALE = 0.29  #: [arcmin]
INTERIOR, MARGIN = 400, 56  #: default interior and margin of a patch [pixels]
WIDEST = 20.0  #: diameter up to which one tangent plane serves as the coarse field [deg]
_TILE, _AROUND = 10.0, 4.0  #: beyond: interior and margin of coarse fields [deg]
COARSE = 4.0  #: side of a coarse pixel: two blocks of the sky's noise [arcmin]


@dataclass(frozen=True)
class Survey:
    """Settings of a run, as its jobs know them.

    Args:
        folder: ``OUT.zarr.parts``.
        name: Of the catalogue.
        method: One of :data:`METHODS`.
        checkpoint: Of the network, if any.
        device: ``auto``, ``cpu`` …
        pixel_scale: [arcmin].
        interior: Largest side of a patch's interior [arcmin].
        margin: Around it [arcmin].
        samples: Of the posterior.
        batch: Drawn at once.
        seed: Of all samples.
        level: Between LOW and HIGH.
        threshold: Of PROB; `None` for none.
        prob_smoothing: [arcmin].
        save_samples: Write the samples as well.
        noise: σ per pixel, ``weighted`` or ``published``.
        nside: Of the HEALPix map; `None` for none.
        redshift, density: n(z) given, or `None`: that of the catalogue.
    """

    folder: str
    name: str
    method: str = "gan"
    checkpoint: str | None = None
    device: str = "auto"
    pixel_scale: float = PIXEL_SCALE
    interior: float = INTERIOR * PIXEL_SCALE
    margin: float = MARGIN * PIXEL_SCALE
    samples: int = 64
    batch: int = 8
    seed: int = 0
    level: float = 0.95
    threshold: float | None = None
    prob_smoothing: float = 1.0
    save_samples: bool = False
    noise: str = "weighted"
    nside: int | None = None
    redshift: tuple[float, ...] | None = None
    density: tuple[float, ...] | None = None

    @cached_property
    def patches(self) -> Patches:
        """The sky in patches."""
        return Patches(self.interior, self.margin, self.pixel_scale)

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @property
    def spool(self) -> Spool:
        """The galaxies by patch."""
        return Spool(self.path / "spool")

    @property
    def store(self) -> Path:
        """The output as it grows."""
        return self.path / "store"

    def group(self, patch: int) -> Path:
        """Where the maps of a patch go; there once they are whole."""
        return self.store / "patch" / str(patch)

    def piece(self, patch: int) -> Path:
        """Where its part of the HEALPix map goes."""
        return self.path / "healpix" / f"{patch}.npz"

    def done(self, patch: int) -> bool:
        """Whether all that a patch gives is there."""
        return self.group(patch).is_dir()

    @property
    def smoothing(self) -> float:
        """Std of the Gaussian beyond which scales come from the coarse field [arcmin].

        A network's are kept up to waves as long as its patch is wide. Wiener samples are those
        of the coarse field from a few coarse pixels on: the same prior, the same numbers.
        """
        least = 2.5 * COARSE
        if self.method != "gan":
            return least
        return max((self.interior + 2 * self.margin) / 5.3, least)

    @property
    def sources(self) -> Sources | None:
        """n(z): as given, else that of the catalogue, else `None` (COSMOS)."""
        if self.redshift is not None:
            return Sources(np.array(self.redshift), np.array(self.density))
        return self.spool.sums().sources

    def facts(self) -> dict[str, Any]:
        """The settings as JSON values, less where it runs."""
        return {k: v for k, v in asdict(self).items() if k not in ("folder", "device")}

    # The coarse field

    def coarse_tile(self, patch: int, tiles: dict[int, Grid]) -> int:
        """Which of the coarse fields holds a patch."""
        if -1 in tiles:
            return -1
        ra, dec = self.patches.rings.center(np.array([patch]))
        return int(Rings(_TILE).find(ra, dec)[0])

    def coarse(self, tile: int, first: int) -> Path:
        """Where samples of a coarse field from number `first` on lie."""
        return self.path / "coarse" / f"{tile}" / f"{first}.npy"

    def batches(self) -> range:
        """Number of the first sample of each batch."""
        return range(0, self.samples, self.batch)

    def coarse_grids(self, patches: np.ndarray) -> dict[int, Grid]:
        """Coarse planes by number: one for all (−1), or for wide areas several that overlap.

        Args:
            patches: Of the plan.
        """
        ra, dec = self.patches.rings.center(patches)
        at = directions(ra, dec)
        middle = at.mean(0)
        if np.linalg.norm(middle) > 0.1:
            middle /= np.linalg.norm(middle)
            away = np.degrees(np.arccos((at @ middle).clip(-1, 1))).max()
            if 2 * (away + self.patches.reach) <= WIDEST:
                center = (
                    np.degrees(np.arctan2(middle[1], middle[0])),
                    np.degrees(np.arcsin(middle[2])),
                )
                return {-1: self._around(center, patches)}
        rings, scale = Rings(_TILE), COARSE
        side = 8 * ceil((_TILE * 1.5 + 2 * _AROUND) * 60 / scale / 8)
        tiles = np.unique(rings.find(ra, dec))
        return {
            int(t): Grid.tan((side, side), scale, center=(float(a), float(d)))
            for t, a, d in zip(tiles, *rings.center(tiles), strict=True)
        }

    def _around(self, center: tuple[float, float], patches: np.ndarray) -> Grid:
        """The plane about `center` that holds the grids of all patches."""
        plane = Grid.tan((1, 1), COARSE, center=tuple(map(float, center)))
        reach = np.zeros(2)
        for patch in patches.tolist():
            grid = self.patches.grid(patch)
            edge = np.array([[-1, 0, 1] * 3, np.repeat([-1, 0, 1], 3)]) / 2
            x, y = ((e + 0.5) * (n - 1) for e, n in zip(edge, grid.shape[::-1], strict=True))
            x, y = pixels_of(plane, *grid.pixel_to_sky(x, y))
            reach = np.maximum(reach, [np.abs(y).max(), np.abs(x).max()])
        shape = tuple(8 * ceil((2 * r + 4) / 8) for r in reach)
        return Grid.tan(shape, COARSE, center=tuple(map(float, center)))


def keep_settings(survey: Survey, more: dict[str, Any]) -> None:
    """Write the settings of a run down, or make sure that it goes on with the same ones.

    Args:
        survey: The run.
        more: What else its results depend on.

    Raises:
        ValueError: The folder holds a run with other settings.
    """
    path, now = survey.path / "settings.json", json.loads(json.dumps({**survey.facts(), **more}))
    if not path.is_file():
        survey.path.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(now, indent=1))
        return
    then = json.loads(path.read_text())
    other = [k for k in now if now[k] != then.get(k)]
    if other:
        told = ", ".join(f"{k} was {_short(then.get(k))}, now {_short(now[k])}" for k in other)
        raise ValueError(
            f"{survey.path} holds a run that was begun with other settings ({told}): give those "
            "to go on with it, or remove the folder to begin anew"
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 40 else text[:36] + " …"
