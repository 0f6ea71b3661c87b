"""The methods that an evaluation compares, each made for the fields' spectrum and σ.

A method has a map of its own (``mean``), samples, or both; where both are exact, the map has no
sampling noise.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from massgan_core.calibrating import calibration_of
from massgan_core.evaluate.calibration import Calibration
from massgan_core.gan import load
from massgan_core.gan.checkpoint import load_card
from massgan_core.gan.regression import RegressionSampler
from massgan_core.mapping import KaiserSquires, Sparse, Wiener
from massgan_core.posterior import Sampler
from massgan_core.sky import Draws, PowerSpectrum, ShearField, generator
from massgan_core.wiring import BUNDLED, NETWORKS

CLASSICAL = ("ks", "wiener", "sparse")
POOL = 96  #: residuals of the Wiener posterior that fields of one σ share

_POOL, _PICK = 106, 107  # keys of the random streams behind a seed


@dataclass(frozen=True, eq=False)
class Method:
    """One column of the table.

    Args:
        name: Short, for files and tables.
        title: For people.
        sampler: Draws samples; `None` for a method that has none.
        map: Map of a field, where the method has one that is no mean of samples.
        card: Of its checkpoint; {} for the classical ones.
        facts: What its results depend on, as JSON values.
        linear: It takes reduced shear for shear.
        calibration: Of its intervals, where its checkpoint has one.
    """

    name: str
    title: str
    sampler: Sampler | None
    map: Callable[[ShearField], Tensor] | None = None
    card: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None
    linear: bool = False
    calibration: Calibration | None = None

    def mean(self, field: ShearField) -> Float[Tensor, "H W"] | None:
        """The method's own map, or `None` where the mean of its samples is the map."""
        return None if self.map is None else self.map(field)


