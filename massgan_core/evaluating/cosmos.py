"""Mass on the X-ray clusters of the real COSMOS field, and none where there should be none.

E mode, B mode (shear turned by 45°), randomly turned shear, each stacked on the clusters against
random positions; and what the posterior says of each cluster.
"""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from massgan_core.evaluate import inner, paired_stacks, smoothed, stack
from massgan_core.evaluating.methods import Method
from massgan_core.sky import Draws, ShearField, generator, remove_mean
from massgan_core.survey import clusters, cosmos

EDGE = 3.0  #: clusters lie on the footprint, this far from its outer edge [arcmin]
WIDTH = 1.0  #: smoothing of κ at single clusters [arcmin]
TURNS = 8  #: fields with randomly turned shear
FEW = 8  #: samples of each of them

_TURN, _LATENT = 108, 109  # keys of the random streams behind a seed


def on_clusters(field: ShearField) -> tuple[Bool[Tensor, "H W"], Int[Tensor, "M 2"], list[int]]:
    """Pixels well inside the field; row and column of the clusters on them, and which they are."""
    inside, found = inner(field.footprint, field.grid, EDGE), clusters()
    column, row = (np.rint(v).astype(int) for v in field.grid.sky_to_pixel(found.ra, found.dec))
    height, width = field.grid.shape
    on = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    on[on] = inside.cpu().numpy()[row[on], column[on]]
    places = torch.from_numpy(np.stack([row[on], column[on]], 1))
    return inside, places, np.flatnonzero(on).tolist()


def turned_at_random(field: ShearField, key: torch.Generator) -> ShearField:
    """Every pixel's shear turned by a random angle: no lensing, the same noise."""
    phase = 2 * pi * torch.rand(field.grid.shape, generator=key).to(field.device)
    return replace(field, gamma=field.gamma * torch.exp(1j * phase), name="COSMOS, turned")


def page(methods: list[Method], n: int, seed: int = 0) -> dict[str, Any]:
    """Stacks, null tests and single clusters, for every method.

    Args:
        methods: To compare; differences are against ``wiener`` if it is one of them.
        n: Samples of the field.
        seed: Of samples, rotations and redrawn clusters.
    """
    field = cosmos()
    inside, places, which = on_clusters(field)
    found = clusters()
    maps = {m.name: _mean(m, field, n, seed) for m in methods}
    report: dict[str, Any] = {
        "clusters": len(places),
        "samples": n,
        "names": [str(found.name[i]) for i in which],
        "redshift": [float(found.redshift[i]) for i in which],
        "ra": [float(found.ra[i]) for i in which],
        "dec": [float(found.dec[i]) for i in which],
        "methods": {},
    }
    for method in methods:
        mean, each = maps[method.name]
        row: dict[str, Any] = {"title": method.title}
        row["kappa"], row["snr"] = stack(mean, inside, places)
        soft = smoothed(mean, field.grid, WIDTH, field.footprint)
        row["snr_smoothed"] = stack(soft, inside, places)[1]
        turned, _ = _mean(method, field.rotated(), n, seed)
        row["b_mode_snr"] = stack(turned, inside, places)[1]
        row["b_mode_rms"] = float(turned[inside].std() / mean[inside].std())
        nulls = [
            stack(
                _mean(method, turned_at_random(field, generator(seed, _TURN, k)), FEW, seed)[0],
                inside,
                places,
            )[1]
            for k in range(TURNS)
        ]
        row["turned_snr"] = [float(np.mean(nulls)), float(np.std(nulls, ddof=1))]
        if "wiener" in maps and method.name != "wiener":
            other = maps["wiener"][0]
            row["over_wiener"] = list(paired_stacks(mean, other, inside, places, seed=seed))
        at = tuple(places.T)
        row["each_kappa"] = soft[at].tolist()
        if each is not None:
            row["each_std"] = each[0][at].tolist()
            row["each_probability"] = each[1][at].tolist()
        report["methods"][method.name] = row
    return report


def _mean(
    method: Method, field: ShearField, n: int, seed: int
) -> tuple[Float[Tensor, "H W"], tuple[Tensor, Tensor] | None]:
    """The method's map; of the smoothed samples std and probability of κ > 0, if it has any."""
    area = field.footprint
    mean = method.mean(field)
    if method.sampler is None:
        return remove_mean(mean, area), None
    draws = Draws(int(generator(seed, _LATENT).initial_seed()))
    samples = remove_mean(method.sampler.sample(field, n, draws).cpu(), area)
    soft = smoothed(samples, field.grid, WIDTH, area)
    mean = samples.mean(0) if mean is None else remove_mean(mean.cpu(), area)
    return mean, (soft.std(0), (soft > 0).float().mean(0))
