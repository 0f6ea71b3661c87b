"""Simulating put together: settings → a plan of rows → boxes and maps → a store on disk.

The same call makes ten maps or a hundred thousand, begins a store, goes on with one that was
stopped, and extends one: rows that are there are left alone, and a row's map depends on the
settings and its number only, not on workers, order or interruptions.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from massgan_core import simulating_workers as places
from massgan_core.data import MapStore
from massgan_core.simulate import PLANCK, Cosmology
from massgan_core.simulate.suite import Suite
from massgan_core.simulating_checks import check_memory, check_numbers, check_options, check_room
from massgan_core.simulating_jobs import Job, drop_planes, make_jobs, share_of_box
from massgan_core.simulating_plan import Run, facts, plan_rows, tables
from massgan_core.sky import Grid, Sources
from massgan_core.wiring import pick_device

PER_BOX = 100  #: rows that share a box or a cosmology, by default
_GLANCE = 5.0  #: between looks at boxes that other processes simulate [s]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Args:
        maps: Maps that are there.
        total: Maps wanted.
        boxes: Boxes simulated in this run (``nbody``).
        all_boxes: Boxes to simulate in this run.
        share: Of the whole work, 0…1; a box that is being simulated counts in part.
    """

    maps: int
    total: int
    boxes: int
    all_boxes: int
    share: float


@dataclass(frozen=True)
class Outcome:
    """What a run has done.

    Args:
        store: The maps.
        written: Maps made by this call.
        before: Maps that were there.
        boxes: Boxes that the maps of this call come from.
        seconds: Wall-clock time.
    """

    store: MapStore
    written: int
    before: int
    boxes: int
    seconds: float


Watch = Callable[[Progress], None]


def simulate(
    out: str | os.PathLike[str],
    *,
    n: int,
    kind: str = "lognormal",
    seed: int = 0,
    side: int = 300,
    pixel_scale: float = 0.29,
    sources: Sources | None = None,
    stretch: Sequence[float] = (1.0,),
    cosmology: Cosmology | None = None,
    prior: Mapping[str, tuple[float, float]] | None = None,
    per_box: int | None = None,
    preset: str | None = None,
    planes: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    boxes: Sequence[int] | None = None,
    dtype: str = "float16",
    workers: int = 1,
    dask: Any = None,
    device: str = "auto",
    watch: Watch = lambda _: None,
) -> Outcome:
    """Make the first `n` κ maps of a run, as far as the store `out` does not hold them yet.

    Args:
        out: Store: begun, resumed or extended.
        n: Maps wanted.
        kind: ``lognormal``, ``nbody`` or ``ktng``.
        seed: Of everything.
        side: Pixels of the crops one trains on; maps are twice as large, so that the shear of
            a crop does not wrap around.
        pixel_scale: [arcmin].
        sources: n(z); by default that of COSMOS.
        stretch: Factors on its redshifts; row i has n(z) number i modulo their number.
        cosmology: Of all maps; Planck by default.
        prior: Ranges (low, high) of parameters that vary, see
            :class:`massgan_core.simulate.suite.Suite`.
        per_box: Rows that share a box (``nbody``) or a cosmology (``lognormal``); 100.
        preset: Boxes of ``nbody``: ``tiny``, ``small`` (default), ``standard`` or ``large``.
        planes: Folder where the planes of the boxes stay for other runs. By default they lie
            beside the store, those of a box until all its maps are made.
        root: Folder of the κTNG files.
        boxes: Numbers LP of κTNG to take; all by default.
        dtype: ``float16`` or ``float32`` on disk.
        workers: Processes. A script that asks for several needs ``if __name__ == "__main__"``.
        dask: A Dask scheduler in their place, see :func:`massgan_core.simulating_workers.workers`.
        device: ``auto``, ``cpu`` or an accelerator.
        watch: Is told the progress.

    Raises:
        ValueError: Settings that cannot be, or are not those of the store.
        OSError: The store cannot be written; the maps written before remain.
    """
    check_numbers(n=n, side=side, workers=workers)
    check_options(
        kind,
        cosmology=cosmology or prior,
        per_box=per_box,
        preset=preset,
        planes=planes,
        root=root,
        boxes=boxes,
    )
    if dask is not None and workers > 1:
        raise ValueError("give `workers` or `dask`, not both: the cluster has its own workers")
    out = Path(os.path.abspath(out))
    run = Run(
        out=out,
        kind=kind,
        seed=int(seed),
        grid=Grid((2 * side, 2 * side), pixel_scale),
        sources=tables(sources, stretch),
        suite=Suite(cosmology or PLANCK, dict(prior or {}), int(seed)),
        per_box=PER_BOX if per_box is None else per_box,
        preset=preset or "small",
        planes=Path(os.path.abspath(planes or out.with_name(f"{out.name}.planes"))),
        keep=planes is not None,
        root=None if root is None else Path(os.path.abspath(root)),
        boxes=None if boxes is None else tuple(boxes),
        dtype=dtype,
        device=device,
    )
    if dask is None:
        check_memory(run, workers, pick_device(device))
    return _make(run, n, workers, dask, watch)


