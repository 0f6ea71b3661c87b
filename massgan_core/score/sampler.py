r"""Posterior samples of κ with a learned prior, by annealing from noise to sky.

The noise level falls over t_0 = ∞ > t_1 > … > t_n. At each level a clean map is drawn from
p(κ | κ_t, γ), the Gaussian about the denoised map conditioned on the shear (see
:mod:`massgan_core.score.data_term`), and the next, less noisy map from what lies between it and
the present one,

.. math:: \kappa_s = \kappa + \frac{s^2}{t^2} (\kappa_t - \kappa)
          + s \sqrt{1 - s^2/t^2}\, u .

The last clean map is the sample. For a Gaussian prior p(κ | κ_t, γ) is exact, hence so are the
samples, for any number of levels: with none left this is the Wiener sampler. A learned prior
makes an error of first order in the spacing of the levels, and one by taking the *shape* of
p(κ | κ_t) for Gaussian, which is small once t is below the noise of the shear.

The model is linear, γ = Aκ + n, as that of Wiener and Kaiser–Squires.

References:
    Ho, Jain & Abbeel (2020), https://arxiv.org/abs/2006.11239 (ancestral sampling)
    Rozet et al. (2024), https://arxiv.org/abs/2405.13712 (moment matching)
    Remy et al. (2023), https://arxiv.org/abs/2201.05561 (score-based mass maps)
"""

from __future__ import annotations

from itertools import pairwise
from math import inf, sqrt
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.score.data_term import DataTerm
from massgan_core.score.prior import ErrorRatio, Prior, rounded
from massgan_core.sky import Draws, Grid, PowerSpectrum, ShearField, Stop, go_on
from massgan_core.sky.modes import to_pixels

FIELDS = 4  #: whose data term is kept, so that sessions may take turns
NOISE = (0.03, 20.0)  #: least and largest noise level [σ_κ]


