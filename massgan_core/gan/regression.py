"""The regression network as a sampler: posterior mean, and variance from a second network."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.gan.moments import Moments, moments
from massgan_core.gan.normalize import Normalizer
from massgan_core.gan.trained import Trained
from massgan_core.sky import Draws, ShearField


class RegressionSampler(Trained):
    """Mean and std of the posterior in every pixel, by moment networks.

    Only these two numbers of a pixel are known. Samples are made from them with independent
    Gaussian noise in each pixel, so **only the mean and std of single pixels hold**: anything
    that joins pixels (smoothed maps, apertures, peaks, spectra, PROB) comes out with too
    little spread, and the skewness of the posterior is lost.

    Args:
        network: Of mean and variance; the latter may be missing.
        normalizer: Field to condition, output to κ.
        card: What the checkpoint says of itself.
        digest: Of the checkpoint's file.
        device: Where the networks live.

    References:
        Jeffrey et al. (2020), DeepMass, https://arxiv.org/abs/1908.00543
        Jeffrey & Wandelt (2020), https://arxiv.org/abs/2011.05991
    """

    name = "regression"

    def __init__(
        self,
        network: Moments,
        normalizer: Normalizer,
        card: dict[str, Any],
        *,
        digest: str = "",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(network.mean, normalizer, card, digest=digest, device=device)
        self._networks = network.to(self.device, memory_format=torch.channels_last).eval()

    @property
    def has_variance(self) -> bool:
        """Whether the checkpoint holds a variance network."""
        return self._networks.variance is not None

    def mean(self, field: ShearField) -> Float[Tensor, "H W"]:
        """Posterior mean of κ, less its footprint mean; every regression checkpoint has it."""
        return self._once(field, self._moments)[0].clone()

    def moments(self, field: ShearField) -> tuple[Float[Tensor, "H W"], Float[Tensor, "H W"]]:
        """Posterior mean and std of κ, less its footprint mean.

        Raises:
            ValueError: The checkpoint has no variance.
        """
        if not self.has_variance:
            raise ValueError(
                f"the regression checkpoint {self.provenance['checkpoint']!r} has a mean and no "
                "variance: train one with `massgan train … --stage variance --start` that file"
            )
        mean, std = self._once(field, self._moments)
        return mean.clone(), std.clone()

    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` draws mean + std·noise, pixels independent; draw i depends on (seed, i) alone.

        Raises:
            ValueError: The checkpoint has no variance.
        """
        mean, std = self.moments(field)
        noise = Draws.of(generator).normal(n, field.grid.shape)
        return mean + std * noise.to(self.device)

    @torch.inference_mode()
    def _moments(self, field: ShearField) -> tuple[Tensor, Tensor | None]:
        condition, scale = self._condition(field)
        area = field.footprint[None].to(self.device)
        mean, variance = moments(self._networks(condition), condition, area)
        std = None if variance is None else scale * variance[0].sqrt()
        return scale * mean[0], std
