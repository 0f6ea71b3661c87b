"""An adversarial step of training, ready to be taken again and again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

import massgan_core as mg
from massgan_core.gan.config import read_config
from massgan_core.gan.networks import build, build_critic
from massgan_core.gan.normalize import CHANNELS
from massgan_core.gan.schedule import make_fabric
from massgan_core.gan.trainer import Batch, Trainer
from massgan_core.sky import ShearField
from performance.networks import Convolved, convolutions


class Step:
    """A step of a preset on copies of one field.

    Args:
        field: With its true κ.
        batch: Copies of it.
        folder: Of the run; nothing is written there.
        preset: Settings.
        settings: More of them, ``section.key=value``.
    """

    def __init__(
        self, field: ShearField, batch: int, folder: Path, preset: str, *settings: str
    ) -> None:
        config = read_config(preset, [f"train.adversarial.batch={batch}", *settings])
        normalizer = mg.load("default").normalizer
        arrays = {k: getattr(field, k) for k in ("gamma", "sigma", "mask", "kappa")}
        arrays["area"] = field.footprint
        many = {k: v.expand(batch, -1, -1).clone() for k, v in arrays.items()}
        self.given = Batch(ShearField(field.grid, **many), normalizer.fiducial)
        section = asdict(config.network)
        self.trainer = Trainer(
            build(section),
            build_critic(section, 1 + CHANNELS, config.data.side),
            normalizer,
            lambda _: self.given,
            lambda _: dict.fromkeys(("gain", "crps", "rmse"), 1.0),
            config,
            stage="adversarial",
            out=folder,
            fabric=make_fabric(field.device, config.train.precision),
        )

    def __call__(self) -> None:
        """Take it."""
        self.trainer._compete(self.given)

    def flop(self) -> float:
        """FLOP of a step, as PyTorch counts them."""
        counter = FlopCounterMode(display=False)
        counter.mod_tracker = _Whole()  # its own one fails at the gradient of the penalty
        with counter:
            self()
        return float(counter.get_total_flops())

    def convolutions(self) -> list[Convolved]:
        """Those of a step."""
        with convolutions() as rows:
            self()
        return rows

    def parts(self) -> dict[str, object]:
        """Works within a step (the network's input) and between steps (averaging weights)."""
        return {
            "of it, condition": lambda: self.trainer._prepare(self.given),
            "blend": self.trainer._blend,
        }


class _Whole:
    """All that is computed belongs to no module."""

    parents = frozenset(("Global",))

    def __enter__(self) -> _Whole:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def simulated(device: torch.device | str) -> ShearField:
    """A lognormal sky of 300² under the COSMOS mask and noise."""
    return mg.simulated("lognormal", seed=1).to(device)