def _make(run: Run, n: int, count: int, dask: Any, watch: Watch) -> Outcome:
    started = perf_counter()
    rows, shared = plan_rows(run, n), facts(run)
    check_room(run, n)
    with places.workers(count, dask) as place, ExitStack() as held:
        # Before the plan grows; a store that is not there yet appears whole.
        there = run.out.is_dir()
        if there:
            held.enter_context(alone(run.out))
        store = MapStore.plan(run.out, rows, **shared)
        if not there:
            held.enter_context(alone(run.out))
        store.sweep()
        drop_planes(run, store)  # of boxes that a killed run had just finished
        missing = [row for row in store.missing() if row < n]
        jobs = make_jobs(run, store, missing)
        try:
            _drive(place, jobs, _Tracker(n, n - len(missing), jobs, watch), store)
        except Exception as error:
            told = _told(error, store, n)
            if told is None:
                raise
            raise told from error
        finally:
            drop_planes(run, store)
    boxes = len(np.unique(rows["box"][missing]))
    return Outcome(store, len(missing), n - len(missing), boxes, perf_counter() - started)


def _drive(place: places.Workers, jobs: list[Job], tracker: _Tracker, store: MapStore) -> None:
    """Hand out all jobs, and what follows them, a window at a time."""
    queue, running = deque(jobs), {}
    while queue or running:
        while queue and len(running) < place.window:
            job = queue.popleft()
            running[place.submit(job, partial(tracker.part, job))] = job
        done = wait(running, _GLANCE, FIRST_COMPLETED).done
        for future in done:
            job = running.pop(future)
            future.result()
            queue.extendleft(reversed(job.then))
            tracker.finished(job)
            if job.rows:
                drop_planes(job.run, store, [job.group])
        if not done:
            for job in running.values():
                tracker.part(job, share_of_box(job))


class _Tracker:
    def __init__(self, total: int, before: int, jobs: list[Job], watch: Watch) -> None:
        self.total, self.maps, self.work, self.boxes = total, before, float(before), 0
        self.all_boxes, self._watch = sum(not job.rows for job in jobs), watch
        self._parts: dict[Job, float] = {}
        self._tell()

    def part(self, job: Job, share: float) -> None:
        """A share of a job is done."""
        self._parts[job] = share
        self._tell()

    def finished(self, job: Job) -> None:
        """All of a job is done."""
        self._parts.pop(job, None)
        self.maps, self.work = self.maps + len(job.rows), self.work + job.work
        self.boxes += not job.rows
        self._tell()

    def _tell(self) -> None:
        maps = self.maps + sum(round(s * len(job.rows)) for job, s in self._parts.items())
        work = self.work + sum(s * job.work for job, s in self._parts.items())
        share = min(work / self.total, 1.0)
        self._watch(Progress(maps, self.total, self.boxes, self.all_boxes, share))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second run out of a store; a killed one leaves no lock behind."""
    try:
        import fcntl
    except ImportError:  # not on this platform
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ValueError(f"{folder} is being filled by another run: let it end first") from None
    except OSError:
        pass  # a file system without locks
    try:
        yield
    finally:
        os.close(handle)


def _told(error: Exception, store: MapStore, n: int) -> OSError | None:
    """An error of disk, network or workers in one sentence: what remains and how to go on."""
    there = sum(row < n for row in store.done())
    go_on = f"the {there} of {n} maps written remain, and the same command goes on from there"
    if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
        return ChildProcessError(
            f"a worker process died (was memory short? fewer workers need less); {go_on}"
        )
    if isinstance(error, CancelledError):
        return ConnectionError(f"the Dask cluster is gone; {go_on}")
    if not isinstance(error, OSError):
        return None
    # numpy says so without a number when a file cannot take all of an array.
    short = re.match(r"\d+ requested and \d+ written", str(error))
    if error.errno in (ENOSPC, EDQUOT) or short:
        full = f"no room is left on the disk; {go_on} once there is room"
        return OSError(error.errno or ENOSPC, full, str(error.filename or store.path))
    if error.errno is None:
        return OSError(f"{error}; {go_on}")
    return OSError(error.errno, f"{error.strerror}; {go_on}", error.filename)
