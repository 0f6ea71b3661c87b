"""Sampling and training on one device, beside what the device can do.

    python benchmarks/accelerator.py --device cuda --out runs/accelerator

1. Limits: a matrix product, a 3×3 convolution and a copy, measured in the same run.
2. Samples a second of a checkpoint: the decoder alone (eager, compiled, CUDA graph), then
   `sample` as users call it, with latents, noise and normalisation. The floor of a batch is the
   sum over its convolutions of the longer of two times: arithmetic at the measured product's
   rate, and bytes (input, output and weights once each) at the copy's.
3. An adversarial step of training, by parts, its FLOP as PyTorch counts them, and the floor of
   its convolutions and their gradients, in the same way.

Medians of repeats. Writes accelerator.json, and with --profile where the time of a step goes.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

import massgan_core as mg
from massgan_core.sky import Draws, ShearField
from performance.clock import Clock
from performance.limits import DTYPES, limits
from performance.networks import convolutions, floor_of, square
from performance.step import Step, simulated

MOST = 256 * 300**2  #: pixels of a batch: larger ones would not fit the memory


class Decoder:
    """A batch of samples from latents that lie on the device; the encoder has run."""

    def __init__(
        self, field: ShearField, batch: int, dtype: torch.dtype, compiled: bool = False
    ) -> None:
        self.field, self.dtype, self.device = field, dtype, field.device
        name = "fp32" if dtype == torch.float32 else "bf16"
        self.sampler = mg.load("default", device=field.device, precision=name, compiled=compiled)
        multiple = self.sampler.network.multiple
        padded = tuple(n + -n % multiple for n in field.grid.shape)
        latents = self.sampler.network.latents(padded, Draws(1).take(batch))
        self.latents = [x.to(field.device) for x in latents]
        self()

    def __call__(self) -> Tensor:
        return self.sampler.paint(self.field, self.latents)

    def floor(self, peaks: dict[torch.dtype, float], bandwidth: float) -> tuple[float, float]:
        """Least seconds of a batch, and its FLOP."""
        with convolutions() as rows:
            self()
        return floor_of(rows, peaks, bandwidth), sum(row.flop for row in rows)


def peaks_of(found: dict[str, float]) -> dict[torch.dtype, float]:
    """The better limit of arithmetic at each dtype [FLOP/s]."""
    return {t: max(found[f"matmul {n}"], found[f"conv {n}"]) for n, t in DTYPES.items()}


def sampling(
    clock: Clock, field: ShearField, batches: list[int], found: dict[str, float], compiled: bool
) -> list[dict]:
    """Every way to run the decoder, and `sample` itself, by batch."""
    rows, side = [], field.grid.shape[0]
    batches = [n for n in batches if n * side**2 <= MOST] or [1]
    for batch in batches:
        for name, dtype in DTYPES.items():
            decoder = Decoder(field, batch, dtype)
            floor, flop = decoder.floor(peaks_of(found), found["copy"])
            for way, work in ways(decoder, compiled):
                seconds = clock(work, 2)
                rows.append(
                    {
                        "way": way,
                        "dtype": name,
                        "side": side,
                        "batch": batch,
                        "samples a second": batch / seconds,
                        "of the roofline": floor / seconds,
                        "of the product": flop / seconds / peaks_of(found)[dtype],
                    }
                )
                print(rows[-1], flush=True)
    pinned = clock.device.type == "cuda"
    for name in DTYPES:
        sampler = mg.load("default", device=clock.device, precision=name)
        padded = tuple(n + -n % sampler.network.multiple for n in field.grid.shape)
        for n in batches:
            work = {
                "sample": lambda n=n, s=sampler: s.sample(field, n, 1).cpu(),
                "latents alone": lambda n=n, s=sampler, p=padded: s.network.latents(
                    p, Draws(1).take(n), pinned=pinned
                ),
            }
            for way, run in work.items():
                about = {"way": way, "dtype": name, "side": side, "batch": n}
                rows.append(about | {"samples a second": n / clock(run, 3)})
                print(rows[-1], flush=True)
    return rows


def ways(decoder: Decoder, compiled: bool) -> Iterator[tuple[str, Callable[[], object]]]:
    """Ways to run a decoder that this device has."""
    yield "eager", decoder
    if decoder.device.type != "cuda":
        return
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    with torch.cuda.stream(stream):
        decoder()
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        decoder()
    yield "graph", graph.replay
    if compiled:
        yield "compiled", Decoder(decoder.field, len(decoder.latents[0]), decoder.dtype, True)


def training(
    clock: Clock, field: ShearField, batch: int, found: dict[str, float], profile: Path | None
) -> dict:
    """Seconds of an adversarial step and of the making of its input, and what it is of limits."""
    with TemporaryDirectory() as folder:
        step = Step(field, batch, Path(folder), "gpu-hour")
        seconds, flop, rows = clock(step, 5), step.flop(), step.convolutions()
        floor = floor_of(rows, peaks_of(found), found["copy"])
        parts = {name: clock(work, 5) for name, work in step.parts().items()}
        if profile is not None:
            profile.write_text(profiled(step))
    product = flop / seconds / found["matmul bf16"]
    shares = {"of the roofline": floor / seconds, "of the product": product}
    return {"batch": batch, "FLOP": flop, "step": seconds, **shares, **parts}


def profiled(work: Callable[[], object]) -> str:
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    kinds = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        kinds.append(ProfilerActivity.CUDA)
    with profiler(activities=kinds) as seen:
        for _ in range(3):
            work()
    order = "self_cuda_time_total" if len(kinds) > 1 else "self_cpu_time_total"
    return seen.key_averages().table(sort_by=order, row_limit=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, default=Path("runs/accelerator"))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--sides", type=int, nargs="+", default=[300], help="[pixels]")
    parser.add_argument("--training-batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--size", type=int, default=8192, help="of the matrix product")
    parser.add_argument("--compiled", action="store_true", help="torch.compile, which takes long")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    device = torch.device(given.device)
    clock = Clock(device, given.repeats)
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor()
    found = {"device": name, "torch": torch.__version__, "limits": limits(clock, given.size)}
    print(json.dumps(found, indent=1), flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    field = simulated(device)
    profile = given.out / "step.txt" if given.profile else None
    found["training"] = training(clock, field, given.training_batch, found["limits"], profile)
    print(json.dumps(found["training"], indent=1), flush=True)
    found["sampling"] = []
    for side in given.sides:
        field = simulated(device) if side == 300 else square(side).to(device)
        found["sampling"] += sampling(clock, field, given.batches, found["limits"], given.compiled)
    (given.out / "accelerator.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
