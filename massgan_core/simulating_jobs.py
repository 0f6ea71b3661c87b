"""The jobs of a run: a box to simulate, or some maps to make and store.

A job is done in any process that sees the store (and the planes) at their paths. Every map is
made by one thread, so that its bits do not depend on how many workers there are.
"""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import torch

from massgan_core.data import MapStore
from massgan_core.simulate.cosmology import Cosmology, theory_spectrum
from massgan_core.simulate.lognormal import Lognormal
from massgan_core.simulating_plan import Run, realisations, tng
from massgan_core.sky import generator
from massgan_core.wiring import pick_device

#: Maps in a job, at most: few enough that progress shows, many enough to share a spectrum.
SIZES = {"lognormal": 100, "nbody": 16, "ktng": 100}

#: Share of the work on a box and its maps that the box itself is (``nbody``).
_OF_BOX = 0.9

Tell = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Job:
    """Some work, small enough to be sent to another process.

    Args:
        run: Settings.
        group: Box or cosmology, as :meth:`Run.cosmology` counts.
        rows: Maps to make; none: simulate the box.
        work: Share of the whole run, in maps.
        then: Jobs that can begin once this one is done.
    """

    run: Run
    group: int
    rows: tuple[int, ...]
    work: float
    then: tuple[Job, ...] = ()


def make_jobs(run: Run, store: MapStore, missing: Iterable[int]) -> list[Job]:
    """The jobs that make the missing rows."""
    jobs = []
    for group, rows in _grouped(run, store, list(missing)):
        nbody = run.kind == "nbody"
        each = 1 - _OF_BOX if nbody else 1.0
        size = SIZES[run.kind]
        parts = [rows[i : i + size] for i in range(0, len(rows), size)]
        maps = [Job(run, group, tuple(part), each * len(part)) for part in parts]
        jobs += [Job(run, group, (), _OF_BOX * len(rows), tuple(maps))] if nbody else maps
    return jobs


def do(job: Job, tell: Tell = lambda _: None) -> None:
    """Do a job; `tell` hears the share that is done, 0…1."""
    compiled = job.run.kind == "nbody"
    if job.rows:
        with threads(1, compiled):
            _make_maps(job, tell)
    else:
        with threads(torch.get_num_threads(), compiled):
            _simulate_box(job, tell)


def share_of_box(job: Job) -> float:
    """How far a box that another process simulates is, by its planes on disk."""
    run, box = job.run, job.group
    if job.rows:
        return 0.0
    folder = run.box_folder(box)
    planes = folder.with_name(f"{folder.name}.part").glob("plane_*.npy")
    return min(sum(1 for _ in planes) / len(run.box_preset.slabs(run.cosmology(box))), 1.0)


def drop_planes(run: Run, store: MapStore, boxes: Iterable[int] | None = None) -> None:
    """Remove the planes of the boxes (by default of all) that have given all their maps.

    A box with rows still to come, now or by an extension, keeps them; so does a run that was
    given a folder for planes.
    """
    if run.kind != "nbody" or run.keep or not run.planes.is_dir():
        return
    done = Counter(row // run.per_box for row in store.done())
    for box in done if boxes is None else boxes:
        if done[box] == run.per_box:
            shutil.rmtree(run.box_folder(box), ignore_errors=True)
    # Not while others may be about to make a folder in it.
    if boxes is None and not any(run.planes.iterdir()):
        run.planes.rmdir()


@contextmanager
def threads(count: int, compiled: bool = False) -> Iterator[None]:
    """Torch, and compiled loops if there are any, compute with so many threads meanwhile."""
    numba = _numba() if compiled else None
    before = torch.get_num_threads(), numba and numba.get_num_threads()
    torch.set_num_threads(count)
    if numba:
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        if numba:
            numba.set_num_threads(before[1])


def _numba() -> ModuleType | None:
    try:
        import numba
    except ImportError:
        return None
    return numba


def _make_maps(job: Job, tell: Tell) -> None:
    store = _store(job.run)
    seeds, sources = store.rows("seed"), store.rows("sources")
    maker, current = None, None
    for count, row in enumerate(sorted(job.rows, key=lambda row: (sources[row], row))):
        if sources[row] != current:
            current = int(sources[row])
            maker = _maker(job, current)
        kappa = maker(generator(int(seeds[row])))
        store.write(row, kappa - kappa.mean())
        tell((count + 1) / len(job.rows))


def _grouped(run: Run, store: MapStore, rows: list[int]) -> list[tuple[int, list[int]]]:
    """Rows that share what is costly: a box, a cosmology, or a realisation of κTNG."""
    groups: dict[object, list[int]] = {}
    if run.kind == "ktng":
        picked = realisations(run, store.rows("seed")[rows].tolist())
        for one, row in zip(picked, rows, strict=True):
            groups.setdefault(one, []).append(row)
        return [(0, groups[one]) for one in sorted(groups)]
    alone = run.kind == "lognormal" and not run.suite.ranges
    for row in rows:
        groups.setdefault(0 if alone else row // run.per_box, []).append(row)
    return list(groups.items())


def _simulate_box(job: Job, tell: Tell) -> None:
    from massgan_core.simulate.boxes import run_box

    run = job.run
    run_box(
        run.box_folder(job.group),
        run.box_preset,
        run.cosmology(job.group),
        run.box_seed(job.group),
        device=pick_device(run.device),
        progress=tell,
    )


def _maker(job: Job, source: int) -> Callable[[torch.Generator], torch.Tensor]:
    run = job.run
    if run.kind == "ktng":
        return tng(run, source)
    if run.kind == "lognormal":
        return _lognormal(run, run.cosmology(job.group), source)
    from massgan_core.simulate.light_cone import LightCone

    with warnings.catch_warnings():
        # Tiling was judged, and told once, when the run was planned.
        warnings.simplefilter("ignore")
        folder, device = run.box_folder(job.group), pick_device(run.device)
        return LightCone(folder, run.grid, run.sources[source], device=device)


@lru_cache(maxsize=1)
def _store(run: Run) -> MapStore:
    return MapStore.open(run.out)


@lru_cache(maxsize=16)
def _lognormal(run: Run, cosmology: Cosmology, source: int) -> Lognormal:
    maker = Lognormal(run.grid, theory_spectrum(run.sources[source], cosmology))
    return maker.to(pick_device(run.device))
