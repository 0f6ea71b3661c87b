"""Generators to measure: the bundled one, and that of a preset with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import prod

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import massgan_core as mg
from massgan_core.gan import GanSampler
from massgan_core.gan.config import read_config
from massgan_core.gan.networks import build
from massgan_core.gan.normalize import CHANNELS
from massgan_core.nn import UNet
from massgan_core.sky import Grid, ShearField, generator
from performance.clock import Work

STREAM = 32  #: samples of a field that share its encoder, where costs of a stream are told
SIDE = 300


def network_of(preset: str, *settings: str) -> UNet:
    """The generator of a preset, its weights random."""
    return build(asdict(read_config(preset, list(settings)).network))


def sampler_of(preset: str) -> GanSampler:
    """A sampler that differs from the bundled one in its network alone."""
    bundled = mg.load("default")
    torch.manual_seed(0)  # weights
    return GanSampler(network_of(preset), bundled.normalizer, bundled.card)


def padded(network: UNet, side: int = SIDE) -> tuple[int, int]:
    """A square field with its padding."""
    return (side + -side % network.multiple,) * 2


def square(side: int) -> ShearField:
    """Noise alone, all of it observed."""
    key = generator(1, side)
    gamma = torch.view_as_complex(0.2 * torch.randn(side, side, 2, generator=key))
    whole = torch.ones(side, side, dtype=torch.bool)
    return ShearField(Grid((side, side), 0.29), gamma, torch.full((side, side), 0.2), whole)


def counts(preset: str, *settings: str) -> dict[str, float]:
    """Weights [M], GFLOP of a lone sample and of one in a stream at 300²; nothing is computed."""
    with torch.device("meta"):
        network = network_of(preset, *settings)
        shape = padded(network)
        with FlopCounterMode(display=False) as encoder:
            shares = network.shares(network.features(torch.empty(1, CHANNELS, *shape)))
        with FlopCounterMode(display=False) as decoder:
            network.paint(shares, [torch.empty(1, *s) for s in network.latent_shapes(shape)])
    once, each = (c.get_total_flops() / 1e9 for c in (encoder, decoder))
    weights = sum(p.numel() for p in network.parameters()) / 1e6
    return {"weights": weights, "lone": once + each, "stream": once / STREAM + each}


def flop_of(work: Work) -> float:
    """FLOP of products and convolutions that PyTorch is asked for (Winograd is not seen)."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


@dataclass(frozen=True)
class Convolved:
    """A convolution, or one of its two gradients, as the device is asked for it.

    Args:
        flop: Arithmetic.
        bytes: Of what is read and written, once each.
        dtype: Of its numbers.
    """

    flop: float
    bytes: float
    dtype: torch.dtype


@contextmanager
def convolutions() -> Iterator[list[Convolved]]:
    """All of them within, those that gradients and gradients of gradients ask for included."""
    rows: list[Convolved] = []
    aten = torch.ops.aten
    whole = (aten.conv2d.default, aten.conv2d.padding)

    def add(image: torch.Size, weight: torch.Size, output: torch.Size, dtype: torch.dtype) -> None:
        flop = 2.0 * prod(weight[1:]) * prod(output)
        moved = prod(image) + prod(weight) + prod(output)
        rows.append(Convolved(flop, float(dtype.itemsize * moved), dtype))

    class Seen(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            output = func(*args, **(kwargs or {}))
            if func in whole:  # as inference mode leaves them
                add(args[0].shape, args[1].shape, output.shape, output.dtype)
            elif func is aten.convolution.default:
                image, weight, transposed = args[0], args[1], args[6]
                ends = (output, image) if transposed else (image, output)
                add(ends[0].shape, weight.shape, ends[1].shape, image.dtype)
            elif func is aten.convolution_backward.default:
                slope, image, weight, transposed, wanted = *args[:3], args[7], args[10]
                ends = (slope, image) if transposed else (image, slope)
                for _ in range(sum(wanted[:2])):
                    add(ends[0].shape, weight.shape, ends[1].shape, image.dtype)
            return output

    with Seen():
        yield rows


def floor_of(rows: list[Convolved], peaks: dict[torch.dtype, float], bandwidth: float) -> float:
    """Least seconds of convolutions, each the longer of its arithmetic and its bytes."""
    return sum(max(row.flop / peaks[row.dtype], row.bytes / bandwidth) for row in rows)
