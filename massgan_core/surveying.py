"""A wide survey put together: catalogue → patches on the workers of a cluster → one store.

One pass over the catalogue gives every patch its galaxies and the coarse field its sums. Samples
of the coarse field are drawn first, then the patches, each written by the worker that made it.
What is there is left alone, so a run that was stopped goes on; sample i of a place on the sky
depends on the settings only, not on workers, order or interruptions.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

import numpy as np

from massgan_core import __version__, wiring
from massgan_core.simulating import alone
from massgan_core.survey import Catalog, Orientation, orientation_check
from massgan_core.survey.batches import read_batches
from massgan_core.survey.open import given_sources
from massgan_core.surveying_checks import check_settings
from massgan_core.surveying_cluster import check_scheduler, client_of, in_flight
from massgan_core.surveying_jobs import Done, coarse_job, patch_field, patch_job
from massgan_core.surveying_plan import INTERIOR, MARGIN, PIXEL_SCALE, Survey, keep_settings

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Progress:
    """How far a run is: galaxies read, then batches of the coarse field, then patches."""

    stage: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Outcome:
    """What a run has done.

    Args:
        patches: In the store.
        made: By this call.
        galaxies: In all patches.
        seconds: Wall-clock time of reading, of the coarse field and of the patches.
        busy: Share of the time of the cluster's threads that went into patches.
        cpu: Seconds of processor time of all patches.
        memory: Largest peak of a worker's memory [bytes].
        outside: Patch → why it lies outside the network's domain.
    """

    patches: int
    made: int
    galaxies: int
    seconds: dict[str, float]
    busy: float
    cpu: float
    memory: int
    outside: dict[int, tuple[str, ...]]


Watch = Callable[[Progress], None]


def reconstruct_survey(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    dask: Any = "local",
    method: str = "gan",
    checkpoint: str | None = None,
    samples: int = 64,
    batch: int = 8,
    seed: int = 0,
    device: str = "auto",
    pixel_scale: float | None = None,
    interior: float | None = None,
    margin: float | None = None,
    nside: int | None = None,
    columns: Any = None,
    flip_e1: bool = False,
    flip_e2: bool = False,
    ellipticity: str = "shear",
    noise: str = "weighted",
    nz: str | os.PathLike[str] | None = None,
    zs: float | None = None,
    level: float = 0.95,
    threshold: float | None = None,
    prob_smoothing: float = 1.0,
    save_samples: bool = False,
    overwrite: bool = False,
    watch: Watch = lambda _: None,
    look: Callable[[Orientation], None] = lambda _: None,
) -> Outcome:
    """Maps of κ of a catalogue of any area, a group of a Zarr store for each patch of sky.

    Args:
        source: Catalogue: FITS, CSV or Parquet.
        out: ``.zarr`` store. Until it is there, ``OUT.zarr.parts`` beside it holds the run.
        dask: ``local``, ``local:N``, a scheduler's address or file, or a cluster object. Its
            workers must see the folder of `out`, at the same path.
        method: ``gan``, ``wiener`` or ``ks``.
        checkpoint: Name or file of the network.
        samples, batch, seed: Sample i depends on (`seed`, i) alone.
        device: Of each worker.
        pixel_scale: [arcmin]; 0.29 by default.
        interior, margin: Largest side of a patch's own part, and what is seen around it
            [arcmin]; 400 and 56 pixels by default.
        nside: Also join the patches to HEALPix maps of this resolution (group ``healpix``).
        columns, flip_e1, flip_e2, ellipticity, noise, nz, zs: As for
            :func:`massgan_core.survey.open_field`.
        level, threshold, prob_smoothing, save_samples: As in :meth:`massgan_core.export.Maps.of`.
        overwrite: Replace a store of that name.
        watch: Is told the progress.
        look: Is given what the orientation of the ellipticities looks like in the fullest patch.

    Raises:
        ValueError: Settings that cannot be, or not those of the run that is to go on.
        OSError: The catalogue or the scheduler is not there, or the store cannot be written.
    """
    from massgan_core.export import check_output

    out, source = Path(os.path.abspath(out)), Path(source)
    check_output(out, overwrite=overwrite)
    if out.suffix != ".zarr":
        raise ValueError(f"a wide survey is written as a .zarr store, got {out.name!r}")
    check_scheduler(dask)
    scale = PIXEL_SCALE if pixel_scale is None else pixel_scale
    check_settings(method, samples, batch, scale, interior, margin, nside, ellipticity, noise)
    given = given_sources(nz, zs)
    if not source.is_file():
        raise FileNotFoundError(
            f"INPUT must be a catalogue of galaxies, there is no file {source}"
        )
    if method == "gan":
        wiring.trained("gan", checkpoint, device=device)  # says now what is wrong with it
    if nside is not None:
        from massgan_core.surveying_healpix import healpy

        healpy()
    one = method in wiring.MAPS
    survey = Survey(
        folder=f"{out}.parts",
        name=source.name,
        method=method,
        checkpoint=checkpoint,
        device=device,
        pixel_scale=scale,
        interior=INTERIOR * scale if interior is None else interior,
        margin=MARGIN * scale if margin is None else margin,
        samples=1 if one else samples,
        batch=1 if one else batch,
        seed=int(seed),
        level=level,
        threshold=None if one else threshold,
        prob_smoothing=prob_smoothing,
        save_samples=save_samples and not one,
        noise=noise,
        nside=nside,
        redshift=None if given is None else tuple(given.redshift.tolist()),
        density=None if given is None else tuple(given.density.tolist()),
    )
    stat = source.stat()
    changes = {"flip_e1": flip_e1, "flip_e2": flip_e2, "ellipticity": ellipticity}
    catalogue = {
        "catalogue": str(source.resolve()),
        "bytes": stat.st_size,
        "changed": stat.st_mtime_ns,
        "columns": columns,
        **changes,
    }
    batches = read_batches(source, columns)
    first = next(batches, None)  # a column that is missing is said before anything is written
    if first is None:
        raise ValueError(f"{source.name} holds no galaxies")
    with ExitStack() as held:
        held.callback(batches.close)
        client = held.enter_context(client_of(dask))  # before anything is written
        keep_settings(survey, catalogue)
        held.enter_context(alone(survey.path))
        started = perf_counter()
        if not survey.spool.filled:
            survey.spool.fill(
                chain([first], batches),
                survey.patches,
                survey.name,
                change=lambda catalog: _changed(catalog, **changes),
                watch=lambda rows: watch(Progress("galaxies", rows, None)),
            )
        seconds = {"reading": perf_counter() - started}
        made = _make(survey, client, watch, look, seconds)
        threads = sum(client.nthreads().values())
        return _finish(survey, out, overwrite, made, seconds, threads)


def _make(
    survey: Survey, client: Client, watch: Watch, look: Callable, seconds: dict[str, float]
) -> list[Done]:
    patches, counts = survey.spool.plan()
    missing = [p for p in patches.tolist() if not survey.done(p)]
    before, tiles = len(patches) - len(missing), survey.coarse_grids(patches)
    if missing:
        look(orientation_check(patch_field(survey, int(patches[counts.argmax()]))))
    coarse = [
        (survey, tile, grid, first)
        for tile, grid in tiles.items()
        for first in survey.batches()
        if missing and not survey.coarse(tile, first).is_file()
    ]
    at = ((p, survey.coarse_tile(p, tiles)) for p in missing)
    jobs = ((survey, p, tiles[tile], tile) for p, tile in at)
    try:
        started = perf_counter()
        for i, _ in enumerate(in_flight(client, coarse_job, coarse), 1):
            watch(Progress("coarse batches", i, len(coarse)))
        seconds["coarse"], started = perf_counter() - started, perf_counter()
        made = []
        for done in in_flight(client, patch_job, jobs):
            made.append(done)
            watch(Progress("patches", before + len(made), len(patches)))
        seconds["patches"] = perf_counter() - started
    except Exception as error:
        told = _told(error, survey, patches)
        if told is None:
            raise
        raise told from error
    return made


def _finish(
    survey: Survey,
    out: Path,
    overwrite: bool,
    made: list[Done],
    seconds: dict[str, float],
    threads: int,
) -> Outcome:
    """The table of patches and the joined map; then the store takes its name."""
    import xarray
    import zarr

    from massgan_core.export.whole import check_place, take_place

    patches, counts = survey.spool.plan()
    ra, dec = survey.patches.rings.center(patches)
    root = zarr.open_group(survey.store, mode="a", zarr_format=2)
    facts = {k: v for k, v in survey.facts().items() if v is not None}
    root.attrs.update({"version": __version__, "content": "wide survey", **facts})
    zarr.open_group(survey.store / "patch", mode="a", zarr_format=2)
    table = {
        "ra": ("patch", ra, {"units": "deg"}),
        "dec": ("patch", dec, {"units": "deg"}),
        "galaxies": ("patch", counts, {"long_name": "galaxies in the patch's own part"}),
    }
    xarray.Dataset(table, {"patch": patches}).to_zarr(
        survey.store, group="patches", mode="w", zarr_format=2, consolidated=False
    )
    if survey.nside is not None:
        from massgan_core.surveying_healpix import join

        join(survey, patches)
    with catch_warnings():  # of what zarr thinks of its own second format
        simplefilter("ignore")
        zarr.consolidate_metadata(survey.store, zarr_format=2)
    check_place(out, overwrite=overwrite)  # the store stays where it is if another has come
    take_place(survey.store, out)
    shutil.rmtree(survey.path, ignore_errors=True)
    return Outcome(
        patches=len(patches),
        made=len(made),
        galaxies=int(counts.sum()),
        seconds=seconds,
        busy=sum(done.seconds for done in made) / max(threads * seconds.get("patches", 0), 1e-9),
        cpu=sum(done.cpu for done in made),
        memory=max((done.memory for done in made), default=0),
        outside={done.patch: done.outside for done in made if done.outside},
    )


def _changed(catalog: Catalog, *, flip_e1: bool, flip_e2: bool, ellipticity: str) -> Catalog:
    if ellipticity == "distortion":
        catalog = catalog.from_distortion()
    return catalog.flipped(e1=flip_e1, e2=flip_e2)


def _told(error: Exception, survey: Survey, patches: np.ndarray) -> OSError | None:
    """An error of workers, disk or network in one sentence: what remains and how to go on."""
    there = sum(survey.done(p) for p in patches.tolist())
    go_on = (
        f"the {there} of {len(patches)} patches made remain, and the same command goes on from "
        "there"
    )
    kind = type(error).__name__
    if kind == "KilledWorker":
        return ChildProcessError(
            f"worker processes died again and again (was memory short? a smaller --batch needs "
            f"less); {go_on}"
        )
    if isinstance(error, CancelledError) or kind in ("FutureCancelledError", "CommClosedError"):
        return ConnectionError(f"the Dask cluster is gone; {go_on}")
    if isinstance(error, OSError):
        text = error.strerror or str(error)
        return OSError(error.errno or 0, f"{text}; {go_on}", error.filename)
    return None
