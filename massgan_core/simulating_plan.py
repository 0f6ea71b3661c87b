"""What ``massgan simulate`` will make: from a run's settings to one row a map.

Row i depends on the settings and on i alone, never on how many rows there are, so that a run
can be extended. Its map is drawn from the row's own seed. What a **box** is:

- ``nbody``: `per_box` consecutive rows look through one simulated box;
- ``lognormal``: every map is a sky of its own, hence a box of its own; `per_box` consecutive
  rows share a cosmology;
- ``ktng``: the number LP of the realisation that the row's seed picks.

Where there are several n(z), row i has number i modulo their number.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from math import inf
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np

from massgan_core.data.card import DTYPES, KINDS
from massgan_core.simulate.boxes import PRESETS, Preset
from massgan_core.simulate.cosmology import Cosmology, theory_spectrum
from massgan_core.simulate.suite import Suite
from massgan_core.sky import Grid, Sources, generator
from massgan_core.sky.grid import ARCMIN

if TYPE_CHECKING:
    from massgan_core.simulate.kappa_tng import KappaTNG
    from massgan_core.simulate.kappa_tng_disk import Realisation

#: Of TNG300-1, and so of every κTNG map.
TNG = Cosmology(omega_m=0.3089, omega_b=0.0486, h=0.6774, sigma8=0.8159, n_s=0.9667)

_MAP, _BOX = 41, 42  # keys of the independent random streams behind one seed
_POINTS = 64  #: of an n(z) table, at least


@dataclass(frozen=True, eq=False)
class Run:
    """Settings of a run, the same for every worker.

    Args:
        out: Store, an absolute path.
        kind: ``lognormal``, ``nbody`` or ``ktng``.
        seed: Of everything.
        grid: Of a stored map.
        sources: The n(z) tables.
        suite: Cosmology of every box.
        per_box: Rows that share a box (``nbody``) or a cosmology (``lognormal``).
        preset: Name of the boxes' preset (``nbody``).
        planes: Folder for planes of boxes (``nbody``).
        keep: Planes stay when all maps of their box are made.
        root: Folder of κTNG (``ktng``).
        boxes: Numbers LP in use (``ktng``); all of them by default.
        dtype: On disk.
        device: Where to compute.
    """

    out: Path
    kind: str
    seed: int
    grid: Grid
    sources: tuple[Sources, ...]
    suite: Suite
    per_box: int
    preset: str
    planes: Path
    keep: bool
    root: Path | None
    boxes: tuple[int, ...] | None
    dtype: str
    device: str
    token: str = field(default_factory=lambda: token_hex(8), repr=False)

    # Copies that other processes receive are the same run, and may share what they cache.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS),
            ("dtype", self.dtype, DTYPES),
            ("preset", self.preset, tuple(PRESETS)),
        ):
            if value not in known:
                raise ValueError(f"`{name}` must be one of {', '.join(known)}, got {value!r}")
        if self.per_box < 1:
            raise ValueError(f"`per_box` must be at least 1, got {self.per_box}")

    @property
    def box_preset(self) -> Preset:
        """Size and resolution of the boxes."""
        return PRESETS[self.preset]

    def cosmology(self, group: int) -> Cosmology:
        """Of the rows group · per_box and following."""
        return TNG if self.kind == "ktng" else self.suite(group)

    def box_seed(self, box: int) -> int:
        """Seed of a box's initial conditions (``nbody``)."""
        return _key(self.seed, _BOX, box)

    def box_folder(self, box: int) -> Path:
        """Where a box's planes lie (``nbody``)."""
        return self.planes / f"box_{box:05d}"


@lru_cache(maxsize=8)
def tng(run: Run, source: int) -> KappaTNG:
    """Maker of κTNG crops for one of the run's n(z)."""
    from massgan_core.simulate.kappa_tng import KappaTNG

    return KappaTNG(run.root, run.grid, sources=run.sources[source], boxes=run.boxes, keep=1)


def tables(sources: Sources | None, stretch: Sequence[float]) -> tuple[Sources, ...]:
    """The n(z) of a run: `sources`, or those of COSMOS, with redshifts times each factor."""
    if sources is None:
        from massgan_core.survey import cosmos_sources

        sources = cosmos_sources()
    factors = [float(factor) for factor in stretch]
    if not factors or not all(0 < f < inf for f in factors) or len(set(factors)) < len(factors):
        raise ValueError(f"`stretch` must be distinct factors > 0, got {factors}")
    return tuple(_refined(sources).stretched(factor) for factor in factors)


def facts(run: Run) -> dict[str, Any]:
    """What all maps of the run share; see :meth:`massgan_core.data.MapStore.create`."""
    settings: dict[str, Any] = {"seed": run.seed}
    if run.kind != "ktng":
        settings |= {"per_box": run.per_box, "cosmology": run.suite.settings()}
    if run.kind == "nbody":
        settings["preset"] = {"name": run.preset, **asdict(run.box_preset)}
    if run.kind == "ktng":
        settings["realisations"] = _digest([r.name for r in tng(run, 0).realisations])
    return {
        "kind": run.kind,
        "shape": run.grid.shape,
        "pixel_scale": run.grid.pixel_scale,
        "dtype": run.dtype,
        "sources": [_table(s, run.grid.pixel_scale) for s in run.sources],
        "settings": settings,
    }


