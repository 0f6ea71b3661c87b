"""Samples of one field whose random numbers belong to the sky.

Grids that overlap draw the same numbers where they meet
(:class:`massgan_core.sky.sky_noise.SkyNoise`), so neighbouring patches of a survey, and the coarse
field behind them, agree on sample i as far as their data do. Each method of a wide survey is here:
what it makes of white noise.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.posterior import Sampler
from massgan_core.sky import Grid, ShearField
from massgan_core.sky.sky_noise import SkyNoise

#: Samples `first` … `first + n − 1` of a field.
Draw = Callable[[int, int], Float[Tensor, "N H W"]]

AT_ONCE = 1024**2  #: pixels that a CPU works on together

_PRIOR, _SHAPES, _LATENTS = 0, 1, 16  # streams


def draws_of(sampler: Sampler, field: ShearField, seed: int) -> Draw:
    """How `sampler` draws samples of `field`, on the sky.

    Args:
        sampler: Of method gan, wiener or ks.
        field: With a WCS.
        seed: Sample i of a place on the sky depends on (seed, i) alone.
    """
    return {"gan": _gan, "wiener": _wiener}.get(sampler.name, _one_map)(sampler, field, seed)


def _one_map(sampler: Sampler, field: ShearField, seed: int) -> Draw:
    return lambda first, n: sampler.sample(field, n)


def _wiener(sampler: Sampler, field: ShearField, seed: int) -> Draw:
    height, width = field.grid.shape
    # The field is the first corner of the periodic grid; what lies left and below comes last.
    around = field.grid.resized((2 * height, 2 * width), offset=(-(height // 2), -(width // 2)))
    one, shapes = _one_of_two(SkyNoise(around, seed), _PRIOR), SkyNoise(field.grid, seed)
    scale = torch.where(field.mask, field.sigma, 0.0).cpu()

    def white(i: int) -> Tensor:
        return one(i).roll((-(height // 2), -(width // 2)), (0, 1))

    def draw(numbers: range) -> Tensor:
        noise = torch.stack([shapes.shear(i, _SHAPES) * scale for i in numbers])
        return sampler.paint(field, torch.stack([white(i) for i in numbers]), noise)

    return _in_parts(draw, 4 * height * width)


def _one_of_two(noise: SkyNoise, stream: int) -> Callable[[int], Float[Tensor, "H W"]]:
    """A map for each number; two come at once, and the second waits for the next number."""
    made: dict[int, Tensor] = {}

    def one(i: int) -> Tensor:
        if i // 2 not in made:
            made.clear()
            made[i // 2] = noise(i // 2, stream)
        return made[i // 2][i % 2]

    return one


def _gan(sampler: Sampler, field: ShearField, seed: int) -> Draw:
    network = sampler.network
    levels = [
        _level(network, field.grid, shape, k, seed)
        for k, shape in enumerate(network.latent_shapes(field.grid.shape))
    ]

    def draw(numbers: range) -> Tensor:
        latents = [torch.stack([level(i) for i in numbers]) for level in levels]
        return sampler.paint(field, latents)

    if sampler.device.type != "cpu":
        return lambda first, n: draw(range(first, first + n))
    return _in_parts(draw, field.grid.shape[0] * field.grid.shape[1])


def _in_parts(draw: Callable[[range], Tensor], pixels: int) -> Draw:
    """As many samples at once as a CPU has use for; memory then does not grow with the batch."""
    most = max(AT_ONCE // pixels, 1)

    def parts(first: int, n: int) -> Tensor:
        end = first + n
        return torch.cat([draw(range(i, min(i + most, end))) for i in range(first, end, most)])

    return parts


def _level(
    network: torch.nn.Module, grid: Grid, shape: tuple[int, ...], k: int, seed: int
) -> Callable[[int], Float[Tensor, "L h w"]]:
    """White latents of one resolution; those the network reads as pixels are of the pixels."""
    channels, (height, width) = shape[0], shape[1:]
    pixels, stream = 0, _LATENTS * (k + 1)
    if k == 0 and network.noise == "posterior":
        pixels, whole = network.shuffle**2, _one_of_two(SkyNoise(grid, seed), stream)
    ratio = grid.shape[0] // height
    center = tuple(float(v) for v in grid.wcs.wcs.crval)
    noise = SkyNoise(Grid.tan((height, width), grid.pixel_scale * ratio, center=center), seed)

    def level(i: int) -> Tensor:
        parts = []
        if pixels:
            parts.append(torch.nn.functional.pixel_unshuffle(whole(i)[None], network.shuffle))
        for pair in range((channels - pixels + 1) // 2):
            parts.append(noise(i, stream + 1 + pair))
        return torch.cat(parts)[:channels]

    return level
