"""Wiener maps, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

import massgan_core as mg
from massgan_core.sky import PowerSpectrum, ShearField


@dataclass
class Classical:
    """Wiener maps, each solved once: kept by a digest of the very data they are made from."""

    folder: Path
    _solvers: dict[str, mg.Wiener] = field(default_factory=dict)

    def wiener(self, fields: list[ShearField], power: PowerSpectrum) -> Float[Tensor, "F H W"]:
        """Posterior mean of every field."""
        solver = self._solver(power)
        return torch.stack(
            [self._kept(f"{_digest(f, power)}.mean", lambda f=f: solver.map(f)) for f in fields]
        )

    def residuals(self, one: ShearField, power: PowerSpectrum, n: int) -> Float[Tensor, "N H W"]:
        """`n` samples less their mean: the same for all fields of one σ map and spectrum."""
        solver = self._solver(power)
        blank = replace(one, gamma=torch.zeros_like(one.gamma))
        return self._kept(f"{_digest(blank, power)}.{n}", lambda: solver.sample(blank, n, 0))

    def _solver(self, power: PowerSpectrum) -> mg.Wiener:
        key = hashlib.sha256(power.power.tobytes()).hexdigest()
        return self._solvers.setdefault(key, mg.Wiener(power))

    def _kept(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        path = self.folder / f"{name}.safetensors"
        if path.is_file():
            return load_file(path)["kappa"]
        self.folder.mkdir(parents=True, exist_ok=True)
        kappa, part = make().float().contiguous(), path.with_suffix(".part")
        save_file({"kappa": kappa}, part)
        part.rename(path)
        return kappa


def _digest(one: ShearField, power: PowerSpectrum) -> str:
    digest = hashlib.sha256(repr((one.grid.shape, one.grid.pixel_scale)).encode())
    for array in (one.gamma.numpy(), one.sigma.numpy(), power.ell, power.power):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:20]
