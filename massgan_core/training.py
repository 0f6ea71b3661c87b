"""Training put together: simulated skies → observations → network → checkpoint."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import torch

from massgan_core.data import MapStore
from massgan_core.gan import checkpoint
from massgan_core.gan.config import RunConfig
from massgan_core.gan.memory import check_memory
from massgan_core.gan.networks import build, build_critic
from massgan_core.gan.normalize import CHANNELS
from massgan_core.gan.schedule import make_fabric
from massgan_core.gan.state import state_facts
from massgan_core.gan.trainer import Trainer
from massgan_core.training_card import make_card
from massgan_core.training_data import (
    make_batches,
    make_fields,
    make_normalizer,
    make_validate,
)

__all__ = ["make_fields", "make_normalizer", "train", "train_stages"]


def train(
    config: RunConfig,
    out: Path,
    *,
    stage: str,
    data: Path | None = None,
    start: Path | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    until: float = float("inf"),
    name: str = "default",
) -> bool:
    """Run one stage and write ``<out>/<stage>.safetensors``, its best weights so far.

    Args:
        config: All settings.
        out: Folder of the run.
        stage: ``regression`` or ``adversarial``.
        data: Store of simulated maps; without one, lognormal skies are made on the fly.
        start: Checkpoint whose weights to start from.
        resume: Go on from the folder's state; its settings must be the same.
        device: Where to train.
        until: Clock (`time.monotonic`) at which to stop, ready to be resumed.
        name: Written into the card.

    Returns:
        Whether the stage is done.

    Raises:
        ValueError: Settings, store, checkpoint or folder do not fit; nothing was written.
        FloatingPointError: A loss became NaN or infinite; the last state is good.
    """
    out = Path(out)
    settings = {"stage": stage, "data": None if data is None else str(Path(data).resolve())}
    settings |= config.to_dict()
    _check_folder(out, settings, resume)
    if start is not None:
        checkpoint.load_card(start)  # says what is wrong before any work is done
    store = None if data is None else MapStore.open(data)
    fabric = make_fabric(device, config.train.precision)
    torch.manual_seed(config.train.seed)  # initial weights only
    normalizer = make_normalizer()
    chosen = getattr(config.train, stage)
    network = build(asdict(config.network))
    critic = None
    if stage == "adversarial":
        critic = build_critic(asdict(config.network), 1 + CHANNELS, config.data.side)
    if start is not None:
        path = checkpoint.find(start)
        weights = checkpoint.load_weights(path)
        checkpoint.check_weights(network, weights, path)
        network.load_state_dict(weights)
    deterministic = stage == "regression"
    trainer = Trainer(
        network,
        critic,
        normalizer,
        make_batches(config, normalizer, chosen.batch, stage, store, fabric.device),
        make_validate(config, normalizer, fabric.device, deterministic=deterministic, store=store),
        config,
        stage=stage,
        out=out,
        fabric=fabric,
    )
    check_memory(trainer)
    if resume:
        trainer.resume()
    if fabric.is_global_zero:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(settings, indent=1))
    done = trainer.run(until)
    if fabric.is_global_zero:
        weights, facts = trainer.best_weights()
        card = make_card(config, normalizer, trainer, name, store, facts)
        checkpoint.save(out / f"{stage}.safetensors", weights, card)
    fabric.barrier()
    return done


def _check_folder(out: Path, settings: dict, resume: bool) -> None:
    """A run is not overwritten, nor resumed with other settings."""
    if not (out / "state.safetensors").is_file():
        return
    if not resume:
        raise ValueError(f"{out} holds the state of a run: give --resume or another --out")
    old = json.loads((out / "config.json").read_text())
    changed = [k for k in _flat(settings) if _flat(old).get(k) != _flat(settings)[k]]
    if changed:
        key = changed[0]
        raise ValueError(
            f"{out} was begun with {key}={_flat(old).get(key)}, now it is {_flat(settings)[key]}: "
            "resume with the same settings, or start another --out from its checkpoint"
        )


def _flat(tree: dict, path: str = "") -> dict:
    flat = {}
    for key, value in tree.items():
        inner = isinstance(value, dict)
        flat |= _flat(value, f"{path}{key}.") if inner else {f"{path}{key}": value}
    return flat


def train_stages(
    config: RunConfig,
    out: Path,
    *,
    stage: str = "both",
    data: Path | None = None,
    start: Path | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
    minutes: float = float("inf"),
) -> Path:
    """Regression, then the adversarial stage from its weights, each in its own folder.

    Args:
        config: All settings.
        out: Folder of the run; a stage's files lie in ``<out>/<stage>/``.
        stage: ``both``, or one of the two.
        data: Store of simulated maps; without one, lognormal skies are made on the fly.
        start: Checkpoint whose weights the first stage run starts from.
        resume: Skip what is done and go on from what was saved.
        device: Where to train.
        minutes: After these the run is saved and stops.

    Returns:
        Path of the last checkpoint written.
    """
    known = ("regression", "adversarial")
    if stage not in (*known, "both"):
        raise ValueError(f"`stage` must be both, regression or adversarial, got {stage!r}")
    until = time.monotonic() + 60 * minutes
    for name in known if stage == "both" else (stage,):
        folder = Path(out) / name
        path = folder / f"{name}.safetensors"
        if not (resume and _is_done(folder, getattr(config.train, name).steps)):
            done = train(
                config,
                folder,
                stage=name,
                data=data,
                start=start,
                resume=resume,
                device=device,
                until=until,
            )
            if not done:
                return path
        start = path
    return start


def _is_done(folder: Path, steps: int) -> bool:
    state = folder / "state.safetensors"
    return state.is_file() and state_facts(state)["step"] >= steps
