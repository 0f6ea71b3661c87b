"""An adversarial step of training on the CPU, beside what the machine can multiply."""

from __future__ import annotations

from statistics import median

import torch

from massgan_core.gan.schedule import is_mixed
from performance.clock import ratio
from performance.limits import arithmetic, shares
from performance.step import Step, simulated


def bench_step(bench, tmp_path):
    """The preset's batch of 4 fields of 300², two samples each."""
    device = torch.device("cpu")
    step = Step(simulated(device), 1 if bench.quick else 4, tmp_path, "default")
    dtype = torch.bfloat16 if is_mixed(device, "auto") else torch.float32
    limits = arithmetic(device, dtype, 1024 if bench.quick else 4096)
    works = {"step": step} | {k: v.work for k, v in limits.items()} | step.parts()
    times = bench.in_turn(works, rounds=min(bench.rounds, 3))
    share = median(shares(times, "step", step.flop(), limits))
    bench.say("adversarial step: arithmetic over the limit", share)
    for part, words in (("of it, condition", "the network's input"), ("blend", "mean weights")):
        bench.say(f"adversarial step: {words} over the step", ratio(times, part, "step"))
