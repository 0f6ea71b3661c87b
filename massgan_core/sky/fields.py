r"""A noisy shear field: :math:`\gamma = A\kappa + n` where the mask is True, nothing elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from massgan_core.sky.grid import Grid
from massgan_core.sky.sources import Sources


@dataclass(frozen=True, eq=False)
class ShearField:
    """What a survey measured of one field.

    Masking happens here, once: outside the mask γ becomes 0 and σ becomes ∞ ("unobserved",
    never "noise-free"), so that no method can depend on shear that was not observed.

    Args:
        grid: Pixels, scale and WCS.
        gamma: Complex shear [..., H, W]; components along the pixel axes x and y.
        sigma: Noise std of one component [..., H, W].
        mask: True where observed [..., H, W].
        kappa: True convergence, for simulated fields [..., H, W].
        counts: Galaxies per pixel, where known [..., H, W].
        area: Footprint: where one evaluates and removes the mean; by default the mask with
            single empty pixels filled.
        sources: n(z) of the galaxies; `None` means the COSMOS one.
        name: Short name for people.
        notes: Provenance: string keys, JSON values.

    Raises:
        ValueError: Shapes differ, the mask is empty, or γ or σ is not usable inside it.
    """

    grid: Grid
    gamma: Complex[Tensor, "*B H W"]
    sigma: Float[Tensor, "*B H W"]
    mask: Bool[Tensor, "*B H W"]
    kappa: Float[Tensor, "*B H W"] | None = None
    counts: Tensor | None = None
    area: Bool[Tensor, "*B H W"] | None = None
    sources: Sources | None = None
    name: str = "field"
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("gamma", "sigma", "mask", "kappa", "counts", "area"):
            array = getattr(self, name)
            if array is not None and tuple(array.shape[-2:]) != self.grid.shape:
                raise ValueError(
                    f"`{name}` must end in shape {self.grid.shape}, got {tuple(array.shape)}"
                )
        mask = self.mask
        if not bool(mask.any()):
            raise ValueError("`mask` must hold at least one observed pixel, got none")
        usable = torch.isfinite(self.sigma) & (self.sigma > 0) | ~mask
        if not bool(usable.all()):
            bad = int((~usable).sum())
            raise ValueError(
                f"`sigma` must be positive and finite inside the mask, got {bad} other pixels; "
                "mask them out or give their noise"
            )
        if not bool((torch.isfinite(self.gamma) | ~mask).all()):
            raise ValueError("`gamma` must be finite inside the mask; mask NaN pixels out")
        zero = torch.zeros((), dtype=self.gamma.dtype, device=self.gamma.device)
        object.__setattr__(self, "gamma", torch.where(mask, self.gamma, zero))
        object.__setattr__(self, "sigma", torch.where(mask, self.sigma, torch.inf))

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.gamma.shape))
        known = "" if self.kappa is None else ", true κ known"
        return (
            f"<ShearField {self.name!r}: {shape} pixels of {self.grid.pixel_scale:g}′, "
            f"{self.mask.double().mean():.0%} observed{known}>"
        )

    @cached_property
    def footprint(self) -> Bool[Tensor, "*B H W"]:
        """Where one evaluates and removes the mean."""
        return footprint(self.mask) if self.area is None else self.area

    @property
    def weight(self) -> Float[Tensor, "*B H W"]:
        """Inverse noise std 1/σ; 0 where unobserved. What a network is told about noise."""
        return torch.where(self.mask, 1 / self.sigma, 0.0)

    @property
    def truth(self) -> Float[Tensor, "*B H W"] | None:
        """True convergence less its footprint mean, or `None` for real data."""
        return None if self.kappa is None else remove_mean(self.kappa, self.footprint)

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.gamma.device

    def to(self, device: torch.device | str) -> ShearField:
        """The same field on another device; itself where it is there already."""
        if self.device == torch.device(device):
            return self
        moved = {k: v.to(device) for k, v in self.__dict__.items() if isinstance(v, Tensor)}
        moved.pop("footprint", None)
        return replace(self, **moved)

    def crop(self, top: int, left: int, shape: tuple[int, int]) -> ShearField:
        """A part of the field: `shape` (H, W) from row `top` (y, upwards) and column `left` on.

        Raises:
            ValueError: The part leaves the field.
        """
        rows, columns = slice(top, top + shape[0]), slice(left, left + shape[1])
        if not (0 <= top <= self.grid.shape[0] - shape[0]) or not (
            0 <= left <= self.grid.shape[1] - shape[1]
        ):
            raise ValueError(f"a crop of {shape} at ({top}, {left}) leaves {self.grid.shape}")
        parts = {
            k: getattr(self, k)[..., rows, columns]
            for k in ("gamma", "sigma", "mask", "kappa", "counts", "area")
            if getattr(self, k) is not None
        }
        return replace(self, grid=self.grid.resized(shape, offset=(top, left)), **parts)

    def rotated(self) -> ShearField:
        """γ turned by 45° (γ → iγ): E modes become B modes. A null test."""
        return replace(self, gamma=1j * self.gamma, kappa=None, name=f"{self.name} (45°)")


def footprint(mask: Bool[Tensor, "*B H W"]) -> Bool[Tensor, "*B H W"]:
    """`mask` with holes of single empty pixels filled (all four neighbours observed)."""
    padded = torch.nn.functional.pad(mask.to(torch.uint8), (1, 1, 1, 1)).bool()
    up, down = padded[..., 2:, 1:-1], padded[..., :-2, 1:-1]
    right, left = padded[..., 1:-1, 2:], padded[..., 1:-1, :-2]
    return mask | (up & down & left & right)


def remove_mean(
    kappa: Float[Tensor, "*B H W"], area: Bool[Tensor, "*A H W"]
) -> Float[Tensor, "*B H W"]:
    """`kappa` less its unweighted mean over `area`: the zero point of every map we compare."""
    weight = area.to(torch.float64)
    total = (kappa.double() * weight).sum((-2, -1), keepdim=True)
    mean = total / weight.sum((-2, -1), keepdim=True)
    return kappa - mean.to(kappa.dtype)
