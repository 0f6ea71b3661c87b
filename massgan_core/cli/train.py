"""``massgan train``: simulate skies and train on them, one stage after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset, or a TOML file.")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Overrides, e.g. train.seed=2.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("run"),
    stage: Annotated[str, typer.Option(help="both, regression or adversarial.")] = "both",
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint whose weights the stage starts from.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a generator on simulated skies made on the fly; two stages."""
    from massgan_core.gan.config import read_config
    from massgan_core.training import train_stages
    from massgan_core.wiring import pick_device

    config = read_config(preset, settings)
    path = train_stages(
        config, out, stage=stage, start=start, resume=resume, device=pick_device(device)
    )
    typer.echo(f"wrote {path}")
