"""``massgan variability``: a page for a talk on how posterior samples differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from massgan_core.cli.reconstruct import Checkpoint, Steps


def variability(
    out: Annotated[Path, typer.Option(help="Page to write: .png, .pdf or .svg.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="[INPUT]",
            help="`cosmos`, a shear-field FITS, a galaxy catalogue (FITS, CSV, Parquet), or a "
            "simulated sky: lognormal, gaussian, nfw or nbody, with its seed as in lognormal:7.",
        ),
    ] = "cosmos",
    method: Annotated[str, typer.Option(help="gan, wiener or score.")] = "gan",
    checkpoint: Checkpoint = None,
    steps: Steps = None,
    samples: Annotated[int, typer.Option(help="Posterior samples in MEAN and STD.")] = 64,
    show: Annotated[int, typer.Option(help="Samples side by side, at most 6.")] = 4,
    batch: Annotated[int, typer.Option(help="Samples drawn at once.")] = 8,
    seed: Annotated[int, typer.Option(help="Sample i depends on (seed, i) alone.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    columns: Annotated[
        str | None,
        typer.Option(help="Catalogue columns: ra=RA,dec=DEC,e1=E1,e2=E2,weight=W."),
    ] = None,
    pixel_scale: Annotated[float | None, typer.Option(help="Side of a pixel [arcmin].")] = None,
    center: Annotated[str | None, typer.Option(help="Centre of the field, RA,DEC [deg].")] = None,
    size: Annotated[
        str | None, typer.Option(help="Side of the field, or WIDTH,HEIGHT [arcmin].")
    ] = None,
    flip_e1: Annotated[bool, typer.Option("--flip-e1", help="Change the sign of e1.")] = False,
    flip_e2: Annotated[bool, typer.Option("--flip-e2", help="Change the sign of e2.")] = False,
    ellipticity: Annotated[
        str, typer.Option(help="What e1, e2 are: shear or distortion.")
    ] = "shear",
    noise: Annotated[str, typer.Option(help="σ per pixel: weighted or published.")] = "weighted",
    nz: Annotated[
        str | None, typer.Option(help="Source redshifts: two columns, redshift and count.")
    ] = None,
    zs: Annotated[float | None, typer.Option(help="All sources at this redshift.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Draw posterior samples side by side, each minus their MEAN, MEAN and STD.

    With the truth and TRUTH − MEAN where the field is simulated, and X-ray clusters of galaxies
    on the real COSMOS field. The page is as wide as a slide.
    """
    from massgan_core import wiring
    from massgan_core.cli.inputs import check_method, open_input, warn_outside
    from massgan_core.cli.reconstruct import draw
    from massgan_core.evaluating.plots.page import check_page
    from massgan_core.evaluating.plots.variability import MOST
    from massgan_core.evaluating.plots.variability import variability as page
    from massgan_core.survey import clusters

    # Everything that can be refused is refused before any work.
    check_page(out, overwrite=overwrite)
    check_method(method, samples, batch)
    if not 1 <= show <= min(MOST, samples):
        raise ValueError(f"--show must lie between 1 and {min(MOST, samples)}, got {show}")
    at = wiring.pick_device(device)
    wiring.check_steps(method, steps)
    field = open_input(
        source,
        center=center,
        size=size,
        columns=columns,
        pixel_scale=pixel_scale,
        flip_e1=flip_e1,
        flip_e2=flip_e2,
        ellipticity=ellipticity,
        noise=noise,
        nz=nz,
        zs=zs,
    )
    made = {"checkpoint": checkpoint, "device": device, "steps": steps}
    sampler = wiring.sampler(method, field, **made)
    warn_outside(sampler, field, checkpoint)
    summary = draw(sampler, field.to(at), samples, batch, seed=seed, keep=show)
    # Samples arrive on the CPU: what is drawn with them is needed there too.
    page(replace(summary, field=field), show, clusters=clusters()).save(out, overwrite=overwrite)
    typer.echo(f"Wrote {out}.")
