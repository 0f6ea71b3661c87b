"""What a checkpoint says of itself: everything that rebuilds and explains the model."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from massgan_core import __version__
from massgan_core.data import MapStore
from massgan_core.gan.config import RunConfig
from massgan_core.gan.normalize import Normalizer
from massgan_core.gan.sampler import normalization_card
from massgan_core.gan.trainer import Trainer
from massgan_core.sky.noise import COSMOS_SCATTER
from massgan_core.survey import cosmos_sources
from massgan_core.training_data import parts


def make_card(
    config: RunConfig,
    normalizer: Normalizer,
    trainer: Trainer,
    name: str,
    store: MapStore | None,
    best: dict[str, float],
    start: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The checkpoint's metadata: everything that rebuilds and explains the model.

    Args:
        config: All settings.
        normalizer: Of the run.
        trainer: Of its stage, at its end.
        name: Of the checkpoint.
        store: Maps it was trained on; `None` for skies made on the fly.
        best: Step and scores of the weights that are kept.
        start: Card of the checkpoint whose weights the stage started from.
    """
    data, sources = config.data, cosmos_sources()
    if store is None:
        skies = f"lognormal simulated skies ({len(data.sigma8) * len(data.stretch)} spectra)"
        means = [sources.mean * s for s in data.stretch]
        sigma8, omega_m = (min(data.sigma8), max(data.sigma8)), None
        origins = []
    else:
        rows = parts(config, store)
        used = np.concatenate(list(rows.values()))
        boxes = {k: len(set(store.rows("box")[v].tolist())) for k, v in rows.items()}
        skies = (
            f"{len(rows['train'])} {store.kind} κ maps of {boxes['train']} boxes (validated on "
            f"{boxes['validate']} more)"
        )
        origins = [store.origin(used)]
        means = [store.sources[i].mean for i in np.unique(store.rows("sources")[used])]
        sigma8, omega_m = (
            tuple(float(f(store.rows(k)[used])) for f in (np.min, np.max))
            for k in ("sigma8", "omega_m")
        )
    low, high = data.depth
    area = normalizer.pixel_scale**2
    noise = [COSMOS_SCATTER / (d * area) ** 0.5 for d in (high, low)]
    scales = [float(np.interp(m, normalizer.redshifts, normalizer.scales)) for m in means]
    return {
        "name": name,
        "kind": "gan" if trainer.stage == "adversarial" else "regression",
        "network": asdict(config.network),
        "normalization": normalization_card(normalizer),
        "domain": {
            "pixel_scale": [0.98 * normalizer.pixel_scale, 1.02 * normalizer.pixel_scale],
            "sigma_over_kappa": [
                noise[0] / max(scales),
                COSMOS_SCATTER / min(scales) / max((low * area) ** 0.5, 1.0),
            ],
            "mean_redshift": [
                0.95 * min(means),
                1.05 * max(means),
            ],
            "sigma8": list(sigma8),
            "omega_m": list(omega_m) if omega_m else [0.31, 0.31],
            "masks": ["COSMOS", "round holes and bad columns", "none"],
        },
        "sources": {
            "redshift": sources.redshift.tolist(),
            "density": [round(float(d), 6) for d in sources.density],
        },
        "training": {
            "stage": trainer.stage,
            "steps": trainer.step,
            "best": best,
            "maps": skies,
            **_stores(origins, start),
            "minutes": round(trainer.seconds / 60, 1),
            "beta_sd": trainer.weight,
            "config": config.to_dict(),
            "date": datetime.now(UTC).date().isoformat(),
            "version": __version__,
            "torch": torch.__version__.split("+")[0],
            "device": trainer.device.type,
            "machine": platform.machine(),
        },
        "trained_on": (
            f"{skies}, {data.side}² pixels of {normalizer.pixel_scale}′, mean source redshift "
            f"{min(means):.2f}–{max(means):.2f}, σ8 {sigma8[0]:.2f}–{sigma8[1]:.2f}, observed "
            "with the COSMOS mask and noise or with random masks and "
            f"{low:.0f}–{high:.0f} galaxies/arcmin²"
        ),
        "evaluation": {},
    }


def _stores(origins: list[dict[str, Any]], start: dict[str, Any] | None) -> dict[str, Any]:
    """The boxes that had a part in the weights, those of the start too; {} if they are unknown."""
    if start is None:
        return {"stores": origins}
    before = start["training"].get("stores")
    if before is None:
        return {}
    return {"stores": before + [one for one in origins if one not in before]}
