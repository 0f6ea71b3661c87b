"""``massgan train``: simulate skies and train on them, one stage after the other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from massgan_core.score.config import ScoreConfig


def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset, a TOML file, or score.")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Overrides, e.g. train.seed=2.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("run"),
    data: Annotated[
        Path | None,
        typer.Option(metavar="MAPS.zarr", help="Maps of `massgan simulate` to train on."),
    ] = None,
    simulate: Annotated[
        str,
        typer.Option(
            metavar="PRESET",
            help="Simulate first: small, standard, large (boxes) or lognormal; the maps go into "
            "OUT/maps.zarr.",
        ),
    ] = "",
    maps: Annotated[int, typer.Option(help="How many maps to simulate.")] = 6000,
    per_box: Annotated[int, typer.Option(help="Maps from one box.")] = 120,
    stage: Annotated[
        str, typer.Option(help="both, regression, adversarial or variance.")
    ] = "both",
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint whose weights the stage starts from.")
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="Stop after so long; --resume goes on later.")
    ] = float("inf"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Train a generator in two stages, on maps of a store or on skies made on the fly.

    The third stage, `--stage variance --start regression.safetensors`, is not part of both: it
    gives the mean that regression found a variance. The preset `score` learns the prior of
    `--method score` instead, in one stage; its settings are without sections (steps=2000).

    Under `torchrun --nproc-per-node N --no-python massgan train …` N devices share each batch.
    """
    from os import environ

    from massgan_core.gan.config import read_config
    from massgan_core.training import train_stages
    from massgan_core.training_score import train_score
    from massgan_core.wiring import pick_device

    if simulate and data is not None:
        raise ValueError("give `--data` or `--simulate`, not both")
    prior = preset == "score"
    if prior and (stage != "both" or start is not None):
        raise ValueError(
            "`--stage` and `--start` are for generators, the preset score has one stage and none "
            "to start from: leave them out"
        )
    config = score_config(settings) if prior else read_config(preset, settings)
    if simulate and int(environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError(
            "`--simulate` is for one process: make the maps by `massgan simulate`, then give the "
            "processes of torchrun `--data`"
        )
    if simulate:
        seed, side = (config.seed, SIDE) if prior else (config.train.seed, config.data.side)
        data = simulate_maps(seed, side, out, simulate, maps, per_box, device)
    common = {"resume": resume, "device": pick_device(device), "minutes": minutes}
    if prior:
        path = train_score(out, data, **common, **asdict(config))
    else:
        path = train_stages(config, out, stage=stage, data=data, start=start, **common)
    if environ.get("RANK", "0") == "0":
        typer.echo(f"wrote {path}")


#: Of the maps to train on: wider than any survey's uncertainty.
PRIOR = {"sigma8": (0.65, 1.0), "omega_m": (0.25, 0.38)}
SIDE = 300  #: of a field; maps are twice as large
STRETCH = (0.4, 0.7, 1.0)  #: mean source redshifts 0.57, 0.99 and 1.41


def score_config(settings: list[str] | None) -> ScoreConfig:
    """Settings of a learned prior."""
    from massgan_core.gan.config import overridden
    from massgan_core.score.config import ScoreConfig

    return overridden(ScoreConfig(), settings or [])


def simulate_maps(
    seed: int, side: int, out: Path, preset: str, maps: int, per_box: int, device: str
) -> Path:
    """Simulate what is missing of the run's store."""
    from tqdm import tqdm

    from massgan_core.simulating import simulate

    path = out / "maps.zarr"
    out.mkdir(parents=True, exist_ok=True)
    nbody = preset != "lognormal"
    bar = tqdm(total=1.0, desc="simulation", bar_format="{desc}: {percentage:.1f}% {elapsed}")
    simulate(
        path,
        n=maps,
        kind="nbody" if nbody else "lognormal",
        preset=preset if nbody else None,
        per_box=per_box,
        seed=seed,
        side=side,
        prior=PRIOR,
        stretch=STRETCH,
        device=device,
        watch=lambda p: bar.update(p.share - bar.n),
    )
    bar.close()
    return path
