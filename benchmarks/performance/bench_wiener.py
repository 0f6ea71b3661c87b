"""An exact Gaussian sample, in Fourier transforms of its size, and its growth with the field."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import torch

import massgan_core as mg
from massgan_core.sky import Grid, ShearField, generator
from performance.limits import transform


def bench_wiener(bench):
    """One sample of 150², 300² and 600², each on twice the field."""
    sides = (75, 150) if bench.quick else (150, 300, 600)
    whole = mg.simulated("lognormal", seed=1)
    wiener = mg.Wiener(mg.spectrum_of(whole))
    fields = {side: _square(side, whole) for side in sides}
    works = {
        f"{kind} {side}": work
        for side in sides
        for kind, work in (
            ("sample", lambda side=side: wiener.sample(fields[side], 1, 1)),
            ("transform", transform((2 * side, 2 * side))),
        )
    }
    times = bench.in_turn(works)
    for side in sides:
        over = median(times[f"sample {side}"]) / median(times[f"transform {side}"])
        bench.say(f"a sample of {side}², over an FFT of {2 * side}² there and back", over, "×")
    cost = [median(times[f"sample {side}"]) for side in sides]
    slope = np.polyfit(np.log([s**2 for s in sides]), np.log(cost), 1)[0]
    bench.say("growth of the cost of a sample with its pixels, exponent", slope)


def _square(side: int, like: ShearField) -> ShearField:
    """The noise and mask of COSMOS, repeated or cut."""
    times = -(-side // like.grid.shape[0])
    sigma = like.sigma.repeat(times, times)[:side, :side]
    mask = like.mask.repeat(times, times)[:side, :side]
    noise = torch.randn(side, side, 2, generator=generator(1, side))
    gamma = torch.view_as_complex(noise) * torch.where(mask, sigma, 0)
    field = ShearField(Grid((side, side), like.grid.pixel_scale), gamma, sigma, mask)
    return replace(field, sources=like.sources)
