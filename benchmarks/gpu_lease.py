"""Make the best of a GPU that is lent for minutes: all stages in one process, steps to fit.

    massgan simulate /tmp/maps.zarr --kind nbody --preset small --n 2400 --per-box 60 --seed 31 \
            --sigma8 0.65:1.0 --omega-m 0.25:0.38 --stretch 0.4,0.7,1 --workers 8 --device cuda
    python benchmarks/gpu_lease.py /tmp/maps.zarr OUT --minutes 7.5 --start default

Each stage first takes some steps to learn what one costs, then is given as many as its share of
the time allows, so that its learning rate ends where it should. Maps are read once for all
stages. OUT gets the checkpoints in pieces of 15 MiB (gpu_recipe.py unpack joins them) and logs.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch

import massgan_core as mg
from massgan_core.data import Dataset
from massgan_core.gan import checkpoint
from massgan_core.gan.config import RunConfig, read_config
from massgan_core.training import train

#: Share of the time of each stage, and what its weights start from.
STAGES = {
    "adversarial": (0.76, None),
    "regression": (0.13, "adversarial"),
    "variance": (0.11, "regression"),
}
CHECKS = 8  #: validations of a stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--run", type=Path, default=Path("run"))
    parser.add_argument("--start", default="default", help="weights to begin from; '' has none")
    parser.add_argument("--preset", default="gpu-hour")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--trial", type=int, default=20, help="steps, thrice, to learn their cost")
    parser.add_argument(
        "--set", nargs="*", default=[], dest="settings", help="section.key=value, as of train"
    )
    given = parser.parse_args()
    begun = time.monotonic()
    end, left = begun + 60 * given.minutes, 1.0
    with read_once():
        for stage, (share, before) in STAGES.items():
            seconds = (end - time.monotonic()) * share / left
            left -= share
            start = checkpoint.find(given.start) if given.start else None
            if before is not None:
                start = given.run / before / f"{before}.safetensors"
            run_stage(given, stage, start, time.monotonic() + seconds)
            keep(given.run, given.out)
            print(f"{stage} done after {time.monotonic() - begun:.0f} s", flush=True)


def run_stage(given: argparse.Namespace, stage: str, start: Path | None, end: float) -> None:
    """As many steps as fit before the clock is at `end`."""
    common = {"stage": stage, "data": given.store, "start": start, "device": given.device}
    with TemporaryDirectory() as folder:
        trial = [f"train.{stage}.steps={3 * given.trial}", f"train.validate_every={given.trial}"]
        trial += ["train.validate_maps=1"]
        clock = time.monotonic()
        train(settings(given, trial), Path(folder), **common)
        rows = list(csv.DictReader((Path(folder) / "log.csv").open()))
        step = 60 * (float(rows[-1]["minutes"]) - float(rows[-2]["minutes"])) / given.trial
        print(f"{stage}: {step:.4f} s a step, trial {time.monotonic() - clock:.1f} s", flush=True)
    validation = 0.06 * settings(given, []).train.validate_maps * CHECKS
    steps = max(int((end - time.monotonic() - validation) / step), 2 * CHECKS)
    # Not a warm-up that takes most of a short run.
    warmup = min(getattr(settings(given, []).train, stage).warmup, max(steps // 10, 1))
    final = [f"train.{stage}.steps={steps}", f"train.validate_every={steps // CHECKS}"]
    final += [f"train.{stage}.warmup={warmup}"]
    train(settings(given, final), given.run / stage, until=end, **common)


def settings(given: argparse.Namespace, more: list[str]) -> RunConfig:
    """Of the preset, the command, and `more`; without maps that are not there yet."""
    store = mg.MapStore.open(given.store)
    there = min(store.missing(), default=len(store))
    return read_config(given.preset, [f"data.maps={there}", *given.settings, *more])


@contextmanager
def read_once() -> Iterator[None]:
    """Stages share the maps they hold on the device."""
    plain = Dataset._hold
    held: dict[tuple[int, ...], torch.Tensor] = {}

    def hold(self: Dataset) -> torch.Tensor:
        key = tuple(self.rows.tolist())
        if key not in held:
            held[key] = plain(self)
        return held[key]

    with patch.object(Dataset, "_hold", hold):
        yield


def keep(run: Path, out: Path) -> None:
    """Checkpoints and logs of the stages that are done."""
    names = [f"{s}/{s}.safetensors" for s in ("adversarial", "variance")]
    import_module("gpu_recipe").pack(run, out, kept=(*names, "*/log.csv"))


if __name__ == "__main__":
    main()
