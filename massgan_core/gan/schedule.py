"""Learning rates, precision, and where to train."""

from __future__ import annotations

import os
from math import cos, pi
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def learning_rate(step: int, steps: int, peak: float, warmup: int, final: float) -> float:
    """Linear warm-up to `peak`, then half a cosine down to `final` × `peak`."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return peak * (final + (1 - final) * (1 + cos(pi * progress)) / 2)


def make_fabric(device: torch.device | str = "cpu", precision: str = "auto") -> Fabric:
    """A launched Fabric: one process on `device`, or this process's part of a ``torchrun``.

    Args:
        device: ``cpu``, ``cuda`` (``cuda:1``) or ``mps``; under ``torchrun`` its kind counts.
        precision: bf16 autocast where it is fast (`auto`) or wanted (`bf16`); or `fp32`.
    """
    if precision not in ("auto", "bf16", "fp32"):
        raise ValueError(f"`precision` must be auto, bf16 or fp32, got {precision!r}")
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError:
        raise ImportError(
            "training needs lightning-fabric: pip install 'massgan[train]'"
        ) from None

    device = torch.device(device)
    options = {
        "precision": "bf16-mixed" if is_mixed(device, precision) else "32-true",
        "accelerator": device.type,
    }
    if "TORCHELASTIC_RUN_ID" in os.environ:
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // here
        fabric = Fabric(devices=here, num_nodes=nodes, strategy="ddp", **options)
    else:
        chosen = [device.index] if device.type == "cuda" and device.index is not None else 1
        fabric = Fabric(devices=chosen, **options)
    fabric.launch()
    return fabric


def is_mixed(device: torch.device, precision: str) -> bool:
    """Whether convolutions run in bf16."""
    return precision == "bf16" or (precision == "auto" and fast_bf16(device))


def fast_layout(device: torch.device, precision: str) -> torch.memory_format:
    """Channels last, but for fp32 on a CPU, whose backward passes are faster without."""
    plain = device.type == "cpu" and not is_mixed(device, precision)
    return torch.contiguous_format if plain else torch.channels_last


def fast_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
