"""What a machine can do, measured: products, convolutions, copies, transforms.

The limit of arithmetic at a dtype is the better of a matrix product and of a 3×3 convolution of
128 channels; that of bytes is a copy (read and written once each).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from performance.clock import Clock, Times, Work

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Limit:
    """Some work, and how much of it there is.

    Args:
        work: Does it.
        amount: FLOP (a multiply-add is 2), or bytes read and written.
    """

    work: Work
    amount: float


def arithmetic(device: torch.device | str, dtype: torch.dtype, size: int) -> dict[str, Limit]:
    """``matmul`` of size³ and ``conv``, in which the inputs are channels last."""
    device = torch.device(device)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    # On a CPU small enough for its cache, and often enough to take about as long as the product.
    n, side, times = (64, 150, 1) if device.type == "cuda" else (2, 75, 10)
    layer = nn.Conv2d(128, 128, 3, padding=1, device=device, dtype=dtype)
    image = torch.randn(n, 128, side, side, device=device).to(dtype)
    layer, image = (x.to(memory_format=torch.channels_last) for x in (layer, image))

    def convolve() -> None:
        with torch.inference_mode():
            for _ in range(times):
                layer(image)

    return {
        "matmul": Limit(lambda: a @ b, 2.0 * size**3),
        "conv": Limit(convolve, 2.0 * times * 9 * 128**2 * n * side**2),
    }


def copy(device: torch.device | str, numbers: int) -> Limit:
    """A copy of so many float32."""
    source = torch.randn(numbers, device=device)
    target = torch.empty_like(source)
    return Limit(lambda: target.copy_(source), 2.0 * source.nbytes)


def transform(shape: tuple[int, ...], device: torch.device | str = "cpu") -> Work:
    """A real FFT and back of maps of this shape, in the last two dimensions."""
    image = torch.randn(shape, device=device)
    return lambda: torch.fft.irfft2(torch.fft.rfft2(image), s=shape[-2:])


def limits(clock: Clock, size: int) -> dict[str, float]:
    """FLOP/s of ``matmul`` and ``conv`` at each dtype, bytes/s of ``copy``."""
    found = {}
    for name, dtype in DTYPES.items():
        for kind, limit in arithmetic(clock.device, dtype, size).items():
            found[f"{kind} {name}"] = limit.amount / clock(limit.work, 3)
    limit = copy(clock.device, 4 * size**2)
    return found | {"copy": limit.amount / clock(limit.work, 3)}


def shares(times: Times, name: str, flop: float, works: dict[str, Limit]) -> list[float]:
    """`flop` of the work `name` over the better limit of its round, round by round."""
    best = [
        max(limit.amount / times[kind][i] for kind, limit in works.items())
        for i in range(len(times[name]))
    ]
    return [flop / seconds / rate for seconds, rate in zip(times[name], best, strict=True)]
