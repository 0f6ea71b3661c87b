"""Sampling and training at 300² on one device, beside what the device can do.

    python benchmarks/accelerator.py --device cuda --out runs/accelerator

1. Limits: a matrix product, a 3×3 convolution and a copy, measured in the same run.
2. Samples a second of a checkpoint: the decoder alone (eager, compiled, CUDA graph), then
   `sample` as users call it, with latents, noise and normalisation. The floor of a batch is the
   sum over its convolutions of the longer of two times: arithmetic at the measured product's
   rate, and bytes (input, output and weights once each) at the copy's.
3. An adversarial step of training, by parts, its FLOP as PyTorch counts them.

Medians of repeats. Writes accelerator.json, and with --profile where the time of a step goes.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

import massgan_core as mg
from massgan_core.gan.config import read_config
from massgan_core.gan.networks import build, build_critic
from massgan_core.gan.normalize import CHANNELS
from massgan_core.gan.schedule import make_fabric
from massgan_core.gan.trainer import Batch, Trainer
from massgan_core.sky import Draws, ShearField

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Clock:
    """Seconds of work on a device, median of repeats after one that only warms up."""

    def __init__(self, device: torch.device, repeats: int) -> None:
        self.device, self.repeats = device, repeats

    def __call__(self, work: Callable[[], object], times: int = 1) -> float:
        work()
        return median(self._once(work, times) for _ in range(self.repeats))

    def _once(self, work: Callable[[], object], times: int) -> float:
        self._wait()
        start = perf_counter()
        for _ in range(times):
            work()
        self._wait()
        return (perf_counter() - start) / times

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def limits(clock: Clock, size: int) -> dict[str, float]:
    """FLOP/s of products and convolutions, bytes/s of a copy (read and written)."""
    found, device = {}, clock.device
    for name, dtype in DTYPES.items():
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        found[f"matmul {name}"] = 2 * size**3 / clock(lambda a=a, b=b: a @ b, 3)
        n, side = (64, 150) if device.type == "cuda" else (2, 75)
        image = torch.randn(n, 128, side, side, device=device).to(dtype)
        image = image.to(memory_format=torch.channels_last)
        layer = nn.Conv2d(128, 128, 3, padding=1, device=device, dtype=dtype)
        layer = layer.to(memory_format=torch.channels_last)
        with torch.no_grad():
            seconds = clock(lambda image=image, layer=layer: layer(image), 3)
        found[f"conv {name}"] = 2 * 9 * 128**2 * n * side**2 / seconds
    source = torch.randn(4 * size**2, device=device)
    target = torch.empty_like(source)
    found["copy"] = 2 * source.nbytes / clock(lambda: target.copy_(source), 3)
    return found


@contextmanager
def counted(width: int) -> Iterator[list[tuple[float, float]]]:
    """(FLOP, bytes) of every convolution called within; numbers of `width` bytes."""
    rows: list[tuple[float, float]] = []

    class Seen(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            output = func(*args, **(kwargs or {}))
            if func is nn.functional.conv2d:
                image, weight = args[:2]
                moved = image.numel() + output.numel() + weight.numel()
                rows.append((2.0 * weight[0].numel() * output.numel(), float(width * moved)))
            return output

    with Seen():
        yield rows


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

    def floor(self, peak: float, bandwidth: float) -> tuple[float, float]:
        """Least seconds of a batch, and its FLOP."""
        with counted(self.dtype.itemsize) as rows:
            self()
        return sum(max(f / peak, b / bandwidth) for f, b in rows), sum(f for f, _ in rows)


def sampling(
    clock: Clock, field: ShearField, batches: list[int], found: dict[str, float], compiled: bool
) -> list[dict]:
    rows = []
    for batch in batches:
        for name, dtype in DTYPES.items():
            decoder = Decoder(field, batch, dtype)
            peak = max(found[f"matmul {name}"], found[f"conv {name}"])
            floor, flop = decoder.floor(peak, found["copy"])
            for way, work in ways(decoder, compiled):
                seconds = clock(work, 2)
                rows.append(
                    {
                        "way": way,
                        "dtype": name,
                        "batch": batch,
                        "samples a second": batch / seconds,
                        "of the roofline": floor / seconds,
                        "of the product": flop / seconds / peak,
                    }
                )
                print(rows[-1], flush=True)
    pinned = clock.device.type == "cuda"
    for name in DTYPES:
        sampler = mg.load("default", device=clock.device, precision=name)
        padded = tuple(n + -n % sampler.network.multiple for n in field.grid.shape)
        for n in batches:
            work = {
                "sample": lambda n=n, s=sampler: s.sample(field, n, 1).to(
                    "cpu", non_blocking=True
                ),
                "latents alone": lambda n=n, s=sampler, p=padded: s.network.latents(
                    p, Draws(1).take(n), pinned=pinned
                ),
            }
            for way, run in work.items():
                speed = n / clock(run, 3)
                row = {"way": way, "dtype": name, "batch": n, "samples a second": speed}
                rows.append(row)
                print(row, flush=True)
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


class _Whole:
    """All that is computed belongs to no module."""

    parents = frozenset(("Global",))

    def __enter__(self) -> _Whole:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def training(clock: Clock, field: ShearField, batch: int, profile: Path | None) -> dict:
    """Seconds of an adversarial step, and of the making of its input."""
    config = read_config("gpu-hour", [f"train.adversarial.batch={batch}"])
    sampler = mg.load("default", device=clock.device)
    arrays = {k: getattr(field, k) for k in ("gamma", "sigma", "mask", "kappa")}
    arrays["area"] = field.footprint
    many = {k: v.expand(batch, -1, -1).clone() for k, v in arrays.items()}
    given = Batch(ShearField(field.grid, **many), sampler.normalizer.fiducial)
    section = asdict(config.network)
    with TemporaryDirectory() as folder:
        trainer = Trainer(
            build(section),
            build_critic(section, 1 + CHANNELS, config.data.side),
            sampler.normalizer,
            lambda _: given,
            lambda _: dict.fromkeys(("gain", "crps", "rmse"), 1.0),
            config,
            stage="adversarial",
            out=Path(folder),
            fabric=make_fabric(clock.device, config.train.precision),
        )
        flop = FlopCounterMode(display=False)
        flop.mod_tracker = _Whole()  # its own one fails at the gradient of the penalty
        with flop:
            trainer._compete(given)
        found = {
            "batch": batch,
            "FLOP": float(flop.get_total_flops()),
            "step": clock(lambda: trainer._compete(given), 5),
            "of it, condition": clock(lambda: trainer._prepare(given), 5),
            "blend": clock(trainer._blend, 5),
        }
        if profile is not None:
            profile.write_text(profiled(lambda: trainer._compete(given)))
    return found


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
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 64, 256])
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
    field = mg.simulated("lognormal", seed=1).to(device)
    profile = given.out / "step.txt" if given.profile else None
    found["training"] = training(clock, field, given.training_batch, profile)
    train = found["training"]
    train["of the product"] = train["FLOP"] / train["step"] / found["limits"]["matmul bf16"]
    print(json.dumps(train, indent=1), flush=True)
    found["sampling"] = sampling(clock, field, given.batches, found["limits"], given.compiled)
    (given.out / "accelerator.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
