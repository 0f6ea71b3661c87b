"""Cost of the generators at 300², as ratios in one run: weights, arithmetic, speed, memory.

    python benchmarks/network_cost.py [--threads 2] [--repeats 5] [--preset default mmgan-paper]

Weights are random. FLOP are counted by PyTorch, 1 multiply-add = 2, on the field with its
padding; it does not count the FFT pair of a sample's residual (some 9 MFLOP), whose time is in the
speeds, nor the condition of a field (a Wiener filter, once for all its samples), whose time is
told apart. A lone sample pays for its encoder; in a stream of 32 samples of a field all share one.
Speeds are medians of interleaved repeats, each at the batch that was fastest when tried, and
are held against a 4096³ matrix product of the same dtype. bf16 (autocast) is tried where the
processor multiplies it in hardware, or with --bf16. The memory is the peak of a process of its
own that takes one adversarial step of the first preset.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch.utils.flop_counter import FlopCounterMode

from massgan_core.gan.config import read_config
from massgan_core.gan.networks import build, build_critic
from massgan_core.gan.normalize import CHANNELS, ITERATIONS, Normalizer
from massgan_core.gan.residual import started
from massgan_core.gan.schedule import fast_bf16, make_fabric
from massgan_core.gan.trainer import Batch, Trainer
from massgan_core.nn import UNet
from massgan_core.sky import Draws, Grid, ShearField, ShearOperator, generator, shape_noise
from massgan_core.survey import cosmos, cosmos_spectrum

SIDE, STREAM, MATMUL = 300, 32, 4096
PUBLISHED = "published MMGAN: 86.7 M weights, 561 GFLOP a sample"


def clock(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def network_of(preset: str, *settings: str) -> UNet:
    return build(asdict(read_config(preset, list(settings)).network))


def shape_of(network: UNet) -> tuple[int, int]:
    """A 300² field with its padding."""
    return (SIDE + -SIDE % network.multiple,) * 2


def counts(preset: str, *settings: str) -> dict[str, float]:
    """Weights [M], GFLOP of a lone sample and of one in a stream; nothing is computed."""
    with torch.device("meta"):
        network = network_of(preset, *settings)
        shape = shape_of(network)
        with FlopCounterMode(display=False) as encoder:
            shares = network.shares(network.features(torch.empty(1, CHANNELS, *shape)))
        with FlopCounterMode(display=False) as decoder:
            network.paint(shares, [torch.empty(1, *s) for s in network.latent_shapes(shape)])
    once, each = (c.get_total_flops() / 1e9 for c in (encoder, decoder))
    weights = sum(p.numel() for p in network.parameters()) / 1e6
    return {"weights": weights, "lone": once + each, "stream": once / STREAM + each}


class Painter:
    """Seconds of one sample in a stream, at one dtype."""

    def __init__(self, network: UNet, dtype: torch.dtype) -> None:
        self.network, self.dtype, self.batch = network, dtype, 1
        shape = shape_of(network)
        noise = torch.randn(1, CHANNELS, *shape, generator=generator(1))
        self.deviation = torch.ones(1, 1, shape[0], shape[1] // 2 + 1)
        self.condition = noise.contiguous(memory_format=torch.channels_last)
        self.latents = lambda n: network.latents(shape, Draws(1).take(n))

    @torch.inference_mode()
    def seconds(self) -> float:
        latents = self.latents(self.batch)
        half = self.dtype == torch.bfloat16
        with torch.autocast("cpu", self.dtype) if half else nullcontext():
            shares: list[torch.Tensor] = []
            once = clock(lambda: shares.extend(self._shares()))
            each = clock(lambda: self._paint(shares, latents)) / self.batch
        return once / STREAM + each

    def _shares(self) -> list[torch.Tensor]:
        return self.network.shares(self.network.features(self.condition))

    def _paint(self, shares: list[torch.Tensor], latents: list[torch.Tensor]) -> None:
        """A sample's residual, too, is part of what it costs."""
        latents, _ = started(self.network, self.deviation, latents)
        self.network.paint(shares, latents)

    def choose(self, batches: list[int]) -> None:
        """Keep the fastest batch; the first call of each only warms up."""
        found = {}
        for self.batch in batches:
            self.seconds()
            found[self.batch] = self.seconds()
        self.batch = min(found, key=found.get)


def matmul(dtype: torch.dtype) -> float:
    """Seconds of a 4096³ product."""
    a, b = (torch.randn(MATMUL, MATMUL, generator=generator(i)).to(dtype) for i in (1, 2))
    return clock(lambda: a @ b)


