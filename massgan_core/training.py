"""Training put together: simulated skies → observations → network → checkpoint."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from massgan_core import __version__
from massgan_core.data import Observe, Patches
from massgan_core.evaluate import pearson, rmse, spread_skill
from massgan_core.evaluate.metrics import mean_square
from massgan_core.gan import checkpoint, reward
from massgan_core.gan.config import RunConfig
from massgan_core.gan.normalize import CHANNELS, FILTERED, Normalizer
from massgan_core.gan.sampler import build, normalization_card
from massgan_core.gan.trainer import Batch, Trainer
from massgan_core.nn import Critic, UNet
from massgan_core.simulate import Cosmology, Lognormal, theory_spectrum
from massgan_core.sky import Grid, ShearField, generator, remove_mean
from massgan_core.sky.noise import COSMOS_SCATTER
from massgan_core.survey import cosmos, cosmos_sources, cosmos_spectrum

TRAIN, VALIDATE = 0, 1  #: added to 2 × seed: train and validation skies never meet


def make_normalizer() -> Normalizer:
    """Units of the network: σ_κ of COSMOS, and a table of σ_κ against mean redshift."""
    power, sources = cosmos_spectrum(), cosmos_sources()
    stretches = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.15)
    tables = [sources.stretched(s) for s in stretches]
    scales = [theory_spectrum(t).std(0.29) for t in tables]
    return Normalizer(power, 0.29, tuple(t.mean for t in tables), tuple(scales))


def make_skies(config: RunConfig, normalizer: Normalizer, *, fiducial: bool = False) -> list:
    """Lognormal sky makers over σ8 and depth in redshift, each with its σ_κ."""
    data, sources = config.data, cosmos_sources()
    grid = Grid((data.sky, data.sky), normalizer.pixel_scale)
    home = (Lognormal(grid, normalizer.power), normalizer.fiducial)
    if fiducial:
        return [home]
    skies = [home] * data.fiducial
    for stretch in data.stretch:
        table = sources.stretched(stretch)
        scale = theory_spectrum(table).std(normalizer.pixel_scale)
        for sigma8 in data.sigma8:
            power = theory_spectrum(table, Cosmology(sigma8=sigma8))
            skies.append((Lognormal(grid, power), scale))
    return skies


def make_batches(
    config: RunConfig, normalizer: Normalizer, batch: int, stage: str
) -> Callable[[int], Batch]:
    """Training data: batch number i, made on the fly."""
    data, seed = config.data, 2 * config.train.seed + TRAIN
    # The two stages see different skies: stage 2 goes on where stage 1 ended.
    offset = 0 if stage == "regression" else 10**6
    patches = Patches(make_skies(config, normalizer), data.side, batch, seed)
    observe = Observe(
        cosmos().sigma, normalizer.pixel_scale, data.real, data.rescaled, data.depth, seed=seed
    )

    def batches(index: int) -> Batch:
        kappa, gamma, scale = patches(offset + index)
        return Batch(observe(kappa, gamma, offset + index), scale)

    return batches


def make_fields(
    config: RunConfig, normalizer: Normalizer, n: int, *, seed: int, **observe: float
) -> list[ShearField]:
    """`n` fields at the fiducial cosmology with the COSMOS mask and σ, for scores."""
    patches = Patches(
        make_skies(config, normalizer, fiducial=True), config.data.side, min(n, 4), seed
    )
    look = Observe(cosmos().sigma, normalizer.pixel_scale, **({"real": 1.0} | observe), seed=seed)
    fields = []
    for index in range(-(-n // patches.batch)):
        kappa, gamma, _ = patches(index)
        fields += unbatched(look(kappa, gamma, index))
    return fields[:n]


def unbatched(field: ShearField) -> list[ShearField]:
    """The single fields of a batch."""
    arrays = {k: getattr(field, k) for k in ("gamma", "sigma", "mask", "kappa", "area")}
    return [
        ShearField(field.grid, **{k: v[i] for k, v in arrays.items()})
        for i in range(len(field.gamma))
    ]


def make_validate(
    config: RunConfig, normalizer: Normalizer, device: torch.device, *, deterministic: bool
) -> Callable[[UNet], dict[str, float]]:
    """Scores of a network on fixed fields from other skies than any it trains on."""
    train = config.train
    fields = make_fields(config, normalizer, train.validate_maps, seed=2 * train.seed + VALIDATE)
    n = 1 if deterministic else train.validate_samples

    @torch.inference_mode()
    def validate(network: UNet) -> dict[str, float]:
        means, variances, singles = [], [], []
        for i, field in enumerate(fields):
            maps = _draw(network, normalizer, field, n, device, i, zero=deterministic)
            means.append(maps.mean(0))
            variances.append(maps.var(0) if n > 1 else 0 * maps[0])
            singles.append(maps[0])
        truth = torch.stack([f.truth for f in fields])
        area = torch.stack([f.footprint for f in fields])
        mean, var, one = (torch.stack(m) for m in (means, variances, singles))
        gain = reward.measured_gain(
            mean_square(one, truth, area).mean().item(),
            mean_square(mean, truth, area).mean().item(),
        )
        return {
            "r": pearson(mean, truth, area).mean().item(),
            "rmse": rmse(mean, truth, area).mean().item(),
            "ratio": spread_skill(mean, var, truth, area, n).item(),
            "gain": gain,
        }

    return validate


def _draw(
    network: UNet,
    normalizer: Normalizer,
    field: ShearField,
    n: int,
    device: torch.device,
    key: int,
    *,
    zero: bool,
) -> Tensor:
    scale = normalizer.scale(field)
    condition = normalizer.condition(field.to(device), network.multiple, scale)
    shape = tuple(condition.shape[-2:])
    latents = network.latents(shape, [generator(key, i) for i in range(n)])
    latents = [(0 * x if zero else x).to(device) for x in latents]
    output = network.paint(network.features(condition), latents)
    filtered = condition[:, FILTERED : FILTERED + 1]
    kappa = normalizer.kappa(output, filtered, field.grid.shape, scale).cpu()
    return remove_mean(kappa, field.footprint)


def train(
    config: RunConfig,
    out: Path,
    *,
    stage: str,
    start: Path | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    name: str = "default",
) -> Path:
    """Run one stage and write ``<out>/<stage>.safetensors``.

    Args:
        config: All settings.
        out: Folder of the run.
        stage: ``regression`` or ``adversarial``.
        start: Checkpoint whose weights to start from.
        resume: Go on from the folder's state.
        device: Where to train.
        name: Written into the card.
    """
    device, out = torch.device(device), Path(out)
    if (out / "state.safetensors").is_file() and not resume:
        raise ValueError(f"{out} holds the state of a run: give --resume or another --out")
    if start is not None:
        checkpoint.load_card(start)  # says what is wrong before any work is done
    torch.manual_seed(config.train.seed)  # initial weights only
    normalizer = make_normalizer()
    settings = getattr(config.train, stage)
    network = build(asdict(config.network))
    critic = None
    if stage == "adversarial":
        critic = Critic(1 + CHANNELS, config.network.critic_widths, shuffle=config.network.shuffle)
    if start is not None:
        path = checkpoint.find(start)
        weights = checkpoint.load_weights(path)
        checkpoint.check_weights(network, weights, path)
        network.load_state_dict(weights)
    trainer = Trainer(
        network,
        critic,
        normalizer,
        make_batches(config, normalizer, settings.batch, stage),
        make_validate(config, normalizer, device, deterministic=stage == "regression"),
        config,
        stage=stage,
        out=out,
        device=device,
    )
    if resume:
        trainer.resume()
    (out / "config.json").parent.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config.to_dict(), indent=1))
    trainer.run()
    path = out / f"{stage}.safetensors"
    checkpoint.save(path, trainer.average, make_card(config, normalizer, trainer, name))
    return path


def make_card(
    config: RunConfig, normalizer: Normalizer, trainer: Trainer, name: str
) -> dict[str, Any]:
    """The checkpoint's metadata: everything that rebuilds and explains the model."""
    data, sources = config.data, cosmos_sources()
    low, high = data.depth
    area = normalizer.pixel_scale**2
    noise = [COSMOS_SCATTER / (d * area) ** 0.5 for d in (high, low)]
    scales = [theory_spectrum(sources.stretched(s)).std(0.29) for s in data.stretch]
    return {
        "name": name,
        "network": asdict(config.network),
        "normalization": normalization_card(normalizer),
        "domain": {
            "pixel_scale": [0.98 * normalizer.pixel_scale, 1.02 * normalizer.pixel_scale],
            "sigma_over_kappa": [
                noise[0] / max(scales),
                COSMOS_SCATTER / min(scales) / max((low * area) ** 0.5, 1.0),
            ],
            "mean_redshift": [
                0.95 * sources.mean * min(data.stretch),
                1.05 * sources.mean * max(data.stretch),
            ],
            "sigma8": [min(data.sigma8), max(data.sigma8)],
            "masks": ["COSMOS", "round holes and bad columns", "none"],
        },
        "sources": {
            "redshift": sources.redshift.tolist(),
            "density": [round(float(d), 6) for d in sources.density],
        },
        "training": {
            "stage": trainer.stage,
            "steps": trainer.step,
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
            f"lognormal simulated skies ({data.side}² pixels of {normalizer.pixel_scale}′, "
            f"COSMOS n(z) and shallower, σ8 {min(data.sigma8)}–{max(data.sigma8)}), observed "
            "with the COSMOS mask and noise or with random masks and "
            f"{low:.0f}–{high:.0f} galaxies/arcmin²"
        ),
        "evaluation": {},
    }


def train_stages(
    config: RunConfig,
    out: Path,
    *,
    stage: str = "both",
    start: Path | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
) -> Path:
    """Regression, then the adversarial stage from its weights, each in its own folder.

    Args:
        config: All settings.
        out: Folder of the run; a stage's files lie in ``<out>/<stage>/``.
        stage: ``both``, or one of the two.
        start: Checkpoint whose weights the first stage run starts from.
        resume: Skip what is done and go on from what was saved.
        device: Where to train.

    Returns:
        Path of the last stage's checkpoint.
    """
    known = ("regression", "adversarial")
    if stage not in (*known, "both"):
        raise ValueError(f"`stage` must be both, regression or adversarial, got {stage!r}")
    for name in known if stage == "both" else (stage,):
        folder = Path(out) / name
        done = folder / f"{name}.safetensors"
        if not (resume and done.is_file()):
            train(config, folder, stage=name, start=start, resume=resume, device=device)
        start = done
    return start
