"""What the checkpoint of a prior score says of itself, and its measured error."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

from massgan_core import __version__
from massgan_core.score.checkpoint import ratio_card
from massgan_core.score.loss import band_mean, error_power, learned, make_ratio
from massgan_core.score.prior import ErrorRatio
from massgan_core.sky import Grid
from massgan_core.sky.grid import ARCMIN
from massgan_core.sky.spectrum import band_edges, nyquist
from massgan_core.survey import cosmos_sources, cosmos_spectrum
from massgan_core.training_score_skies import VALIDATE

if TYPE_CHECKING:
    from massgan_core.training_score import ScoreTraining


@torch.no_grad()
def measured_ratio(run: ScoreTraining) -> ErrorRatio:
    """Power of the denoiser's error over the Gaussian one's, on the maps to validate on."""
    config, grid = run.config, Grid((run.config.side,) * 2, run.skies.grid.pixel_scale)
    edges = band_edges(
        4 * math.pi / (ARCMIN * min(grid.extent)), nyquist(grid.pixel_scale), config.ratio_bands
    )
    run.network.eval()
    rows, skies = [], run.skies.held_out(config.ratio_maps)
    for level in (*config.ratio_levels, math.inf):
        power, expected = 0.0, 0.0
        for i, (kappa, number) in enumerate(skies):
            prior, spectrum = run.priors[number], run.skies.powers[number]
            t = torch.full((len(kappa),), prior.scale * (level if level < math.inf else 1.0))
            part = run.part(kappa, number, t, VALIDATE, i)
            error = part.kappa
            if level < math.inf:
                error = error - part.gaussian - part.error[:, None, None] * learned(prior, part)
            # In units of σ_κ, so that all depths in redshift count alike.
            power = power + error_power(error / prior.scale, grid, edges)
            bands = band_mean(spectrum, level * prior.scale, grid, edges)
            expected = expected + bands / prior.scale**2
        rows.append(power / expected)
    return make_ratio(edges, list(config.ratio_levels), rows)


def make_card(
    run: ScoreTraining, name: str, best: dict[str, float], ratio: ErrorRatio
) -> dict[str, Any]:
    """The checkpoint's metadata: everything that rebuilds and explains the model."""
    config, skies, power = run.config, run.skies, cosmos_spectrum()
    settings = json.loads(json.dumps(asdict(config)))
    scale, (low, high), sources = skies.grid.pixel_scale, skies.sigma8, cosmos_sources()
    return {
        "name": name,
        "network": {k: settings[k] for k in ("widths", "shuffle", "bottleneck", "embedding")},
        "normalization": {
            "ell": power.ell.tolist(),
            "power": power.power.tolist(),
            "pixel_scale": scale,
            "error_ratio": ratio_card(ratio),
        },
        "domain": {
            "pixel_scale": [0.98 * scale, 1.02 * scale],
            "mean_redshift": [0.95 * min(skies.means), 1.05 * max(skies.means)],
            "sigma8": [low, high],
            "omega_m": list(skies.omega_m),
            "masks": ["any: mask and noise enter the data term alone"],
        },
        "sources": {
            "redshift": sources.redshift.tolist(),
            "density": [round(float(d), 6) for d in sources.density],
        },
        "training": {
            "stage": "score",
            "steps": run.step,
            "best": best,
            "maps": skies.told,
            "stores": skies.origins,
            "minutes": round(run.seconds / 60, 1),
            "config": settings,
            "date": datetime.now(UTC).date().isoformat(),
            "version": __version__,
            "torch": torch.__version__.split("+")[0],
            "device": run.device.type,
            "machine": platform.machine(),
        },
        "trained_on": (
            f"{skies.told}, {config.side}² pixels of {scale}′, mean source redshift "
            f"{min(skies.means):.2f}–{max(skies.means):.2f}, σ8 {low:.2f}–{high:.2f}, under white "
            f"noise of {config.noise[0]:g}–{config.noise[1]:g} σ_κ"
        ),
        "evaluation": {},
    }
