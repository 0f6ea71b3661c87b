"""The two jobs of a wide survey: samples of a coarse field, and the maps of a patch.

A job reads and writes files of the run's folder, and what it writes appears whole, so it can be
done twice, by any worker, in any order.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from socket import gethostname
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch

from massgan_core import wiring
from massgan_core.posterior import RunningMoments, Sampler, Summary
from massgan_core.posterior.large_scales import LargeScales
from massgan_core.sky import Grid, ShearField, remove_mean
from massgan_core.survey import grid_catalog
from massgan_core.surveying_draws import draws_of
from massgan_core.surveying_plan import COARSE, Survey

KEEP = 1024  #: samples held for quantiles, unless all are to be written


@dataclass(frozen=True)
class Done:
    """What is told of a job.

    Args:
        patch: Number of the patch; −1 for a coarse field.
        seconds: It took.
        cpu: Seconds of processor time of them.
        memory: Peak of the worker's memory so far [bytes].
        outside: Why the patch lies outside the network's domain.
    """

    patch: int
    seconds: float
    cpu: float
    memory: int
    outside: tuple[str, ...] = ()


def coarse_job(survey: Survey, tile: int, grid: Grid, first: int) -> Done:
    """A batch of samples of a coarse field, of Wiener (or the map of ks)."""
    started = _begin(survey)
    path = survey.coarse(tile, first)
    if not path.is_file():
        sources, sums = survey.sources, survey.spool.sums()
        field = sums.field(grid, sources, survey.name)
        sampler = coarse_sampler(survey, field)
        count = min(survey.batch, survey.samples - first)
        kappa = draws_of(sampler, field, survey.seed)(first, count).float()
        if tile == -1:  # the zero point of the whole survey
            kappa = remove_mean(kappa, field.footprint)
        with _whole(path) as part:
            np.save(part, kappa.numpy())
    return Done(-1, *_since(started), _peak())


def coarse_sampler(survey: Survey, field: ShearField) -> Sampler:
    """What makes the coarse field: Kaiser–Squires for itself, Wiener for all others."""
    if survey.method == "ks":
        from massgan_core.mapping import KaiserSquires

        return KaiserSquires(COARSE)
    return wiring.sampler("wiener", field)


def patch_job(survey: Survey, patch: int, wide: Grid, tile: int) -> Done:
    """Draw, summarise and write one patch."""
    started = _begin(survey)
    outside: list[str] = []
    if not survey.done(patch):
        field = patch_field(survey, patch)
        sampler = sampler_of(survey, field)
        outside = sampler.in_domain(field) if hasattr(sampler, "in_domain") else []
        summary = _summary(survey, patch, field, sampler, wide, tile)
        if survey.nside is not None:
            _write_piece(survey, patch, summary)
        _write(survey, patch, summary, sampler, outside)
    return Done(patch, *_since(started), _peak(), tuple(outside))


def patch_field(survey: Survey, patch: int) -> ShearField:
    """The galaxies of a patch on its grid, with the shape noise of the whole survey."""
    catalog = survey.spool.read(patch, survey.name)
    grid = survey.patches.grid(patch)
    field = grid_catalog(catalog, grid, noise=survey.noise, sources=survey.sources)
    if survey.noise != "weighted":
        return field
    scatter = survey.spool.sums().scatter
    notes = {**field.notes, "sigma_e": round(scatter, 6), "patch": patch}
    return replace(field, sigma=field.sigma * (scatter / catalog.scatter), notes=notes)


def sampler_of(survey: Survey, field: ShearField) -> Sampler:
    """The sampler of a run; a network is read once a worker."""
    if survey.method == "gan":
        return _network(survey.checkpoint, survey.device)
    return wiring.sampler(survey.method, field)


@lru_cache(maxsize=1)
def _network(checkpoint: str | None, device: str) -> Sampler:
    return wiring.trained("gan", checkpoint, device=device)


def _summary(
    survey: Survey, patch: int, field: ShearField, sampler: Sampler, wide: Grid, tile: int
) -> Summary:
    at = wiring.pick_device(survey.device)
    draw = draws_of(sampler, field.to(at), survey.seed)
    match = LargeScales(field.grid, wide, survey.smoothing)
    room = survey.samples if survey.save_samples else KEEP
    moments, kept = RunningMoments(), []
    for first in survey.batches():
        coarse = torch.from_numpy(np.load(survey.coarse(tile, first)))
        kappa = match(draw(first, len(coarse)).float().cpu(), coarse)
        moments = moments.update(kappa)
        if room > 0:
            kept.append(kappa[:room].clone())
            room -= len(kept[-1])
    about = {
        "sampler": survey.method,
        "seed": survey.seed,
        "batch": survey.batch,
        "threads": torch.get_num_threads(),
        "patch": patch,
        "coarse_pixel_scale": wide.pixel_scale,
        "coarse_smoothing": survey.smoothing,
        **getattr(sampler, "provenance", {}),
    }
    return Summary(field, moments, tuple(kept), about)


def _write(
    survey: Survey, patch: int, summary: Summary, sampler: Sampler, outside: list[str]
) -> None:
    from massgan_core.export import Maps
    from massgan_core.export.to_xarray import dataset_of

    maps = Maps.of(
        summary,
        ks=sampler if survey.method == "ks" else None,
        level=survey.level,
        threshold=survey.threshold,
        prob_smoothing=survey.prob_smoothing,
        outside=outside if hasattr(sampler, "in_domain") else None,
        uncalibrated=["calibrations are of single fields, not of patches"],
        save_samples=survey.save_samples,
    )
    rows, columns = survey.patches.window(patch)
    offset = rows.start, columns.start
    shape = rows.stop - rows.start, columns.stop - columns.start
    images = {name: image[rows, columns] for name, image in maps.images.items()}
    images.pop("KS", None)  # it has a zero point of its own
    images["OWNED"] = survey.patches.owned(patch)[rows, columns].astype(np.uint8)
    meaning = {**maps.meaning, "OWNED": "1 = this patch's own part of the sky"}
    samples = None if maps.samples is None else maps.samples[:, rows, columns]
    facts = {**maps.facts, "zero_point": "footprint mean of the whole survey"}
    cut = replace(
        maps,
        grid=maps.grid.resized(shape, offset=offset),
        images=images,
        meaning=meaning,
        samples=samples,
        facts=facts,
    )
    with _whole(survey.group(patch)) as part:
        dataset_of(cut).to_zarr(part, mode="w", zarr_format=2, consolidated=True)


def _write_piece(survey: Survey, patch: int, summary: Summary) -> None:
    from massgan_core.surveying_healpix import piece_of

    with _whole(survey.piece(patch)) as part, open(part, "wb") as file:
        np.savez(file, **piece_of(survey, patch, summary))


class _whole:
    """A path to write to that becomes `path` when the block ends well; what was there goes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(f"{path.stem}.{token_hex(4)}.part{path.suffix}")

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.part

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if kind is None:
                _take(self.part, self.path)
        finally:
            if self.part.is_dir():
                shutil.rmtree(self.part, ignore_errors=True)
            else:
                self.part.unlink(missing_ok=True)


def _take(part: Path, path: Path) -> None:
    """Rename; a second worker may have been quicker with the same thing, which then stays."""
    try:
        os.replace(part, path)
    except OSError:
        if not path.is_dir():
            raise


def _begin(survey: Survey) -> tuple[float, float]:
    """One thread, whatever the worker was started with: results are then the same anywhere."""
    if not survey.path.is_dir():
        raise FileNotFoundError(
            f"the Dask worker on {gethostname()} does not see {survey.path}: all workers need "
            "the folder of the output at the same path"
        )
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    return perf_counter(), process_time()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    return perf_counter() - started[0], process_time() - started[1]


def _peak() -> int:
    try:
        import resource
    except ImportError:  # not on this platform
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
