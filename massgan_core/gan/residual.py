r"""The noise that samples start from: residuals of the Gaussian posterior.

For a Gaussian sky under even noise every mode of the posterior is independent, with variance
S/(1 + S w̄²). A map of such noise, added to the Wiener channel, already is a fair
sample; the network corrects both. White noise would have to be turned into κ's power, its
right amplitude and no direction by convolutions alone.

The same white numbers serve either kind of network, so sample i still depends on (seed, i).
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.gan.normalize import Normalizer
from massgan_core.nn import UNet

NOISES = ("posterior", "white")

#: Averaging 2 × 2 pixels leaves about this share of the residual's std (COSMOS: 0.81 at the finest
#: level to 0.61 at the fourth): each level is brought to about unity.
_FALL = 0.7


def painted(
    network: UNet,
    normalizer: Normalizer,
    filtered: Float[Tensor, "b 1 H W"],
    deviation: Float[Tensor, "c 1 H K"],
    latents: list[Tensor],
    paint: Callable[[list[Tensor]], Tensor],
    shape: tuple[int, int],
    scale: float,
) -> Float[Tensor, "B h w"]:
    """κ from white latents: the one way of training, validation and sampling.

    Args:
        network: What `paint` calls.
        normalizer: Network output to κ.
        filtered: The Wiener channel of each sample, or of their one field.
        deviation: Of each field, see :meth:`Normalizer.deviation`.
        latents: White noise, finest level first.
        paint: Latents to the network's output.
        shape: Of κ, without the padding.
        scale: σ_κ.
    """
    latents, residual = started(network, deviation, latents)
    return normalizer.kappa(paint(latents), filtered + residual, shape, scale)


def filtered_noise(
    deviation: Float[Tensor, "b 1 H K"], white: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 1 H W"]:
    """White noise with each mode brought to its `deviation`."""
    window = deviation.repeat_interleave(len(white) // len(deviation), 0)
    return torch.fft.irfft2(window * torch.fft.rfft2(white), s=tuple(white.shape[-2:]))


def started(
    network: UNet,
    deviation: Tensor,
    latents: list[Tensor],
    filtered: Callable[[Tensor, Tensor], Tensor] = filtered_noise,
) -> tuple[list[Tensor], Float[Tensor, "B 1 H W"]]:
    """Latents as the decoder wants them, and the residual map it corrects.

    Args:
        network: Its ``noise`` is one of `NOISES`.
        deviation: Of the conditions, see :meth:`Normalizer.deviation`; each is shared by the
            same number of latents in turn.
        latents: White noise, finest level first.
        filtered: Makes the residual of `deviation` and white noise.
    """
    finest, *coarser = latents
    height, width = (n * network.shuffle for n in finest.shape[-2:])
    if network.noise == "white":
        return latents, finest.new_zeros((len(finest), 1, height, width))
    count = network.shuffle**2
    white = nn.functional.pixel_shuffle(finest[:, :count], network.shuffle)
    residual = filtered(deviation, white)
    seen = [
        torch.cat([nn.functional.pixel_unshuffle(residual, network.shuffle), finest[:, count:]], 1)
    ]
    level = nn.functional.avg_pool2d(residual, network.shuffle) / _FALL ** log2(network.shuffle)
    for white in coarser:
        level = nn.functional.avg_pool2d(level, 2) / _FALL
        seen.append(torch.cat([level, white[:, 1:]], dim=1))
    return seen, residual
