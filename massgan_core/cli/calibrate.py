"""``massgan calibrate``: intervals of κ with a guarantee, from maps whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massgan_core.cli.sentence import say

if TYPE_CHECKING:
    from massgan_core.calibrating import Outcome


def calibrate(
    data: Annotated[
        Path,
        typer.Option(metavar="CAL.zarr", help="Maps of boxes that took no part in the training."),
    ],
    checkpoint: Annotated[
        str, typer.Option(help="Name or .safetensors file of a trained network.")
    ] = "default",
    method: Annotated[
        str,
        typer.Option(
            help="residual or cqr (conformal, a λ for each pixel or bin), or rcps (one λ, with "
            "a stated confidence)."
        ),
    ] = "residual",
    level: Annotated[
        list[float] | None,
        typer.Option(help="Probability inside; may be given again.", show_default="0.68, 0.95"),
    ] = None,
    fields: Annotated[
        str,
        typer.Option(
            help="survey (each pixel of the COSMOS grid), other (by noise and distance from the "
            "edge) or all; one leaves the other of the file it replaces."
        ),
    ] = "all",
    samples: Annotated[
        int, typer.Option(help="Posterior samples a field; later use as many or more.")
    ] = 32,
    maps: Annotated[int, typer.Option(help="Maps to calibrate; at least 100.")] = 100,
    per_box: Annotated[int, typer.Option(help="At most so many maps of a box; at most 5.")] = 5,
    held_out: Annotated[
        float, typer.Option(help="Share of the boxes on which the coverage is measured.")
    ] = 0.2,
    units: Annotated[
        str,
        typer.Option(
            help="maps, or boxes: a guarantee even where maps of a box are alike; wider intervals."
        ),
    ] = "maps",
    delta: Annotated[
        float, typer.Option(help="rcps: probability that the risk is exceeded all the same.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Of maps, noise, masks and latents.")] = 0,
    batch: Annotated[int, typer.Option(help="Samples drawn at once.")] = 8,
    out: Annotated[
        Path | None,
        typer.Option(help="File.", show_default="CHECKPOINT.calibration.safetensors"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Learn by how much LOW and HIGH must be moved to hold the truth as often as they say.

    It takes at least 100 maps of 20 boxes, and some more boxes to show the coverage before and
    after. A run that was stopped goes on where it was. `massgan reconstruct` finds the file.
    """
    from tqdm import tqdm

    from massgan_core.calibrating import LEVELS
    from massgan_core.calibrating import calibrate as run
    from massgan_core.wiring import pick_device

    # disable=None: no bar in a log file or a pipe.
    with tqdm(unit="field", desc="Calibrating", disable=None) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        outcome = run(
            data,
            checkpoint,
            method=method,
            levels=level or LEVELS,
            fields=fields,
            samples=samples,
            maps=maps,
            per_box=per_box,
            held_out=held_out,
            units=units,
            delta=delta,
            seed=seed,
            batch=batch,
            out=out,
            overwrite=overwrite,
            device=pick_device(device),
            watch=watch,
        )
    _report(outcome)


def _report(outcome: Outcome) -> None:
    """Coverage before and after, what to know, and where the file is."""
    from massgan_core.calibrating.kept import sources

    made = outcome.calibration
    for part in dict.fromkeys(c.part for c in outcome.coverage):
        behind = sources(made)[part]
        typer.echo(
            f"{made.method} on {part}: {behind['maps']} maps of {behind['boxes']} boxes, "
            f"{made.samples} samples each."
        )
    overall = [c for c in outcome.coverage if c.skies == "all"]
    for c in overall:
        typer.echo(
            f"Coverage at {c.level:.1%} on {c.part}: {c.before:.1%} by the samples' quantiles, "
            f"{c.after:.1%} ± {c.error:.1%} calibrated ({c.maps} maps, {c.boxes} boxes held out)."
        )
    for note in outcome.notes:
        typer.echo(f"Note: {note}.")
    for c in overall:
        if c.passes:
            continue
        if c.after < c.level:
            say(
                f"Warning: the coverage at {c.level:.1%} on {c.part} falls short by more than its "
                "error: calibrate with more boxes."
            )
        elif made.method != "rcps":
            typer.echo(
                f"Note: intervals at {c.level:.1%} on {c.part} are wider than need be: more maps "
                "make them narrower."
            )
    typer.echo(f"Wrote {outcome.path}.")
