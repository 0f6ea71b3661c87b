"""Training: regression (MSE), then from its weights adversarial (rcGAN) or variance.

Every random number of step i is keyed by (seed, i) and the number of the field within the
step, so a run that is stopped and resumed goes on as if it had not been, on any number of
processes. Fabric launches these, places tensors and chooses the precision; what they tell each
other is in `massgan_core.gan.processes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from massgan_core.gan import losses, reward
from massgan_core.gan.config import RunConfig, StageConfig
from massgan_core.gan.descent import Descent
from massgan_core.gan.moments import Moments, moments
from massgan_core.gan.normalize import FILTERED, Normalizer
from massgan_core.gan.processes import Processes
from massgan_core.gan.residual import painted
from massgan_core.gan.schedule import fast_layout
from massgan_core.gan.state import append_row, state_facts, under, write_state
from massgan_core.nn import Critic, UNet
from massgan_core.sky import ShearField, device_generator, generator, remove_mean

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_LATENT, _MIX = 31, 32  # keys of the independent random streams behind one seed


@dataclass(frozen=True)
class Batch:
    """A batch of fields (with true κ) that share σ_κ = `scale`."""

    field: ShearField
    scale: float


class Trainer:
    """One stage of training.

    Args:
        network: The generator, or both networks of the variance stage; trained in place.
        critic: Needed by the adversarial stage.
        normalizer: Fields to channels.
        batches: This process's part of batch number i, see :meth:`Processes.part`.
        validate: Scores the averaged weights; its ``gain`` [dB] tunes β_SD. Only the first
            process needs it.
        config: All settings.
        stage: ``regression``, ``adversarial`` or ``variance``.
        out: Folder of the run: ``log.csv``, ``state.safetensors``.
        fabric: Launched; see :func:`massgan_core.gan.schedule.make_fabric`.
    """

    def __init__(
        self,
        network: UNet | Moments,
        critic: Critic | None,
        normalizer: Normalizer,
        batches: Callable[[int], Batch],
        validate: Callable[[UNet | Moments], dict[str, float]] | None,
        config: RunConfig,
        *,
        stage: str,
        out: Path,
        fabric: Fabric,
    ) -> None:
        self.fabric, self.device, self.processes = fabric, fabric.device, Processes(fabric)
        self.out, self.stage = Path(out), stage
        self.config = config
        self.settings: StageConfig = getattr(config.train, stage)
        self.layout = fast_layout(self.device, config.train.precision)
        self.network = network.to(self.device, memory_format=self.layout)
        self.critic = critic
        if critic is not None:
            self.critic = critic.to(self.device, memory_format=self.layout)
        self.normalizer, self.batches, self.validate = normalizer, batches, validate
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        s, processes = self.settings, self.processes
        self.part = processes.part(s.batch, f"train.{stage}.batch")
        self.descents = {"adam": Descent(self.network, s.lr, s, processes)}
        if stage == "adversarial":
            if critic is None:
                raise ValueError("`critic` is needed by the adversarial stage, got None")
            self.descents["critic_adam"] = Descent(self.critic, s.critic_lr, s, processes)
        self.step, self.weight, self.seconds = 0, reward.starting_weight(s.samples), 0.0
        self.best = float("inf")

    def run(self, until: float = float("inf")) -> bool:
        """Train to the stage's last step, logging, validating and saving on the way.

        Args:
            until: Clock (`time.monotonic`) at which to save and stop before that.

        Returns:
            Whether the last step was reached.
        """
        chief = self.processes.chief
        if chief:
            self.out.mkdir(parents=True, exist_ok=True)
        take = {
            "regression": self._regress,
            "adversarial": self._compete,
            "variance": self._spread,
        }[self.stage]
        saved = last = time.monotonic()
        with tqdm(
            total=self.settings.steps,
            initial=self.step,
            desc=self.stage,
            mininterval=5,
            disable=not chief,
        ) as bar:
            while not self._done and not self.processes.late(until):
                for descent in self.descents.values():
                    descent.set_rate(self.step)
                row = take(self.batches(self.step))
                bad = [k for k, v in row.items() if not abs(v) < float("inf")]
                if bad:
                    raise FloatingPointError(
                        f"step {self.step}: {bad[0]} is not finite; the last state in {self.out} "
                        "is good, resume it with a smaller learning rate"
                    )
                self._blend()
                self.step += 1
                bar.update()
                now = time.monotonic()
                self.seconds, last = self.seconds + now - last, now
                if self.step % self.config.train.validate_every == 0 or self._done:
                    row |= self._check()
                    bar.set_postfix(
                        {k: f"{row[k]:.3g}" for k in ("r", "rmse", "ratio") if k in row}
                    )
                    if chief:
                        self._log(row)
                if chief and (now - saved > 60 * self.config.train.save_minutes or self._done):
                    self.save_state()
                    saved = now
        if self.best == float("inf"):
            self._check()
        if chief and not self._done:
            self.save_state()
        return self._done

    @property
    def _done(self) -> bool:
        return self.step >= self.settings.steps

    def _prepare(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Condition, truth [σ_κ] and footprint of a batch, on the device."""
        field = batch.field.to(self.device)
        condition = self.normalizer.condition(field, self.network.multiple, batch.scale)
        truth = remove_mean(field.kappa, field.footprint) / batch.scale
        return condition.contiguous(memory_format=self.layout), truth, field.footprint

    def _paint(self, condition: Tensor, shape: tuple[int, int], n: int, zero: bool) -> Tensor:
        """`n` maps a field [B, n, H, W] in units of σ_κ."""
        seed, first, count = self.config.train.seed, n * self.part.start, n * len(condition)
        keys = [
            device_generator(self.device, seed, _LATENT, self.step, first + i)
            for i in range(count)
        ]
        latents = self.network.latents(tuple(condition.shape[-2:]), keys)
        latents = [(0 * x if zero else x).to(self.device) for x in latents]
        deviation = self.normalizer.deviation(condition, self.normalizer.pixel_scale)
        filtered = condition[:, FILTERED : FILTERED + 1].repeat_interleave(n, 0)

        def paint(seen: list[Tensor]) -> Tensor:
            with self.fabric.autocast():
                return self.network(condition, seen)

        maps = painted(
            self.network, self.normalizer, filtered, deviation, latents, paint, shape, 1.0
        )
        return maps.unflatten(0, (len(condition), n))

    def _regress(self, batch: Batch) -> dict[str, float]:
        condition, truth, area = self._prepare(batch)
        maps = self._paint(condition, tuple(truth.shape[-2:]), 1, zero=True)[:, 0]
        error = (remove_mean(maps, area) - truth) ** 2
        loss = losses.area_mean(error, area, self.processes.total)
        self.descents["adam"](loss)
        return {"loss": loss.item()}

    def _spread(self, batch: Batch) -> dict[str, float]:
        condition, truth, area = self._prepare(batch)
        with self.fabric.autocast():
            output = self.network(condition)
        mean, variance = moments(output, condition, area)
        loss = losses.variance_score(variance, (mean - truth) ** 2, area, self.processes.total)
        self.descents["adam"](loss)
        return {"loss": loss.item()}

    def _compete(self, batch: Batch) -> dict[str, float]:
        s, total = self.settings, self.processes.total
        condition, truth, area = self._prepare(batch)
        shape = tuple(truth.shape[-2:])
        maps = self._paint(condition, shape, s.samples, zero=False)
        maps = remove_mean(maps, area[:, None])
        # Critic
        seen = condition[..., : shape[0], : shape[1]]
        real, fake = truth[:, None], maps[:, :1].detach()
        key = generator(self.config.train.seed, _MIX, self.step)
        mix = torch.rand((s.batch, 1, 1, 1), generator=key)[self.part].to(self.device)
        scores = self.critic(real, seen), self.critic(fake, seen)
        score = losses.critic_loss(*scores, s.drift, total)
        pieces = self.critic.of_linear_pieces
        penalty = losses.gradient_penalty(
            lambda x: self.critic(x, seen), real, fake, mix, pieces=pieces, total=total
        )
        self.descents["critic_adam"](score + s.penalty * penalty)
        # Generator
        self.critic.requires_grad_(False)
        adversarial = -losses.batch_mean(self.critic(maps[:, :1], seen), total)
        self.critic.requires_grad_(True)
        loss = s.adversarial * adversarial
        row = {"critic": score, "penalty": penalty, "adversarial": adversarial}
        if s.l1:
            row["l1"], row["spread"] = (
                f(maps, *rest, total)
                for f, rest in (
                    (losses.mean_l1, (truth, area)),
                    (losses.deviation_reward, (area,)),
                )
            )
            loss = loss + s.l1 * (row["l1"] - s.reward * self.weight * row["spread"])
        if s.crps or s.spread:
            bands = losses.bands_within(s.bands, shape)
            y, x = torch.randint(2 ** (bands - 1), (2,), generator=key).tolist()
            for name, weight, f in (
                ("crps", s.crps, losses.fair_crps),
                ("gap", s.spread, losses.spread_gap),
            ):
                if weight:
                    row[name] = f(maps, truth, area, bands, (y, x), total)
                    loss = loss + weight * row[name]
        if s.peaks:
            guide = condition[:, FILTERED, : shape[0], : shape[1]]
            row["peaks"] = losses.peak_gap(maps, truth, area, guide, total=total)
            loss = loss + s.peaks * row["peaks"]
        if s.skewness:
            y, x = torch.randint(4, (2,), generator=key).tolist()
            row["skewness"] = losses.third_moment_gap(
                maps, truth, area, offset=(y, x), total=total
            )
            loss = loss + s.skewness * row["skewness"]
        if s.mean:
            row["mean"] = losses.mean_square(maps, truth, area, total)
            loss = loss + s.mean * row["mean"]
        self.descents["adam"](loss)
        return {k: v.item() for k, v in row.items()}

    @torch.no_grad()
    def _blend(self) -> None:
        """Exponential moving average of the weights; short memory at the start."""
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        new = self.network.state_dict()
        # All at once: one by one, on a GPU, launching takes longer than computing.
        torch._foreach_lerp_([self.average[k] for k in new], list(new.values()), 1 - decay)

    def _check(self) -> dict[str, float]:
        """Validate the averaged weights; tune β_SD; keep the best."""
        scores = {}
        if self.processes.chief:
            current = {k: v.clone() for k, v in self.network.state_dict().items()}
            self.network.load_state_dict(self.average)
            scores = self.validate(self.network.eval())
            self.network.train().load_state_dict(current)
        scores = self.processes.tell(scores)
        if self.stage == "adversarial":
            train = self.config.train
            self.weight = reward.tuned(
                self.weight,
                scores["gain"],
                train.validate_samples,
                train.reward_step,
                self.settings.samples,
            )
        cost = self._cost(scores)
        if cost < self.best:
            self.best = cost
            if self.processes.chief:
                write_state(
                    self.average, self.out / "best.safetensors", {"step": self.step, **scores}
                )
        return {**scores, "beta_sd": self.weight, "best": self.best}

    def best_weights(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """The averaged weights that validated best, with their step and scores."""
        path = self.out / "best.safetensors"
        return load_file(path), state_facts(path)

    def _cost(self, scores: dict[str, float]) -> float:
        """What the best weights have least of."""
        names = {"regression": "rmse", "adversarial": "crps", "variance": "score"}
        return scores[names[self.stage]]

    def _log(self, row: dict[str, float]) -> None:
        row = {"step": self.step, "minutes": self.seconds / 60, **row}
        append_row(self.out / "log.csv", row)

    def save_state(self) -> None:
        """Everything needed to go on, atomically, in ``state.safetensors``."""
        parts = {f"average.{k}": v for k, v in self.average.items()}
        modules = {"network": self.network, "critic": self.critic}
        for name, module in modules.items():
            if module is not None:
                parts |= {f"{name}.{k}": v for k, v in module.state_dict().items()}
        for name, descent in self.descents.items():
            parts |= {f"{name}.{k}": v for k, v in descent.state().items()}
        facts = {"stage": self.stage, "step": self.step, "weight": self.weight}
        facts |= {"seconds": self.seconds, "best": self.best}
        write_state(parts, self.out / "state.safetensors", facts)

    def resume(self) -> bool:
        """Go on from ``state.safetensors`` of this stage; False if there is none."""
        path = self.out / "state.safetensors"
        if not path.is_file():
            return False
        facts = state_facts(path)
        if facts["stage"] != self.stage:
            return False
        parts = load_file(path, device=str(self.device))
        self.average = under(parts, "average")
        self.network.load_state_dict(under(parts, "network"))
        if self.critic is not None:
            self.critic.load_state_dict(under(parts, "critic"))
        for name, descent in self.descents.items():
            descent.restore(under(parts, name))
        self.step, self.weight, self.best = facts["step"], facts["weight"], facts["best"]
        self.seconds = facts["seconds"]
        return True
