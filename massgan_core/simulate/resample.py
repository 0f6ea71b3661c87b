r"""Maps at another pixel scale: means over new pixels, anywhere in a map that is not periodic.

.. math:: u(x) = \sum_k b_k \cos\frac{\pi k x}{S}, \qquad
          \frac{1}{h}\int_{x-h/2}^{x+h/2} u = \sum_k b_k\,
          \operatorname{sinc}\frac{k h}{2S}\, \cos\frac{\pi k x}{S}

with sinc y = sin(πy)/(πy). The old pixels are means (h = 1) of the band-limited function u,
which is mirrored at the edges; the new pixels are its means over their own side h. Means over a
whole number of old pixels are therefore theirs exactly, and a wave keeps amplitude and place up
to the window of its pixel.
"""

from __future__ import annotations

from math import pi

import torch
from jaxtyping import Float
from torch import Tensor


def resample(
    image: Float[Tensor, "S T"], start: tuple[float, float], step: float, shape: tuple[int, int]
) -> Float[Tensor, "H W"]:
    """Means over square pixels of side `step`, the first of which begins at `start`.

    `start` (y, x), from the corner, and `step` count pixels of `image`. Whole pixels are cut.

    Raises:
        ValueError: The new pixels leave the image.
    """
    for first, n, size in zip(start, shape, image.shape, strict=True):
        if not (first >= 0 and first + n * step <= size + 1e-6):
            raise ValueError(
                f"{shape} pixels of {step:.4g} from {start} must lie inside the image of "
                f"{tuple(image.shape)}"
            )
    if abs(step - 1) < 1e-6 and all(float(first).is_integer() for first in start):
        rows, columns = (slice(int(a), int(a) + n) for a, n in zip(start, shape, strict=True))
        return image[rows, columns].clone()
    from scipy.fft import dctn

    series = torch.from_numpy(dctn(image.double().numpy(), norm="forward"))
    down, along = (
        _cosines(n, first, step, size)
        for n, first, size in zip(shape, start, image.shape, strict=True)
    )
    return (down @ series @ along.mT).to(image.dtype)


def _cosines(n: int, start: float, step: float, size: int) -> Float[Tensor, "N S"]:
    """Means over the new pixels of the cosines whose means over the old ones the DCT has."""
    wave = torch.arange(size, dtype=torch.float64) / (2 * size)
    centre = start + (torch.arange(n, dtype=torch.float64) + 0.5) * step
    window = torch.sinc(wave * step) / torch.sinc(wave)
    window[1:] *= 2  # the DCT counts every cosine but the constant twice
    return torch.cos(2 * pi * centre[:, None] * wave) * window
