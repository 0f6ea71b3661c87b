"""Learning rates and precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from math import cos, pi

import torch


def learning_rate(step: int, steps: int, peak: float, warmup: int, final: float) -> float:
    """Linear warm-up to `peak`, then half a cosine down to `final` × `peak`."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return peak * (final + (1 - final) * (1 + cos(pi * progress)) / 2)


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """bf16 autocast where it is fast (`auto`) or wanted (`bf16`); `fp32` does nothing."""
    if precision not in ("auto", "bf16", "fp32"):
        raise ValueError(f"`precision` must be auto, bf16 or fp32, got {precision!r}")
    if precision == "fp32" or (precision == "auto" and not fast_bf16(device)):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def fast_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
