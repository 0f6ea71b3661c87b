r"""The prior at noise level t: denoiser and its error.

For κ_t = κ + t u, u white noise of unit pixels, the denoiser is the Gaussian one of the
spectrum S plus a learned correction,

.. math:: D(\kappa_t) = \frac{S}{S + t^2} \kappa_t + t^2 r_\theta(\kappa_t, t),
          \qquad t^2 r_\theta = e_t F_\theta ,

with e_t the rms error of the Gaussian denoiser in a pixel, so that the network F has a target
of unit variance at every t. The score is (D − κ_t)/t². The error κ − D is taken for Gaussian
with a covariance diagonal in Fourier space: :math:`C_t = (S^{-1} + t^{-2})^{-1}`, exact for a
Gaussian sky, times the ratio at which the learned denoiser's error was measured (moment
matching).

References:
    Remy et al. (2023), https://arxiv.org/abs/2201.05561
    Karras et al. (2022), https://arxiv.org/abs/2206.00364
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf, log

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from massgan_core.sky import Grid, PowerSpectrum, Stop, go_on
from massgan_core.sky.modes import multiplicity, prior_variance, to_modes, to_pixels

CALL = 1024**2  #: pixels that pass through the network in one call on a CPU


@dataclass(frozen=True)
class ErrorRatio:
    """Power of the denoiser's error over C_t, measured on skies it was not trained on.

    Args:
        ell: Increasing multipoles [L].
        level: Increasing noise levels t/σ_κ; the last is ∞ (no information: D = 0) [T].
        ratio: [T, L].
    """

    ell: tuple[float, ...]
    level: tuple[float, ...]
    ratio: tuple[tuple[float, ...], ...]

    def on(self, ell: Tensor, level: float) -> Tensor:
        """The ratio at these multipoles and this noise level, interpolated in logarithms."""
        if isinf(level):
            row = np.log(self.ratio[-1])
        else:
            columns = np.log(np.array(self.ratio[:-1])).T
            at, known = log(level), np.log(self.level[:-1])
            row = np.array([np.interp(at, known, column) for column in columns])
        values = np.interp(np.log(np.maximum(ell.numpy(), 1.0)), np.log(self.ell), row)
        return torch.from_numpy(np.exp(values))


class Prior:
    """The prior on one padded grid.

    Args:
        power: Spectrum S of κ.
        grid: Padded, periodic.
        network: F, called like a :class:`~massgan_core.score.LevelUNet`; `None` is the Gaussian
            prior.
        part: Pixels (h, w) of the field; the network looks at these, rounded up to what it can
            take, and the prior of the rest of the grid is Gaussian.
        fiducial: σ_κ of the sources that the network calls deep 0.
        ratio: Measured error of the denoiser; `None` is 1.
        device: Of everything.
    """

    def __init__(
        self,
        power: PowerSpectrum,
        grid: Grid,
        network: nn.Module | None = None,
        *,
        part: tuple[int, int] | None = None,
        fiducial: float | None = None,
        ratio: ErrorRatio | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.grid, self.network, self.ratio = grid, network, ratio
        self.scale = power.std(grid.pixel_scale)
        self.depth = 0.0 if fiducial is None else log(self.scale / fiducial)
        self.variance = prior_variance(power, grid, device)
        self._twice = multiplicity(grid, device)
        multiple = 1 if network is None else network.multiple
        self.part = rounded(grid.shape if part is None else part, multiple)

    def error(self, t: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
        """e_t: rms error of the Gaussian denoiser in a pixel."""
        total = [(self._twice * _parallel(self.variance, float(x))).sum() for x in t]
        return torch.sqrt(torch.stack(total) / (self.grid.shape[0] * self.grid.shape[1]))

    def gaussian(
        self, noisy: Complex[Tensor, "B H K"], t: Float[Tensor, " B"]
    ) -> Complex[Tensor, "B H K"]:
        """The Gaussian denoiser."""
        return self.variance / (self.variance + t[:, None, None] ** 2) * noisy

    def correction(
        self,
        noisy: Float[Tensor, "B h w"],
        gaussian: Float[Tensor, "B h w"],
        t: Float[Tensor, " B"],
    ) -> Float[Tensor, "B h w"]:
        """F, in units of e_t: what the Gaussian denoiser misses in (a part of) a map."""
        channels = [gaussian / self.scale, (noisy - gaussian) / t[:, None, None]]
        level, depth = torch.log(t / self.scale), torch.full_like(t, self.depth)
        return self.network(torch.stack(channels, dim=1), level, depth).float()

    def denoise(
        self, noisy: Complex[Tensor, "B H K"], t: float, stop: Stop | None = None
    ) -> Complex[Tensor, "B H K"]:
        """D: modes of the noisy map to modes of the mean map given it.

        On a CPU large maps pass through the network one by one, and `stop` is asked before each.
        """
        at = torch.full((len(noisy),), t, device=noisy.device)
        mean = self.gaussian(noisy, at)
        if self.network is None:
            return mean
        seen, base = (to_pixels(x, self.grid.shape, self.part) for x in (noisy, mean))
        together = len(noisy)
        if noisy.device.type == "cpu":  # elsewhere a batch takes no time
            together = max(1, CALL // (self.part[0] * self.part[1]))
        corrections = []
        for some in zip(*(x.split(together) for x in (seen, base, at)), strict=True):
            go_on(stop)
            corrections.append(self.correction(*some))
        correction = torch.cat(corrections) * self.error(at[:1])
        return mean + to_modes(correction, self.grid.shape)

    def root(self, t: float) -> Float[Tensor, "H K"]:
        """√C_t of every mode; at t = ∞ that of the prior itself."""
        error = self.variance if t == inf else _parallel(self.variance, t)
        if self.ratio is not None:
            ell = self.grid.multipoles()[:, : self.variance.shape[-1]]
            error = error * self.ratio.on(ell, t / self.scale).to(error)
        return torch.sqrt(error)


def rounded(shape: tuple[int, int], multiple: int) -> tuple[int, int]:
    """`shape` rounded up to multiples."""
    return tuple(n + -n % multiple for n in shape)


def _parallel(variance: Tensor, t: float) -> Tensor:
    """(S⁻¹ + t⁻²)⁻¹, also where S = 0."""
    return variance * t**2 / (variance + t**2)