def plan_rows(run: Run, n: int) -> dict[str, np.ndarray]:
    """The first `n` rows, as columns; see :mod:`massgan_core.data.plan`.

    Raises:
        ValueError: The sources or the field do not suit the light cone.
    """
    index = np.arange(n)
    group, sources = index // run.per_box, index % len(run.sources)
    seeds = [_key(run.seed, _MAP, i) for i in range(n)]
    rows: dict[str, Any] = {"box": index if run.kind == "lognormal" else group}
    rows |= {"seed": np.array(seeds, np.int64), "sources": sources}
    if run.kind == "ktng":
        _check_depth(run)
        rows["box"] = np.array([r.box for r in realisations(run, seeds)], np.int64)
        return rows | asdict(TNG)
    last = int(group[-1]) + 1 if run.suite.ranges else 1
    cosmologies = [run.cosmology(g) for g in range(last)]
    which = group if run.suite.ranges else np.zeros(n, np.int64)
    for name in asdict(cosmologies[0]):
        rows[name] = np.array([getattr(c, name) for c in cosmologies])[which]
    if run.kind == "nbody":
        # No spectrum here: the rows that exist decide which of a box's n(z) are looked at.
        seen = range(min(n, len(run.sources)))
        tiled = np.array([[_tiled(run, c, s) for s in seen] for c in cosmologies])
        _check_tiling(tiled.max(), run.box_preset.box)
        rows["tiled"] = tiled[which, sources]
    return rows


def realisations(run: Run, seeds: Iterable[int]) -> list[Realisation]:
    """Which realisation of κTNG each seed picks."""
    maker = tng(run, 0)
    return [maker.draw(generator(int(seed))).realisation for seed in seeds]


def _key(*words: int) -> int:
    """A seed of 62 bits that depends on all of `words`."""
    sequence = np.random.SeedSequence([int(w) & 0xFFFFFFFFFFFFFFFF for w in words])
    return int(sequence.generate_state(1, np.uint64)[0]) >> 2


def _refined(sources: Sources) -> Sources:
    """The same polygon with more points: the splines of pyccl overshoot between a few."""
    if len(sources.redshift) >= _POINTS:
        return sources
    at = np.linspace(sources.redshift[0], sources.redshift[-1], _POINTS)
    at = np.union1d(at, sources.redshift)
    return Sources(at, np.interp(at, sources.redshift, sources.density))


def _sigma_kappa(sources: Sources, pixel_scale: float) -> float:
    try:
        return theory_spectrum(sources).std(pixel_scale)
    except RuntimeError as error:  # pyccl's own
        raise ValueError(
            f"no theory for an n(z) from redshift {sources.redshift[0]:.3g} to "
            f"{sources.redshift[-1]:.3g}: {' '.join(str(error).split())}"
        ) from None


def _table(sources: Sources, pixel_scale: float) -> dict[str, Any]:
    # Rounded: the last digits of a sum differ between machines, and a run may change machines.
    return {
        "redshift": np.round(sources.redshift, 9),
        "density": np.round(sources.density, 9),
        "sigma_kappa": float(f"{_sigma_kappa(sources, pixel_scale):.6g}"),
    }


def _digest(names: list[str]) -> str:
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]
    return f"{len(names)} from {names[0]} to {names[-1]}, sha256 {digest}"


def _tiled(run: Run, cosmology: Cosmology, source: int) -> float:
    angle = max(run.grid.extent) / 2 * ARCMIN
    slabs = run.box_preset.slabs(cosmology)
    return round(slabs.tiled(run.sources[source], angle, run.box_preset.box), 4)


def _check_tiling(tiled: float, box: float) -> None:
    from massgan_core.simulate.light_cone import TILED_ERROR, TILED_WARNING

    said = f"a box of {box:g} Mpc/h repeats within the crop for {tiled:.0%} of the lensing weight"
    if tiled > TILED_ERROR:
        raise ValueError(f"{said}, more than half: take a larger preset or a smaller field")
    if tiled > TILED_WARNING:
        warnings.warn(f"{said}; a larger preset would be better", stacklevel=2)


def _check_depth(run: Run) -> None:
    makers = [tng(run, i) for i in range(len(run.sources))]
    deepest = max(makers, key=lambda m: m.beyond)
    said = (
        f"κTNG's last source plane is at redshift {deepest.redshifts[-1]:.2f}, but "
        f"{deepest.beyond:.0%} of the sources lie beyond and are counted there"
    )
    if deepest.beyond > 0.5:
        raise ValueError(f"{said}: take a shallower n(z)")
    if deepest.beyond > 0.2:
        warnings.warn(f"{said}; a shallower n(z) would be better", stacklevel=2)
