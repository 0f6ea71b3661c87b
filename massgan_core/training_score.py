"""Training of a prior score put together: skies → noise → network → checkpoint.

    python -c "from massgan_core.training_score import train_score; \
               train_score('run', 'MAPS.zarr', minutes=120, resume=True)"

Every random number of step i is keyed by (seed, i) and the number of the map within the step,
so a run that is stopped and resumed goes on as if it had not been, on any number of processes.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from massgan_core.data import MapStore
from massgan_core.data.cut import cut
from massgan_core.gan.config import updated
from massgan_core.gan.losses import batch_mean
from massgan_core.gan.processes import Processes
from massgan_core.gan.schedule import learning_rate, make_fabric
from massgan_core.gan.state import append_row, restore, state_facts, under, write_state
from massgan_core.score import LevelUNet
from massgan_core.score.checkpoint import save
from massgan_core.score.config import ScoreConfig
from massgan_core.score.loss import Noised, denoising_loss, noise_levels, noised
from massgan_core.score.prior import Prior
from massgan_core.sky import device_generator, generator
from massgan_core.survey import cosmos_spectrum
from massgan_core.training_score_card import make_card, measured_ratio
from massgan_core.training_score_skies import TRAIN, VALIDATE, LognormalSkies, StoredSkies

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_LEVEL, _NOISE, _CUT = 41, 42, 43  # keys of the independent streams behind one seed


def train_score(
    out: str | os.PathLike,
    store: str | os.PathLike | MapStore | None = None,
    *,
    minutes: float = math.inf,
    resume: bool = False,
    device: torch.device | str = "cpu",
    name: str = "score",
    **settings: Any,
) -> Path:
    """Learn the prior score of the maps of a store, or of lognormal skies made on the fly.

    Under ``torchrun`` the processes share every batch and the first one writes.

    Args:
        out: Folder of the run: ``score.safetensors`` (the best weights so far), ``log.csv``,
            ``state.safetensors``, ``config.json``.
        store: Maps or their path.
        minutes: After these the run is saved and stops.
        resume: Go on from the folder's state; its settings must be the same.
        device: Where to train.
        name: Written into the card.
        settings: Of :class:`massgan_core.score.config.ScoreConfig`: ``steps``, ``batch`` …

    Returns:
        Path of the checkpoint.

    Raises:
        ValueError: Settings, store or folder do not fit; nothing was written.
        FloatingPointError: The loss became NaN or infinite; the last state is good.
        ConnectionError: Another process of the run has ended; the last state is good.
    """
    config, until = updated(ScoreConfig(), settings), time.monotonic() + 60 * minutes
    if store is not None and not isinstance(store, MapStore):
        store = MapStore.open(store)
    run = ScoreTraining(config, Path(out), store, make_fabric(device, config.precision))
    run.begin(resume)
    run.train(until)
    path = Path(out) / "score.safetensors"
    if run.processes.chief:
        weights, facts = run.best_weights()
        run.network.load_state_dict(weights)
        save(path, weights, make_card(run, name, facts, measured_ratio(run)))
    run.processes.wait()
    return path


class ScoreTraining:
    """One run: network, skies, optimiser, and what is saved of them.

    Args:
        config: All settings.
        out: Folder of the run.
        store: Maps; `None` makes lognormal skies.
        fabric: Launched; see :func:`massgan_core.gan.schedule.make_fabric`.
    """

    def __init__(
        self, config: ScoreConfig, out: Path, store: MapStore | None, fabric: Fabric
    ) -> None:
        self.config, self.out, self.store = config, out, store
        self.autocast, self.device = fabric.autocast, fabric.device
        self.processes = Processes(fabric)
        torch.manual_seed(config.seed)  # initial weights only
        self.network = LevelUNet(
            widths=config.widths,
            shuffle=config.shuffle,
            bottleneck=config.bottleneck,
            embedding=config.embedding,
        ).to(self.device)
        part = self.processes.part(config.batch)
        skies = (StoredSkies if store is not None else LognormalSkies)(config, store, part)
        self.skies, self.own, shape = skies, part, skies.grid.shape
        multiple = self.network.multiple
        if config.side % multiple or not 0 < 2 * config.side <= min(shape):
            raise ValueError(
                f"`side` must be a multiple of {multiple} and at most half of the maps' {shape} "
                f"pixels, got {config.side}"
            )
        fiducial = cosmos_spectrum().std(skies.grid.pixel_scale)
        self.priors = [
            Prior(p, skies.grid, self.network, fiducial=fiducial, device=self.device)
            for p in skies.powers
        ]
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimizer = torch.optim.Adam(self.network.parameters(), config.lr, betas=(0.9, 0.99))
        self.step, self.seconds, self.best = 0, 0.0, math.inf

    def begin(self, resume: bool) -> None:
        """Make the folder, or take up what is saved in it."""
        settings = json.loads(json.dumps(asdict(self.config)))
        settings["store"] = None if self.store is None else str(self.store.path)
        state, told = self.out / "state.safetensors", self.out / "config.json"
        if state.is_file():
            if not resume:
                raise ValueError(
                    f"{self.out} holds the state of a run: resume it or choose another"
                )
            old = json.loads(told.read_text())
            changed = [k for k in settings if old.get(k) != settings[k]]
            if changed:
                key = changed[0]
                raise ValueError(
                    f"{self.out} was begun with {key}={old.get(key)}, now it is {settings[key]}: "
                    "resume with the same settings or choose another folder"
                )
            self._load(state)
        self.processes.wait()  # until all have read what the first one now writes
        if self.processes.chief:
            self.out.mkdir(parents=True, exist_ok=True)
            told.write_text(json.dumps(settings, indent=1))

    def train(self, until: float = math.inf) -> None:
        """Train to the last step, or until a time (`time.monotonic`); log, validate and save."""
        config, saved, chief = self.config, time.monotonic(), self.processes.chief
        last = saved
        with tqdm(
            total=config.steps, initial=self.step, desc="score", mininterval=5, disable=not chief
        ) as bar:
            while self.step < config.steps and not self.processes.late(until):
                loss = self._descend()
                if not loss < math.inf:
                    raise FloatingPointError(
                        f"step {self.step}: the loss is not finite; the last state in {self.out} "
                        "is good, resume it with a smaller learning rate"
                    )
                self.step += 1
                bar.update()
                now = time.monotonic()
                self.seconds, last = self.seconds + now - last, now
                done = self.step >= config.steps
                if chief and (self.step % config.validate_every == 0 or done):
                    row = {"step": self.step, "minutes": self.seconds / 60, "loss": loss}
                    append_row(self.out / "log.csv", row | self._check())
                if chief and (now - saved > 60 * config.save_minutes or done):
                    self.save()
                    saved = now
        if chief:
            if self.best == math.inf:
                self._check()
            self.save()

    def part(
        self, kappa: Tensor, number: int, t: Tensor, *key: int, own: slice | None = None
    ) -> Noised:
        """Noised cut-outs of large maps of n(z) `number`; noise and place depend on `key`.

        Args:
            kappa: Maps.
            number: Of their n(z).
            t: Noise levels.
            key: Integers.
            own: Which maps of a batch to train on these are; default maps to validate on, whose
                cut-outs are centred and not turned.
        """
        prior, side = self.priors[number], self.config.side
        kappa, t = kappa.float().to(self.device), t.to(self.device)
        kappa = kappa - kappa.mean((-2, -1), keepdim=True)
        first = 0 if own is None else own.start
        white = [
            torch.randn(
                kappa.shape[1:],
                generator=device_generator(self.device, self.config.seed, _NOISE, *key, first + i),
                device=self.device,
            )
            for i in range(len(kappa))
        ]
        noisy, gaussian = noised(prior, kappa, t, torch.stack(white))
        corner, turn = self._centres(len(kappa)) if own is None else self._places(own, key)
        parts = [cut(m, corner, turn, (side, side)) for m in (kappa, noisy, gaussian)]
        return Noised(*parts, t, prior.error(t))

    def _places(self, own: slice, key: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Corners of cut-outs, a quarter of their side or more from every edge, and turns."""
        side, source = self.config.side, generator(self.config.seed, _CUT, *key)
        n, margin = self.config.batch, side // 4
        corner = [
            torch.randint(margin, large - side - margin + 1, (n,), generator=source)
            for large in self.skies.grid.shape
        ]
        turn = torch.randint(8, (n,), generator=source)
        return torch.stack(corner)[:, own].to(self.device), turn[own].to(self.device)

    def _centres(self, n: int) -> tuple[Tensor, Tensor]:
        rooms = [(large - self.config.side) // 2 for large in self.skies.grid.shape]
        corner = torch.tensor(rooms, device=self.device)[:, None].expand(2, n)
        return corner, torch.zeros(n, dtype=torch.long, device=self.device)

    def _descend(self) -> float:
        """One step of Adam."""
        config, processes = self.config, self.processes
        kappa, number = self.skies.train(self.step)
        low, high = (self.priors[number].scale * x for x in config.noise)
        t = noise_levels(config.batch, low, high, generator(config.seed, _LEVEL, self.step))
        self.network.train()
        part = self.part(kappa, number, t[self.own], TRAIN, self.step, own=self.own)
        with self.autocast():
            losses = denoising_loss(self.priors[number], part)
        loss = batch_mean(losses, processes.total)
        self.optimizer.param_groups[0]["lr"] = learning_rate(
            self.step, config.steps, config.lr, config.warmup, config.final_lr
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        processes.add_slopes(list(self.network.parameters()))
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        decay = min(config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        return float(loss.detach())

    @torch.no_grad()
    def _check(self) -> dict[str, float]:
        """Squared error of the averaged denoiser over the Gaussian one's, at fixed levels."""
        current = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        self.network.eval()
        scores = {}
        for level in self.config.validate_levels:
            errors = torch.zeros(2, dtype=torch.float64)
            for i, (kappa, number) in enumerate(self.skies.held_out(self.config.validate_maps)):
                t = torch.full((len(kappa),), level * self.priors[number].scale)
                part = self.part(kappa, number, t, VALIDATE, i)
                missed = (part.kappa - part.gaussian) / part.error[:, None, None]
                errors[0] += float(denoising_loss(self.priors[number], part).sum())
                errors[1] += float((missed**2).mean((-2, -1)).sum())
            scores[f"ratio_{level:g}"] = float(errors[0] / errors[1])
        scores["ratio"] = math.exp(np.mean(np.log(list(scores.values()))))
        self.network.load_state_dict(current)
        if scores["ratio"] < self.best:
            self.best = scores["ratio"]
            facts = {"step": self.step, **scores}
            write_state(self.average, self.out / "best.safetensors", facts)
        return scores

    def best_weights(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """The averaged weights that validated best, with their step and scores."""
        path = self.out / "best.safetensors"
        return load_file(path, device=str(self.device)), state_facts(path)

    def save(self) -> None:
        """Everything needed to go on, atomically."""
        parts = {f"average.{k}": v for k, v in self.average.items()}
        parts |= {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for i, state in self.optimizer.state_dict()["state"].items():
            parts |= {f"adam.{i}.{k}": v for k, v in state.items()}
        facts = {"step": self.step, "seconds": self.seconds, "best": self.best}
        write_state(parts, self.out / "state.safetensors", facts)

    def _load(self, path: Path) -> None:
        parts, facts = load_file(path, device=str(self.device)), state_facts(path)
        self.average = under(parts, "average")
        self.network.load_state_dict(under(parts, "network"))
        restore(self.optimizer, under(parts, "adam"))
        self.step, self.seconds, self.best = facts["step"], facts["seconds"], facts["best"]
