r"""Moment networks: mean and variance of the posterior, each the minimiser of a score.

.. math:: \hat\kappa(\gamma) = \mathrm{E}[\kappa\,|\,\gamma], \qquad
          v(\gamma) = \mathrm{E}[(\hat\kappa - \kappa)^2\,|\,\gamma]

The first is learned by regression and then frozen; the second learns from the squared residuals
of the first. What the first network is short of the true mean counts as variance too: v is the
error to expect of *this* mean. Where the mean fits its training maps better than others, give
the second network maps that the first has not seen.

The variance is a second decoder on the encoder of the mean, which is frozen with it: the
condition is encoded once, and both networks together are not twice as large as one.

References:
    Jeffrey & Wandelt (2020), https://arxiv.org/abs/2011.05991
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massgan_core.gan.normalize import FILTERED
from massgan_core.nn import UNet
from massgan_core.sky import remove_mean

#: Of log v [σ_κ²], in which the network speaks: far beyond any sky, short of overflow.
_BOUND = 10.0


class Moments(nn.Module):
    """The network of the mean, frozen, and the decoder of the variance.

    Args:
        mean: Trained by regression.
        variance: Only its :meth:`~massgan_core.nn.UNet.paint` is used; `None` for a checkpoint
            of the mean alone.
    """

    def __init__(self, mean: UNet, variance: UNet | None) -> None:
        super().__init__()
        self.mean, self.variance = mean.requires_grad_(False), variance
        self.train()

    @property
    def multiple(self) -> int:
        """Height and width of the condition must be multiples of this."""
        return self.mean.multiple

    def train(self, mode: bool = True) -> Moments:
        """The mean stays as it is, statistics of a batch normalisation too."""
        super().train(mode)
        self.mean.eval()
        return self

    def latents(self, shape: tuple[int, int], generators: list) -> list[Float[Tensor, "N L h w"]]:
        """Zeros, whatever the generators: moments are functions of the condition alone."""
        return [torch.zeros(len(generators), *s) for s in self.mean.latent_shapes(shape)]

    def forward(
        self, condition: Float[Tensor, "B C H W"], latents: list[Tensor] | None = None
    ) -> Float[Tensor, "B M H W"]:
        """What :func:`moments` takes: a channel for the mean and, if known, the variance.

        Args:
            condition: Of the fields.
            latents: Not looked at; a generator has them.
        """
        shape = tuple(condition.shape[-2:])
        zeros = self.latents(shape, [None] * len(condition))
        zeros = [x.to(condition.device) for x in zeros]
        with torch.no_grad():
            features = self.mean.features(condition)
            mean = self.mean.paint(self.mean.shares(features), zeros)
        if self.variance is None:
            return mean
        variance = self.variance.paint(self.variance.shares(features), zeros)
        return torch.cat([mean, variance], dim=1)


def moments(
    output: Float[Tensor, "B M H W"],
    condition: Float[Tensor, "B C H W"],
    area: Bool[Tensor, "B h w"],
) -> tuple[Float[Tensor, "B h w"], Float[Tensor, "B h w"] | None]:
    """Posterior mean [σ_κ], less its mean over `area`, and variance [σ_κ²] if it is known.

    Args:
        output: Of :class:`Moments`.
        condition: That it was given.
        area: Footprint.
    """
    height, width = area.shape[-2:]
    maps = output.float()[..., :height, :width]
    mean = maps[:, 0] + condition[:, FILTERED, :height, :width]
    variance = maps[:, 1].clamp(-_BOUND, _BOUND).exp() if maps.shape[1] > 1 else None
    return remove_mean(mean, area), variance