def speeds(presets: list[str], dtypes: list[torch.dtype], batches: list[int], repeats: int):
    """Painter, samples/s and matmul GFLOP/s of every preset and dtype."""
    painters = {}
    for preset in presets:
        network = network_of(preset).eval().to(memory_format=torch.channels_last)
        painters |= {(preset, dtype): Painter(network, dtype) for dtype in dtypes}
    for painter in painters.values():
        painter.choose(batches)
    rows = []
    for _ in range(repeats):
        row: dict = {key: painter.seconds() for key, painter in painters.items()}
        rows.append(row | {dtype: matmul(dtype) for dtype in dtypes})
    times = {key: median(row[key] for row in rows) for key in rows[0]}
    rates = {dtype: 2e-9 * MATMUL**3 / times[dtype] for dtype in dtypes}
    return {key: (p.batch, 1 / times[key], rates[key[1]]) for key, p in painters.items()}


def condition_seconds(repeats: int) -> float:
    """Of what the network is told of a field: the COSMOS field, once for all its samples."""
    normalizer = Normalizer(cosmos_spectrum(), 0.29, iterations=ITERATIONS)
    field, multiple = cosmos(), network_of("default").multiple
    normalizer.condition(field, multiple)  # fills the caches
    return median(clock(lambda: normalizer.condition(field, multiple)) for _ in range(repeats))


def training_memory(preset: str, batch: int, threads: int) -> float:
    """Peak of this process [GB] after one adversarial step, N = 2, bf16 autocast."""
    torch.set_num_threads(threads)
    stage = [f"train.adversarial.{k}" for k in ("steps=1", f"batch={batch}", "samples=2")]
    config = read_config(preset, [*stage, "train.precision=bf16"])
    network = asdict(config.network)
    grid = Grid((SIDE, SIDE), 0.29)
    kappa = 0.02 * torch.randn(batch, SIDE, SIDE, generator=generator(1))
    sigma = torch.as_tensor(cosmos().sigma, dtype=torch.float32)
    mask = torch.isfinite(sigma) & (sigma > 0)
    gamma = ShearOperator(grid)(kappa) + shape_noise(torch.where(mask, sigma, 0), generator(2))
    arrays = {"gamma": gamma, "sigma": sigma, "mask": mask}
    field = ShearField(
        grid, **{k: v.expand(batch, -1, -1).clone() for k, v in arrays.items()}, kappa=kappa
    )
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            build(network),
            build_critic(network, 1 + CHANNELS, SIDE),
            Normalizer(cosmos_spectrum(), 0.29, iterations=ITERATIONS),
            lambda _: Batch(field, 0.02),
            lambda _: dict.fromkeys(("gain", "crps", "rmse"), 1.0),
            config,
            stage="adversarial",
            out=Path(folder),
            fabric=make_fabric("cpu", config.train.precision),
        ).run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux: kB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--preset", nargs="+", default=["default", "mmgan-paper"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--bf16", action="store_true", help="Try bf16 even where it is slow.")
    parser.add_argument("--training-batch", type=int, default=8, help="0 trains nothing.")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    first = given.preset[0]
    if given.training_batch:
        # First, while this process is small: Linux lets a child begin with its parent's peak.
        with get_context("spawn").Pool(1) as pool:
            peak = pool.apply(training_memory, (first, given.training_batch, given.threads))
        print(f"one adversarial step of {first}, batch {given.training_batch}: {peak:.2f} GB\n")
    dtypes = [torch.float32]
    if given.bf16 or fast_bf16(torch.device("cpu")):
        dtypes.append(torch.bfloat16)
    cost = {preset: counts(preset) for preset in given.preset}
    found = speeds(given.preset, dtypes, given.batches, given.repeats)
    best = {p: max(found[p, d][1] for d in dtypes) for p in given.preset}
    print(
        "| preset | M weights | GFLOP lone | GFLOP in stream | dtype | batch | samples/s", end=""
    )
    print(" | GFLOP/s over matmul | arithmetic | time |\n|" + " --- |" * 10)
    for (preset, dtype), (batch, rate, peak) in found.items():
        c = cost[preset]
        print(
            f"| {preset} | {c['weights']:.2f} | {c['lone']:.1f} | {c['stream']:.1f} "
            f"| {str(dtype).removeprefix('torch.')} | {batch} | {rate:.3g} "
            f"| {c['stream'] * rate / peak:.2f} | {c['stream'] / cost[first]['stream']:.1f} "
            f"| {best[first] / rate:.1f} |"
        )
    print(f"\nthe condition of a field, once: {condition_seconds(given.repeats):.3f} s")
    rates = {str(d).removeprefix("torch."): f"{found[first, d][2]:.0f} GFLOP/s" for d in dtypes}
    print(f"\narithmetic and time of a sample in a stream: over the best of {first}")
    print(f"threads {torch.get_num_threads()}; {MATMUL}³ matmul: {rates}")
    if "mmgan-paper" in given.preset:
        one = counts("mmgan-paper", "network.bottleneck=1")
        print(f"{PUBLISHED}; here with one bottleneck block:", end=" ")
        print(f"{one['weights']:.1f} M, {one['lone']:.0f} GFLOP")


if __name__ == "__main__":
    main()
