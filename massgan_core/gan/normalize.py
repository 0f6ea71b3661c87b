r"""A shear field as network input: the only place where physics meets channels.

γ, σ and κ are divided by σ_κ, the std of κ for the field's n(z), so that one network serves
all depths in redshift. The channels, each about unity:

====  =======================================================================================
0, 1  γ1/σ, γ2/σ: shear in units of its noise (0 where unobserved)
2     σ_κ/σ: signal-to-noise of a pixel (0 where unobserved)
3     mask
4     Kaiser–Squires of the masked shear, 1′ window
5     the same, 3′ window
6     Wiener filter, a few conjugate-gradient steps on twice the field; or, with none, its
      first guess S/(1 + S w̄²), which takes the field for periodic and knows no mask
====  =======================================================================================

Masking comes first, so nothing here can depend on shear outside the mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.sky import Grid, NormalEquations, PowerSpectrum, ShearField, ShearOperator
from massgan_core.sky.modes import half
from massgan_core.sky.smooth import gaussian_window

CHANNELS = 7
FILTERED = 6  #: channel of the Wiener filter, which the network corrects
ITERATIONS = 6  #: of its conjugate gradients: within 5 % of the exact filter (a test holds that)
SMOOTHINGS = (1.0, 3.0)  #: windows of channels 4 and 5 [arcmin]


@dataclass(frozen=True, eq=False)
class Normalizer:
    """Turns shear fields into network input and network output into κ.

    Args:
        power: Prior spectrum of κ for the fiducial n(z) (COSMOS).
        pixel_scale: Of the training maps [arcmin].
        redshifts: Mean source redshifts of the table of σ_κ, increasing; [] for none.
        scales: σ_κ at those mean redshifts.
        iterations: Conjugate-gradient steps of the Wiener filter; 0 for its first guess.
    """

    power: PowerSpectrum
    pixel_scale: float = 0.29
    redshifts: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()
    iterations: int = 0
    fiducial: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fiducial", self.power.std(self.pixel_scale))

    def scale(self, field: ShearField) -> float:
        """σ_κ of the field's n(z), from its mean redshift; COSMOS where none is given."""
        if field.sources is None or not self.redshifts:
            return self.fiducial
        return float(np.interp(field.sources.mean, self.redshifts, self.scales))

    def condition(
        self, field: ShearField, multiple: int = 1, scale: float | None = None
    ) -> Float[Tensor, "B C H W"]:
        """Network input of a field (or of a batch), padded with unobserved pixels.

        Args:
            field: γ, σ, mask with shape [H, W] or [B, H, W].
            multiple: Height and width are padded to multiples of this.
            scale: σ_κ; by default :meth:`scale` of the field.
        """
        scale = self.scale(field) if scale is None else scale
        pad = [0, -field.grid.shape[1] % multiple, 0, -field.grid.shape[0] % multiple]
        gamma = torch.nn.functional.pad(field.gamma, pad)
        weight = torch.nn.functional.pad(field.weight, pad)
        mask = torch.nn.functional.pad(field.mask.to(weight.dtype), pad)
        if gamma.ndim == 2:
            gamma, weight, mask = gamma[None], weight[None], mask[None]
        grid = Grid(tuple(gamma.shape[-2:]), field.grid.pixel_scale)
        kernel = ShearOperator(grid).kernel(gamma).conj()
        gamma_k = torch.fft.fft2(gamma)
        windows = torch.stack([gaussian_window(grid, s, weight) for s in SMOOTHINGS])
        maps = torch.fft.ifft2(kernel * windows * gamma_k[..., None, :, :]).real / scale
        filtered = self._filtered(gamma, weight, grid, scale) / scale
        noisy = gamma * weight
        return torch.stack(
            [noisy.real, noisy.imag, weight * scale, mask, *maps.unbind(-3), filtered], dim=1
        )

    def deviation(
        self, condition: Float[Tensor, "B C H W"], pixel_scale: float
    ) -> Float[Tensor, "B 1 H K"]:
        """Std of every mode of the Gaussian posterior √(S/(1 + S w̄²)), in units of σ_κ.

        As if the noise were even: w̄² is the mean of (σ_κ/σ)² over the observed pixels.
        """
        shape = tuple(condition.shape[-2:])
        prior = _prior(self.power, shape, pixel_scale, str(condition.device))
        prior = prior[:, : shape[1] // 2 + 1] / self.fiducial**2
        weight, mask = condition[:, 2:3], condition[:, 3:4]
        mean = (weight**2).sum((-2, -1), keepdim=True)
        mean = mean / mask.sum((-2, -1), keepdim=True).clamp_min(1)
        return torch.sqrt(prior / (1 + prior * mean))

    def kappa(
        self,
        output: Float[Tensor, "B 1 H W"],
        start: Float[Tensor, "b 1 H W"],
        shape: tuple[int, int],
        scale: float,
    ) -> Float[Tensor, "B h w"]:
        """κ of a network's output: a correction to the map it starts from, in units of σ_κ."""
        return (output.float() + start)[:, 0, : shape[0], : shape[1]] * scale

    def _filtered(
        self, gamma: Tensor, weight: Tensor, grid: Grid, scale: float
    ) -> Float[Tensor, "B H W"]:
        """κ by the Wiener filter, for a prior of the fiducial shape with std `scale`."""
        ratio = scale / self.fiducial
        if self.iterations:
            large = Grid((2 * grid.shape[0], 2 * grid.shape[1]), grid.pixel_scale)
            prior = _prior(self.power, large.shape, large.pixel_scale, str(gamma.device))
            equations = NormalEquations(ratio * half(prior).sqrt(), weight**2, large)
            return equations.kappa(equations.solve(equations.target(gamma), self.iterations))
        prior = _prior(self.power, grid.shape, grid.pixel_scale, str(gamma.device)) * ratio**2
        mean = (weight**2).mean((-2, -1), keepdim=True)
        kernel = ShearOperator(grid).kernel(gamma).conj()
        return torch.fft.ifft2(
            prior / (1 + prior * mean) * kernel * torch.fft.fft2(gamma * weight**2)
        ).real


@lru_cache(maxsize=8)
def _prior(
    power: PowerSpectrum, shape: tuple[int, int], pixel_scale: float, device: str
) -> Float[Tensor, "H W"]:
    """Prior variance of every mode; training asks for the same one at each step."""
    grid = Grid(shape, pixel_scale)
    return (power.on(grid) / grid.pixel_area).float().to(device)
