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
from massgan_core.gan.moments import Moments
from massgan_core.gan.networks import build, build_critic, build_moments
from massgan_core.gan.normalize import CHANNELS
from massgan_core.gan.processes import Processes
from massgan_core.gan.schedule import make_fabric
from massgan_core.gan.state import state_facts, under
from massgan_core.gan.trainer import Trainer
from massgan_core.nn import UNet
from massgan_core.training_card import make_card
from massgan_core.training_data import (
    make_batches,
    make_fields,
    make_normalizer,
    make_validate,
    make_validate_moments,
)

STAGES = ("regression", "adversarial", "variance")

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

    Under ``torchrun`` each process trains on its part of every batch and the first one writes;
    losses, weights and log are those of one process, to rounding.

    Args:
        config: All settings.
        out: Folder of the run.
        stage: ``regression``, ``adversarial`` or ``variance``.
        data: Store of simulated maps; without one, lognormal skies are made on the fly.
        start: Checkpoint whose weights to start from; the variance stage needs the mean's.
        resume: Go on from the folder's state; its settings must be the same.
        device: Where to train.
        until: Clock (`time.monotonic`) at which to stop, ready to be resumed.
        name: Written into the card.

    Returns:
        Whether the stage is done.

    Raises:
        ValueError: Settings, store, checkpoint or folder do not fit; nothing was written.
        FloatingPointError: A loss became NaN or infinite; the last state is good.
        ConnectionError: Another process of the run has ended; the last state is good.
    """
    out = Path(out)
    settings = {"stage": stage, "data": None if data is None else str(Path(data).resolve())}
    settings |= config.to_dict()
    if stage == "variance":
        settings["start"] = _digest_of_mean(start)
    _check_folder(out, settings, resume)
    # Says what is wrong before any work is done.
    before = None if start is None else checkpoint.load_card(start)
    store = None if data is None else MapStore.open(data)
    fabric = make_fabric(device, config.train.precision)
    processes, chosen = Processes(fabric), getattr(config.train, stage)
    part = processes.part(chosen.batch, f"train.{stage}.batch")
    torch.manual_seed(config.train.seed)  # initial weights only
    normalizer = make_normalizer()
    network = _network(config, stage, start)
    critic = None
    if stage == "adversarial":
        critic = build_critic(asdict(config.network), 1 + CHANNELS, config.data.side)
    validate = None
    if processes.chief and stage == "variance":
        validate = make_validate_moments(config, normalizer, fabric.device, store=store)
    elif processes.chief:
        plain = stage == "regression"
        validate = make_validate(
            config, normalizer, fabric.device, deterministic=plain, store=store
        )
    trainer = Trainer(
        network,
        critic,
        normalizer,
        make_batches(config, normalizer, chosen.batch, stage, store, fabric.device, part),
        validate,
        config,
        stage=stage,
        out=out,
        fabric=fabric,
    )
    check_memory(trainer)
    if resume:
        trainer.resume()
    processes.wait()  # until all have read what the first one now writes
    if processes.chief:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(settings, indent=1))
    done = trainer.run(until)
    if processes.chief:
        weights, facts = trainer.best_weights()
        card = make_card(config, normalizer, trainer, name, store, facts, before)
        if stage == "variance":
            card["training"]["mean"] = before["training"]
        checkpoint.save(out / f"{stage}.safetensors", weights, card)
    processes.wait()
    return done


def _network(config: RunConfig, stage: str, start: Path | None) -> UNet | Moments:
    """What a stage trains, with the weights it starts from."""
    section = asdict(config.network)
    network = build_moments(section) if stage == "variance" else build(section)
    if start is None:
        return network
    path = checkpoint.find(start)
    # Of moment networks the mean alone: that is what the other stages train.
    weights = under(checkpoint.named_moments(checkpoint.load_weights(path)), "mean")
    target = network.mean if isinstance(network, Moments) else network
    checkpoint.check_weights(target, weights, path)
    target.load_state_dict(weights)
    return network


def _digest_of_mean(start: Path | None) -> str:
    """Which mean a variance belongs to.

    Raises:
        ValueError: There is none, or it is no mean.
    """
    if start is None:
        raise ValueError(
            "`start` must be a checkpoint of the regression stage for the variance stage, got "
            "None: train one with --stage regression"
        )
    kind = checkpoint.kind_of(checkpoint.load_card(start))
    if kind != "regression":
        raise ValueError(
            "`start` must be a checkpoint of the regression stage for the variance stage, got "
            f"one of kind {kind!r}: {start}"
        )
    return checkpoint.digest(checkpoint.find(start))


def _check_folder(out: Path, settings: dict, resume: bool) -> None:
    """A run is not overwritten, nor resumed with other settings."""
    if not (out / "state.safetensors").is_file():
        return
    if not resume:
        raise ValueError(f"{out} holds the state of a run: give --resume or another --out")
    old, new = _flat(json.loads((out / "config.json").read_text())), _flat(settings)
    others = tuple(f"train.{name}." for name in STAGES if name != settings["stage"])
    changed = [k for k in new if old.get(k) != new[k] and not k.startswith(others)]
    if changed:
        key = changed[0]
        raise ValueError(
            f"{out} was begun with {key}={old.get(key)}, now it is {new[key]}: "
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
        stage: ``both``, one of the two, or ``variance`` on a regression's checkpoint.
        data: Store of simulated maps; without one, lognormal skies are made on the fly.
        start: Checkpoint whose weights the first stage run starts from.
        resume: Skip what is done and go on from what was saved.
        device: Where to train.
        minutes: After these the run is saved and stops.

    Returns:
        Path of the last checkpoint written.

    Raises:
        ValueError: Unknown stage, or as of :func:`train`.
    """
    if stage not in ("both", *STAGES):
        raise ValueError(f"`stage` must be both, {' or '.join(STAGES)}, got {stage!r}")
    until = time.monotonic() + 60 * minutes
    for name in STAGES[:2] if stage == "both" else (stage,):
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
