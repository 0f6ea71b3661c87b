"""Settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreConfig:
    """Network, skies and steps of a run that learns the prior."""

    # Network
    widths: tuple[int, ...] = (32, 64, 96, 128)
    shuffle: int = 2
    bottleneck: int = 2
    embedding: int = 64
    # Skies
    side: int = 288  # of the cut-outs [pixels], a multiple of shuffle · 2^(levels − 1)
    sky: int = 600  # of lognormal skies, where there is no store
    stretch: tuple[float, ...] = (0.4, 0.7, 1.0)  # likewise, factors on the COSMOS redshifts
    sigma8: tuple[float, ...] = (0.65, 0.75, 0.81, 0.87, 0.97)  # likewise
    maps: int = 0  # of a store, the first of the plan; 0: all that are there
    held_out: float = 0.1  # share of a store's boxes that validate
    noise: tuple[float, float] = (0.02, 30.0)  # least and largest level trained on [σ_κ]
    # Steps
    steps: int = 6000
    batch: int = 8
    lr: float = 1e-3
    warmup: int = 100
    final_lr: float = 0.02
    ema: float = 0.999
    seed: int = 1
    precision: str = "auto"
    validate_every: int = 250
    validate_maps: int = 12
    validate_levels: tuple[float, ...] = (0.05, 0.15, 0.5, 1.5, 5.0)  # [σ_κ]
    ratio_levels: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)
    ratio_bands: int = 10
    ratio_maps: int = 48
    save_minutes: float = 3.0