class PooledWiener:
    """The Wiener filter whose samples share their scatter between fields of one σ.

    A sample is the mean plus κ' − W(Aκ' + n'), and the second part does not know the data. A
    pool of these, made once, gives every field samples of its exact posterior; no two of one
    field are the same. Only what fields have in common is a little less than independent.

    Args:
        wiener: The exact sampler.
        field: Of the σ map and footprint for which the pool is made.
        path: Where the pool is kept between runs.
        seed: Of the pool.
        size: Number of residuals.
    """

    name = "wiener"

    def __init__(
        self, wiener: Wiener, field: ShearField, path: Path, seed: int = 0, size: int = POOL
    ) -> None:
        self.wiener, self.sigma, self.path, self.seed = wiener, field.sigma, path, seed
        self.size, self.provenance = size, {**wiener.provenance, "pool": size}
        self._pool: Tensor | None = None
        self._means: tuple[ShearField, Tensor] | None = None

    def map(self, field: ShearField) -> Float[Tensor, "H W"]:
        """Posterior mean; that of the last field is remembered."""
        if self._means is None or self._means[0] is not field:
            self._means = field, self.wiener.map(field)
        return self._means[1]

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` samples; sample i depends on (seed, i) and on the pool."""
        draws = Draws.of(generator)
        if not torch.equal(field.sigma, self.sigma) or draws.next + n > self.size:
            return self.wiener.sample(field, n, draws)
        order = _order(self.size, self.seed, draws.seed)
        chosen = order[draws.next : draws.next + n]
        draws.next += n
        return self.map(field) + self.pool(field)[chosen].to(field.device)

    def seconds(self, field: ShearField) -> float:
        """Of one sample without a pool, drawn four at a time."""
        start = perf_counter()
        self.wiener.sample(field, 4, 0)
        return (perf_counter() - start) / 4

    def pool(self, field: ShearField) -> Float[Tensor, "P H W"]:
        """The residuals, made where they are not there yet."""
        if self._pool is None:
            if not self.path.is_file():
                blank = replace(field, gamma=torch.zeros_like(field.gamma))
                draws = Draws(int(generator(self.seed, _POOL).initial_seed()))
                parts = [self.wiener.sample(blank, 4, draws) for _ in range(self.size // 4)]
                part = self.path.with_suffix(f".{os.getpid()}")
                save_file({"kappa": torch.cat(parts).cpu().contiguous()}, part)
                os.replace(part, self.path)
            self._pool = load_file(self.path)["kappa"]
        return self._pool


def make(
    spec: str,
    field: ShearField,
    power: PowerSpectrum,
    folder: Path,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Method:
    """A method by name, or ``NAME=CHECKPOINT``.

    Args:
        spec: ``ks``, ``wiener``, ``sparse``, ``gan``, ``regression=FILE``, ``score=FILE``; the
            name before = is that of the column, the checkpoint says what it is. ``@N`` at the
            end sets the noise levels of a sample of score (``score@10``).
        field: One of those that will be measured.
        power: Spectrum of κ for their n(z).
        folder: For what is kept between runs.
        seed: Of the Wiener pool.
        device: Of networks.
    """
    name, file, steps = _parted(spec)
    if not file:
        return _classical(name, field, power, folder, seed)
    sampler = _learned(spec, power, device)
    card = sampler.card
    facts = {"digest": sampler.provenance["digest"]}
    title = f"{type(sampler).name} ({sampler.provenance.get('checkpoint', file)})"
    calibration, learned_prior = None, type(sampler).name == "score"
    if learned_prior:
        facts |= {key: sampler.provenance[key] for key in ("steps", "noise", "tolerance")}
        title = f"{title.removesuffix(')')}, {sampler.steps} levels)"
    else:
        calibration = calibration_of(file)
        facts["calibrated"] = None if calibration is None else list(calibration.levels)
    if isinstance(sampler, RegressionSampler):
        samples = sampler if sampler.has_variance else None
        return Method(name, title, samples, sampler.mean, card, facts, False, calibration)
    # A learned prior takes the shear as Wiener does: γ = Aκ + n.
    return Method(name, title, sampler, None, card, facts, learned_prior, calibration)


def _parted(spec: str) -> tuple[str, str, int | None]:
    """Name, checkpoint ("" for a classical method) and noise levels (`None`: its own number).

    Raises:
        ValueError: Neither a known name nor one with a checkpoint; levels of another method.
    """
    name, _, file = spec.partition("=")
    head, _, steps = spec.rpartition("@")
    steps = int(steps) if head and steps.isdecimal() else None
    kind = name if steps is None else name.partition("@")[0]
    if file:
        file = file if steps is None else file.rpartition("@")[0]
    elif kind in NETWORKS:
        file = BUNDLED[kind]
    elif name not in CLASSICAL:
        raise ValueError(
            f"`methods` must be some of {', '.join(CLASSICAL + NETWORKS)}, or NAME=CHECKPOINT, "
            f"got {spec!r}"
        )
    if steps is not None and not _is_score(file):
        raise ValueError(f"`methods`: @{steps} belongs to score, {spec!r} is not: leave it out")
    return name, file, steps


def _classical(
    name: str, field: ShearField, power: PowerSpectrum, folder: Path, seed: int
) -> Method:
    facts = {"power": power.power.tolist(), "seed": seed}
    if name == "ks":
        estimator = KaiserSquires()
        title = f"Kaiser–Squires, {estimator.smoothing:g}′"
        return Method(name, title, None, estimator.map, {}, estimator.provenance, True)
    if name == "sparse":
        estimator = Sparse(power)
        return Method(name, "sparse (starlets + Wiener)", None, estimator.map, {}, facts, True)
    pooled = PooledWiener(Wiener(power), field, folder / "wiener.safetensors", seed)
    return Method(name, "Wiener", pooled, pooled.map, {}, facts, True)


def _learned(spec: str, power: PowerSpectrum, device: torch.device | str) -> Any:
    """The sampler of a checkpoint, whatever its kind."""
    from massgan_core.score import checkpoint as score

    _, file, steps = _parted(spec)
    if not _is_score(file):
        return load(file, device=device)
    return score.load(file, power, device=device, steps=steps)


def _is_score(file: str) -> bool:
    from massgan_core.score import checkpoint as score

    try:
        return score.load_card(file)["kind"] == score.KIND
    except ValueError:
        load_card(file)  # one clear sentence, unless it is the other kind
        return False


def gflop(method: Method, field: ShearField) -> float | None:
    """Floating-point operations of one sample [10⁹], its encoder included, as PyTorch counts.

    Fourier transforms are not counted; `None` where there is nothing but these.
    """
    from torch.utils.flop_counter import FlopCounterMode

    if method.card in (None, {}):
        return None
    with FlopCounterMode(display=False) as counter:
        if method.map is not None:
            method.map(replace(field))
        else:
            method.sampler.sample(replace(field), 1, 0)
    return counter.get_total_flops() / 1e9


def _order(size: int, seed: int, sample_seed: int) -> Tensor:
    return torch.randperm(size, generator=generator(seed, _PICK, sample_seed))


def card_of(spec: str) -> dict[str, Any]:
    """The card of the checkpoint that a method would load; {} for the classical ones."""
    _, file, _ = _parted(spec)
    if not file:
        return {}
    if _is_score(file):
        from massgan_core.score import checkpoint as score

        return score.load_card(file)
    return load_card(file)
