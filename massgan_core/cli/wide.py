"""The part of ``massgan reconstruct`` that makes wide surveys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massgan_core.cli.sentence import say

if TYPE_CHECKING:
    from massgan_core.surveying import Outcome, Progress

Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="SCHEDULER",
        help="Cut the sky into patches for a Dask cluster: local, local:N workers, the address "
        "of a scheduler (tcp://HOST:8786) or its scheduler file.",
        show_default="local where the galaxies fit into no field",
    ),
]
Patch = Annotated[
    float | None,
    typer.Option(help="Side of a patch's own part [arcmin].", show_default="400 pixels"),
]
Margin = Annotated[
    float | None,
    typer.Option(help="What a patch sees around it [arcmin].", show_default="56 pixels"),
]
Healpix = Annotated[
    int | None,
    typer.Option(metavar="NSIDE", help="Join the patches to HEALPix maps as well."),
]


def scheduler_for(
    source: str,
    dask: str | None,
    columns: str | None,
    pixel_scale: float | None,
    center: str | None,
    size: str | None,
    as_patches: dict[str, Any],
) -> str | None:
    """Where the patches of `source` are made; `None` for what is one field.

    Raises:
        ValueError: Options of patches for what is one field.
    """
    if dask is not None:
        return dask
    if center is None and size is None and _too_wide(source, columns, pixel_scale):
        say("The galaxies fit into no one field: cut into patches for workers on this machine.")
        return "local"
    given = [f"--{name}" for name, value in as_patches.items() if value is not None]
    if given:
        raise ValueError(f"{', '.join(given)} belong to patches of a wide survey: give --dask too")
    return None


def _too_wide(source: str, columns: str | None, pixel_scale: float | None) -> bool:
    if source == "cosmos" or not Path(source).is_file():
        return False
    from massgan_core.survey.batches import extent
    from massgan_core.survey.gridding import MOST_PIXELS
    from massgan_core.survey.open import PIXEL_SCALE
    from massgan_core.survey.shear_fits import is_shear_fits
    from massgan_core.survey.tables import file_kind

    if file_kind(source) == "fits" and is_shear_fits(source):
        return False
    scale = PIXEL_SCALE if pixel_scale is None else pixel_scale
    if not scale > 0:
        return False  # who grids it says so
    # The circle may be wider than the field, by the diagonal of a square at most.
    return extent(source, columns) / 2**0.5 > MOST_PIXELS * scale / 60


def reconstruct_wide(
    source: str, out: Path, scheduler: str, *, refused: dict[str, Any], **choices: Any
) -> None:
    """The maps of a wide survey, with progress where somebody watches, and what there is to say.

    Args:
        source: Catalogue.
        out: Zarr store.
        scheduler: Of Dask.
        refused: Options that wide surveys do not know, by name.
        choices: Of :func:`massgan_core.surveying.reconstruct_survey`.
    """
    from tqdm import tqdm

    from massgan_core.surveying import reconstruct_survey

    given = [f"--{name}" for name, value in refused.items() if value is not None]
    if given:
        raise ValueError(f"{', '.join(given)} belong to single fields: leave them out with --dask")
    bars: dict[str, tqdm] = {}

    def watch(progress: Progress) -> None:
        if progress.stage not in bars:
            unit = " galaxies" if progress.total is None else ""
            # disable=None: no bar in a log file or a pipe.
            bars[progress.stage] = tqdm(
                total=progress.total, desc=progress.stage, unit=unit, disable=None
            )
        bar = bars[progress.stage]
        bar.update(progress.done - bar.n)

    def look(orientation: Any) -> None:
        (say if orientation.suspicious else typer.echo)(
            f"Warning: {orientation.sentence}" if orientation.suspicious else orientation.sentence
        )

    try:
        outcome = reconstruct_survey(
            source, out, dask=scheduler, watch=watch, look=look, **choices
        )
    finally:
        for bar in bars.values():
            bar.close()
    for line in _report(outcome):
        typer.echo(line)
    typer.echo(f"Wrote {out}.")


def _report(outcome: Outcome) -> list[str]:
    before = outcome.patches - outcome.made
    there = f", {before} of them there before" if before else ""
    lines = [f"{outcome.galaxies:,} galaxies in {outcome.patches} patches{there}."]
    if outcome.outside:
        patch, reasons = next(iter(outcome.outside.items()))
        lines.append(
            f"Warning: {len(outcome.outside)} of {outcome.made} patches lie outside the domain of "
            f"the network, whose uncertainty there is not to be trusted (patch {patch}: "
            f"{'; '.join(reasons)})."
        )
    if outcome.made:
        took = ", ".join(f"{stage} {s:.1f} s" for stage, s in outcome.seconds.items())
        each = outcome.cpu / outcome.made
        lines.append(
            f"Took: {took}; workers busy {outcome.busy:.0%}, {each:.2f} s of processor a patch; "
            f"largest memory of a worker {outcome.memory / 2**30:.2f} GiB."
        )
    return lines
