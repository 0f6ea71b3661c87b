"""The fields a checkpoint is judged on, and the classical maps of them, kept on disk."""

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
from massgan_core.data import MapStore
from massgan_core.data.dataset import fixed_fields
from massgan_core.simulate import PLANCK, Lognormal
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    footprint,
    generator,
    reduced_shear,
    shape_noise,
)
from massgan_core.sky.noise import COSMOS_SCATTER

NEAR = 0.02  #: relative distance of a cosmology from the fiducial one

_DEPTH, _AROUND, _NOISE = 93, 94, 95  # keys of the independent random streams behind one seed


def nearest_source(store: MapStore, redshift: float, tolerance: float = 0.05) -> int | None:
    """Number of the n(z) whose mean is within `tolerance` of `redshift`, or None."""
    off = [abs(s.mean - redshift) for s in store.sources]
    return int(np.argmin(off)) if min(off) <= tolerance else None


def even_rows(store: MapStore, n: int, redshift: float) -> list[int]:
    """At most `n` rows that are done, as evenly over boxes as can be.

    Their sources have this mean redshift, their cosmology is the fiducial one to a few percent
    (that of κTNG will do); [] if there are none.
    """
    source = nearest_source(store, redshift)
    near = np.ones(len(store), bool)
    for name in ("omega_m", "h", "sigma8", "n_s"):
        near &= np.abs(store.rows(name) / getattr(PLANCK, name) - 1) < NEAR
    there = set(store.done()) & set(np.flatnonzero(near).tolist())
    found = [] if source is None else sorted(there & set(store.where(sources=source)))
    boxes: dict[int, list[int]] = {}
    for row, box in zip(found, store.rows("box")[found].tolist(), strict=True):
        boxes.setdefault(box, []).append(row)
    longest = max(map(len, boxes.values()), default=0)
    turns = [rows[i] for i in range(longest) for rows in boxes.values() if i < len(rows)]
    return sorted(turns[:n])


def boxes_of(fields: list[ShearField]) -> list[int]:
    """Box of each field."""
    return [int(f.notes["box"]) for f in fields]


def seen_by_cosmos(store: MapStore, rows: list[int], seed: int) -> list[ShearField]:
    """With the mask and σ of COSMOS."""
    return fixed_fields(store, rows, mg.cosmos().sigma, seed=seed)


def seen_at_depth(store: MapStore, rows: list[int], depth: float, seed: int) -> list[ShearField]:
    """With integer Poisson counts of mean `depth` [galaxies/arcmin²] on the COSMOS footprint.

    σ = scatter/√count; a pixel without galaxies is unobserved. The noise is drawn anew.
    """
    area, fields = mg.cosmos().footprint, []
    for row in rows:
        key = generator(seed, _DEPTH, row, round(1000 * depth))
        counts = torch.poisson(area * (depth * store.pixel_scale**2), generator=key)
        sigma = torch.where(counts > 0, COSMOS_SCATTER / counts.clamp_min(1).sqrt(), torch.inf)
        one = fixed_fields(store, [row], sigma, seed=seed + 1)[0]
        fields.append(replace(one, counts=counts, area=area))
    return fields


def ktng_fields(path: Path, draws: int, seed: int) -> tuple[list[ShearField], float]:
    """One κTNG map under COSMOS mask and σ, with `draws` noises, and the error of embedding it.

    The map is lensed inside a field twice as large on a side, a lognormal sky that is another
    one each time: what lies around the map is unknown. The second value is the rms by which the
    shear of the crop changes with it, over the rms of that shear.
    """
    from astropy.io import fits

    with fits.open(path) as file:
        kappa = torch.from_numpy(file[0].data.astype(np.float32))
        scale = float(file[0].header["PIXSCALE"])
    real, size = mg.cosmos(), kappa.shape[-1]
    side = real.grid.shape[0]
    grid, large = Grid(real.grid.shape, scale), Grid((2 * size, 2 * size), scale)
    around, operator = Lognormal(large, mg.cosmos_spectrum()), ShearOperator(large)
    place, first = slice(size // 2, size // 2 + size), size - side // 2
    crop = (slice(first, first + side),) * 2
    fields, shears = [], []
    for draw in range(draws):
        whole = around(generator(seed, _AROUND, draw))
        whole[place, place] = kappa - kappa.mean() + whole[place, place].mean()
        whole = whole - whole.mean()
        gamma, truth = operator(whole)[crop], whole[crop].clone()
        noise = shape_noise(real.sigma, generator(seed, _NOISE, draw))
        shears.append(gamma)
        fields.append(
            ShearField(
                grid,
                reduced_shear(gamma, truth) + noise,
                real.sigma,
                real.mask,
                truth,
                area=footprint(real.mask),
                name=f"κTNG, noise {draw}",
                notes={"box": draw},
            )
        )
    shear = torch.stack(shears)
    off = (shear - shear.mean(0)).abs().square().sum(0) / max(draws - 1, 1)
    return fields, float(torch.sqrt(off.mean() / shear.abs().square().mean()))


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
