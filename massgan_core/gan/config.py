"""Run settings as frozen dataclasses; presets are TOML files beside the code."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class NetworkConfig:
    """Shapes of generator and critic."""

    kind: str = "unet"  # or published, which needs no shuffle, upsample and noise
    widths: tuple[int, ...] = (32, 48, 96, 128, 160)
    latent: int = 4
    shuffle: int = 2
    bottleneck: int = 2
    upsample: str = "bilinear"
    noise: str = "posterior"  # what samples start from; or white
    critic_widths: tuple[int, ...] = (32, 48, 64, 96, 128, 128)


@dataclass(frozen=True)
class DataConfig:
    """Simulated skies and their observations."""

    side: int = 300
    sky: int = 1200
    sigma8: tuple[float, ...] = (0.65, 0.75, 0.81, 0.87, 0.97)
    stretch: tuple[float, ...] = (0.4, 0.7, 1.0)
    fiducial: int = 8
    real: float = 0.5
    rescaled: float = 0.25
    depth: tuple[float, float] = (5.0, 150.0)
    maps: int = 0  # of a store, the first of the plan; 0: all that are there
    held_out: float = 0.15  # share of a store's boxes that validate


@dataclass(frozen=True)
class StageConfig:
    """One stage of training."""

    steps: int = 1500
    batch: int = 8
    samples: int = 2
    lr: float = 1e-3
    critic_lr: float = 4e-4
    betas: tuple[float, float] = (0.0, 0.99)
    warmup: int = 50
    final_lr: float = 0.05
    adversarial: float = 1e-2
    l1: float = 1.0
    reward: float = 1.0  # factor on β_SD; 0 switches the reward off
    crps: float = 0.0  # fair CRPS of the bands of a pyramid
    spread: float = 0.0  # gap between spread and error of the same bands
    bands: int = 5
    peaks: float = 0.0  # gap between spread and error where the Wiener filter is high
    skewness: float = 0.0  # gap between third moments of samples and truth
    mean: float = 0.0  # unbiased squared error of the posterior mean
    penalty: float = 10.0
    drift: float = 1e-3
    ema: float = 0.995


@dataclass(frozen=True)
class TrainConfig:
    """Seeds, precision, validation, and the stages."""

    seed: int = 1
    precision: str = "auto"
    validate_every: int = 100
    validate_maps: int = 8
    validate_samples: int = 8
    reward_step: float = 0.02
    save_minutes: float = 3.0
    regression: StageConfig = field(default_factory=lambda: StageConfig(betas=(0.9, 0.99)))
    adversarial: StageConfig = field(
        default_factory=lambda: StageConfig(steps=1500, batch=4, lr=2e-4)
    )
    variance: StageConfig = field(
        default_factory=lambda: StageConfig(steps=600, betas=(0.9, 0.99))
    )


@dataclass(frozen=True)
class RunConfig:
    """All settings of a run."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values."""
        return json.loads(json.dumps(asdict(self)))


def presets() -> list[str]:
    """Names of the presets that come with the package."""
    return sorted(p.stem for p in PRESETS.glob("*.toml"))


def read_config(preset: str, overrides: list[str] | None = None) -> RunConfig:
    """Settings of a preset, changed one by one.

    Args:
        preset: Its name, or a TOML file like those beside this code.
        overrides: Strings ``section.key=value``, e.g. ``train.seed=2``.

    Raises:
        ValueError: No such preset, file or setting, or a value that is none of its kind.
    """
    path = PRESETS / f"{preset}.toml"
    if preset.endswith(".toml"):
        path = Path(preset)
    if not path.is_file():
        raise ValueError(
            f"`preset` must be one of {', '.join(presets())} or a TOML file, got {preset!r}"
        )
    try:
        tree = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not a TOML file ({error})") from None
    return overridden(updated(RunConfig(), tree), overrides or [])


def overridden(config: Any, overrides: list[str]) -> Any:
    """A copy of a (nested) dataclass changed by ``section.key=value`` strings."""
    for override in overrides:
        key, _, text = override.partition("=")
        if not _ or not key:
            raise ValueError(f"a setting must look like train.seed=2, got {override!r}")
        try:
            value = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            value = text
        for part in reversed(key.strip().split(".")):
            value = {part: value}
        config = updated(config, value)
    return config


def updated(config: Any, tree: dict[str, Any], path: str = "") -> Any:
    """A copy of a (nested) dataclass with the values of `tree`; unknown keys are errors."""
    known = {f.name for f in fields(config)}
    changes = {}
    for key, value in tree.items():
        name = f"{path}{key}"
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"; did you mean {path}{near[0]}?" if near else ""
            raise ValueError(f"unknown setting {name!r}{hint}")
        old = getattr(config, key)
        if is_dataclass(old):
            if not isinstance(value, dict):
                raise ValueError(f"`{name}` must be a section with settings, got {value!r}")
            changes[key] = updated(old, value, f"{name}.")
        else:
            changes[key] = _coerced(name, value, old)
    return replace(config, **changes)


def _coerced(name: str, value: Any, old: Any) -> Any:
    if isinstance(old, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(old):
        raise ValueError(f"`{name}` must be a {type(old).__name__}, got {value!r}")
    return value