class ScoreSampler:
    """Posterior samples of κ with the learned prior score on top of the Gaussian one.

    Args:
        power: Spectrum of κ for the field's n(z).
        network: Learned correction of the Gaussian denoiser, called like a
            :class:`~massgan_core.score.LevelUNet`; `None` is the Gaussian prior.
        steps: Noise levels: calls of the network and solves a sample. More is slower and
            closer to the learned prior; 0 is the Gaussian posterior.
        noise: Least and largest noise level [σ_κ].
        fiducial: σ_κ of the sources the network was trained about.
        ratio: Measured error of the denoiser.
        tolerance: Relative residual of the conjugate gradients.
        card: What the checkpoint says of itself.
        digest: Of the checkpoint's file.
        device: Where to compute; `None` is where the field is.
        stop: Asked on the way; set or true, it ends sampling with
            :class:`~massgan_core.sky.Stopped`.

    Raises:
        ValueError: `steps` is no whole number ≥ 0, or `noise` not two increasing levels > 0.
    """

    name = "score"

    def __init__(
        self,
        power: PowerSpectrum,
        network: nn.Module | None = None,
        *,
        steps: int = 50,
        noise: tuple[float, float] = NOISE,
        fiducial: float | None = None,
        ratio: ErrorRatio | None = None,
        tolerance: float = 1e-3,
        card: dict[str, Any] | None = None,
        digest: str = "",
        device: torch.device | str | None = None,
        stop: Stop | None = None,
    ) -> None:
        if steps < 0 or steps != int(steps):
            raise ValueError(f"`steps` must be a whole number ≥ 0, got {steps}")
        if not 0 < noise[0] < noise[1] < inf:
            raise ValueError(f"`noise` must be two increasing levels > 0 [σ_κ], got {noise}")
        self.power, self.network = power, network if network is None else network.eval()
        self.steps, self.noise, self.tolerance = int(steps), tuple(noise), tolerance
        self.fiducial, self.ratio = fiducial, ratio
        self.card, self.stop = card or {}, stop
        self.device = None if device is None else torch.device(device)
        self.provenance = {
            "checkpoint": self.card.get("name", "none (Gaussian prior)"),
            "digest": digest,
            "steps": self.steps,
            "noise": list(self.noise),
            "tolerance": tolerance,
            "dtype": "float32",
        }
        self._ready: WeakKeyDictionary[ShearField, tuple[Prior, DataTerm]] = WeakKeyDictionary()

    @torch.inference_mode()
    def sample(
        self,
        field: ShearField,
        n: int,
        generator: Draws | torch.Generator | int | None = None,
        *,
        stop: Stop | None = None,
    ) -> Float[Tensor, "N H W"]:
        """`n` samples of κ; sample i depends on (seed, i) alone.

        Args:
            field: One observed field, without batch axes.
            n: Number of samples.
            generator: Seed or :class:`~massgan_core.sky.Draws`.
            stop: In place of the sampler's own.

        Raises:
            ValueError: `field` has batch axes.
            Stopped: By `stop`; the same `generator` then goes on with the same samples.
        """
        prior, data = self._prepare(field)
        draws, stop = Draws.of(generator), self.stop if stop is None else stop
        with draws.all_or_none():
            return self._sample(prior, data, draws.take(n), stop)

    def _sample(
        self, prior: Prior, data: DataTerm, keys: list[torch.Generator], stop: Stop | None
    ) -> Float[Tensor, "N H W"]:
        n = len(keys)
        low, high = (prior.scale * x for x in self.noise)
        levels = np.geomspace(high, low, self.steps).tolist()
        if self.steps == 1:
            levels = [sqrt(low * high)]
        shape, device = prior.grid.shape, prior.variance.device

        def white(size: tuple[int, ...]) -> Tensor:
            return torch.stack([torch.randn(size, generator=k) for k in keys]).to(device)

        noisy = clean = torch.zeros((n, *prior.variance.shape), dtype=torch.complex64).to(device)
        for t, s in pairwise([inf, *levels, 0.0]):
            go_on(stop)
            mean = noisy if t == inf else prior.denoise(noisy, t, stop)
            noise = white((2, *data.part))
            clean = data.draw(mean, prior.root(t), torch.fft.rfft2(white(shape)), noise, stop)
            if s > 0:
                keep = (s / t) ** 2
                fresh = torch.fft.rfft2(white(shape))
                noisy = clean + keep * (noisy - clean) + s * sqrt(1 - keep) * fresh
        return to_pixels(clean, shape, data.part).contiguous()

    def in_domain(self, field: ShearField) -> list[str]:
        """Reasons why `field` lies outside what the network was trained on; [] if inside."""
        domain, reasons = self.card.get("domain", {}), []
        scale = self.power.std(field.grid.pixel_scale)
        noise = float(field.sigma[field.mask].median()) / scale
        facts = {
            "pixel_scale": (field.grid.pixel_scale, "the pixel scale [arcmin]"),
            "sigma_over_kappa": (noise, "the median noise over the std of κ in a pixel"),
        }
        if field.sources is not None:
            facts["mean_redshift"] = (field.sources.mean, "the mean redshift of the sources")
        for key, (value, words) in facts.items():
            low, high = domain.get(key, (-inf, inf))
            if not low <= value <= high:
                reasons.append(f"{words} is {value:.3g}, trained on {low:.3g} to {high:.3g}")
        return reasons

    def _prepare(self, field: ShearField) -> tuple[Prior, DataTerm]:
        """Prior and data term of a field on its padded grid, made once."""
        if field.gamma.ndim != 2:
            shape = tuple(field.gamma.shape)
            raise ValueError(f"`field` must be one field without batch axes, got shape {shape}")
        device = field.device if self.device is None else self.device
        if self.network is not None:
            self.network.to(device)
        if field not in self._ready:
            part = field.grid.shape
            least = rounded(part, 1 if self.network is None else self.network.multiple)
            padded = tuple(max(2 * p, q) for p, q in zip(part, least, strict=True))
            grid = Grid(padded, field.grid.pixel_scale)
            prior = Prior(
                self.power,
                grid,
                self.network,
                part=part,
                fiducial=self.fiducial,
                ratio=self.ratio,
                device=device,
            )
            if len(self._ready) >= FIELDS:
                self._ready.clear()
            data = DataTerm(field.to(device), grid, tolerance=self.tolerance)
            self._ready[field] = (prior, data)
        return self._ready[field]
