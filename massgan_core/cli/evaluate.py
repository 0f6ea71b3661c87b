"""``massgan evaluate``: every method on the same fields, and how right each is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    data: Annotated[
        Path,
        typer.Option(metavar="TEST.zarr", help="Maps of boxes that trained none of the methods."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="REPORT_DIR", help="Folder of report.html, .csv, .tex, .json.")
    ],
    methods: Annotated[
        str,
        typer.Option(
            help="ks, wiener, sparse, gan, regression, score, or NAME=CHECKPOINT; with commas "
            "between them."
        ),
    ] = "ks,wiener,sparse,gan",
    fields: Annotated[int, typer.Option(help="Test fields, at most.")] = 64,
    samples: Annotated[
        int,
        typer.Option(
            help="Posterior samples a field; 63 or another multiple of 16 less 1 "
            "gives rank histograms."
        ),
    ] = 63,
    depth: Annotated[
        list[float] | None,
        typer.Option(help="The same at this depth too [galaxies/arcmin²]; may be given again."),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="MORE.zarr",
            help="The same on maps of another store: another σ8, another kind of sky; may be "
            "given again.",
        ),
    ] = None,
    ktng: Annotated[
        Path | None, typer.Option(help="FITS map of κTNG, or the folder that holds it.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Noises of the κTNG map.")] = 32,
    clusters: Annotated[
        bool, typer.Option(help="Stack the real COSMOS field on its X-ray clusters too.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of noise, latents and bootstrap.")] = 0,
    batch: Annotated[int, typer.Option(help="Samples drawn at once.")] = 8,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Measure methods on the same leak-free fields, with errors over simulation boxes.

    Writes one page with plots (report.html), a table (report.csv, report.tex) and all figures
    (report.json). A run that was stopped goes on where it was.
    """
    from tqdm import tqdm

    from massgan_core.evaluating import evaluate as run
    from massgan_core.evaluating import report
    from massgan_core.wiring import pick_device

    report.check()
    # disable=None: no bar in a log file or a pipe.
    with tqdm(unit="field", desc="Evaluating", disable=None) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = run(
            data,
            out,
            specs=[m.strip() for m in methods.split(",") if m.strip()],
            fields=fields,
            samples=samples,
            depths=depth or (),
            also=also or (),
            ktng=ktng,
            draws=draws,
            clusters=clusters,
            seed=seed,
            batch=batch,
            workers=workers,
            device=str(pick_device(device)),
            watch=watch,
        )
    report.write(found, out)
    for line in report.lines(found):
        typer.echo(line)
    typer.echo(f"Wrote {out / 'report.html'}, report.csv, report.tex and report.json.")
