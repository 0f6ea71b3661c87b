"""Sampling with the bundled generator: beside the published architecture, the machine, itself.

All is `sample` as people call it: latents, their noise, padding and units are part of it.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
import torch

import massgan_core as mg
from massgan_core.gan.schedule import fast_bf16
from performance.clock import fastest, ratio
from performance.limits import arithmetic, shares
from performance.networks import STREAM, counts, flop_of, sampler_of, square

BATCHES, PAPER = (1, 2, 4, 8, 16), "mmgan-paper"
SIDES = (300, 600, 1024, 2048)


@pytest.fixture(scope="module")
def sampler():
    return mg.load("default")


@pytest.fixture(scope="module")
def field():
    return mg.simulated("lognormal", seed=1)


def _works(sampler, field, batches):
    return {n: lambda n=n: sampler.sample(field, n, 1) for n in batches}


def bench_beside_the_published_network(bench, sampler, field):
    """fp32, same threads and memory format, the best batch of each."""
    paper = sampler_of("tiny" if bench.quick else PAPER)
    ours, theirs = _works(sampler, field, BATCHES), _works(paper, field, (1, 2))
    n, m = fastest(bench.clock, ours), fastest(bench.clock, theirs)
    limits = arithmetic("cpu", torch.float32, 1024 if bench.quick else 4096)
    times = bench.in_turn(
        {"default": ours[n], PAPER: theirs[m]} | {k: v.work for k, v in limits.items()}
    )
    cost = {name: flop_of(works[k]) for name, works, k in (("o", ours, n), ("t", theirs, m))}
    gain = ratio(times, PAPER, "default") * n / m
    bench.say(f"samples/s over {PAPER}, batches of {n} and {m}", gain, "×", least=50)
    share = median(shares(times, PAPER, cost["t"], limits))
    bench.say(f"{PAPER}: arithmetic over the limit", share, "", least=0.6)
    bench.say("arithmetic of a sample, theirs over ours", cost["t"] / m / (cost["o"] / n), "×")


def bench_against_the_machine(bench, sampler, field):
    """A batch of 8, from latents to κ, over the better of a matrix product and a convolution."""
    limits = arithmetic("cpu", torch.float32, 1024 if bench.quick else 4096)
    eight = _works(sampler, field, (8,))[8]
    times = bench.in_turn({"default": eight} | {k: v.work for k, v in limits.items()})
    share = median(shares(times, "default", flop_of(eight), limits))
    bench.say("batch 8: arithmetic over the limit, end to end", share, "", least=0.75)
    bench.say("matrix product over convolution, FLOP/s", _rate(limits, times), "×")


def _rate(limits, times) -> float:
    product, conv = (limits[k].amount / median(times[k]) for k in ("matmul", "conv"))
    return product / conv


def bench_batches(bench, sampler, field):
    """Samples a second by batch, over those of a batch of 8."""
    sizes = (1, 4, 8) if bench.quick else (1, 2, 4, 8, 16, 64)
    works = {str(n): w for n, w in _works(sampler, field, sizes).items()}
    times = bench.in_turn(works, rounds=min(bench.rounds, 3))
    for n in sizes:
        bench.say(f"samples/s of a batch of {n} over 8", ratio(times, "8", str(n)) * n / 8, "×")


def bench_bf16(bench, sampler, field):
    """bf16 over fp32, a batch of 1: on processors without bf16 it is emulated."""
    half = mg.load("default", precision="bf16")
    works = {"bf16": _works(half, field, (1,))[1], "fp32": _works(sampler, field, (1,))[1]}
    times = bench.in_turn(works, rounds=min(bench.rounds, 3))
    told = "in hardware" if fast_bf16(torch.device("cpu")) else "not in hardware"
    bench.say(f"samples/s of bf16 over fp32 ({told} here)", ratio(times, "fp32", "bf16"), "×")


def bench_sizes(bench):
    """Cost of a pixel, from 300² to 2048², and its growth with the number of pixels."""
    sides = (150, 300, 600) if bench.quick else (150, *SIDES)
    # One each: a sampler keeps what samples share of a few fields alone.
    samplers = {side: mg.load("default") for side in sides}
    counts = {side: max(1, 8 * 300**2 // side**2) for side in sides}
    fields = {side: square(side) for side in sides}
    works = {
        str(side): lambda side=side: samplers[side].sample(fields[side], counts[side], 1)
        for side in sides
    }
    times = bench.in_turn(works, rounds=min(bench.rounds, 3))
    scale = {s: counts[s] * s**2 / counts[300] / 300**2 for s in sides}  # of a round's pixels
    pixel = {s: ratio(times, str(s), "300") / scale[s] for s in sides}
    for side in sides:
        bench.say(f"cost of a pixel at {side}², over 300²", pixel[side], "×")
    large = [pixel[s] for s in sides if s >= 300]
    spread = max(large) / min(large) - 1
    bench.say(
        f"cost of a pixel, 300² to {sides[-1]}²: largest over least, less 1", spread, most=0.2
    )
    across = [s for s in sides if s >= 300]
    slope = np.polyfit(np.log([s**2 for s in across]), np.log(large), 1)[0]
    bench.say("growth of the cost of a sample with its pixels, exponent", 1 + slope)


def bench_first_sample(bench, sampler, field):
    """After a change of the field: its condition, the encoder, one sample."""
    times = bench.in_turn(
        {
            "first": lambda: sampler.sample(replace(field), 1, 1),
            "next": lambda: sampler.sample(field, 1, 1),
        },
        rounds=2 * bench.rounds,
    )
    bench.say("first sample of a field", 1e3 * median(times["first"]), "ms", most=250)
    bench.say("first sample of a field over the next", ratio(times, "first", "next"), "×")


def bench_arithmetic(bench):
    """GFLOP at 300², counted, not timed."""
    presets = ("default",) if bench.quick else ("default", PAPER)
    bench.in_turn({"count": lambda: counts("default")}, rounds=1)
    for preset in presets:
        c = counts(preset)
        bench.say(f"{preset}: weights", c["weights"], "M")
        bench.say(f"{preset}: a sample alone", c["lone"], "GFLOP")
        bench.say(f"{preset}: one of {STREAM} of a field", c["stream"], "GFLOP")
