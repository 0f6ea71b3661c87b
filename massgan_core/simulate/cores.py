r"""Cores of haloes: mass above a surface density is spread over the size of a core.

Sharpening draws the centres of the richest haloes together further than gas and finite force
resolution let them be; they would be spikes of κ above 1. The part of every column of matter
that exceeds a threshold,

.. math:: \Sigma \to \min(\Sigma, c) + G_s * \max(\Sigma - c, 0),

is convolved with a Gaussian of std s. Mass is conserved, and what lies below c stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Cores:
    """Which columns are spread, and how far.

    Args:
        column: Excess column (Σ/Σ̄ − 1) · thickness from which on mass is spread [Mpc/h].
        width: Std s of the core, comoving [Mpc/h]; 0 spreads nothing.
    """

    column: float = 3000.0
    width: float = 0.0

    def __call__(
        self, sheet: Float[Tensor, "P P"], thickness: float, box: float
    ) -> Float[Tensor, "P P"]:
        """A sheet Σ/Σ̄ of a slab, periodic over `box`, with its cores spread."""
        excess = (sheet - (1 + self.column / thickness)).clamp_min_(0)
        if self.width == 0 or not bool(excess.any()):
            return sheet
        step = box / len(sheet) / (2 * pi)
        rows = torch.fft.fftfreq(len(sheet), step, device=sheet.device)
        columns = torch.fft.rfftfreq(len(sheet), step, device=sheet.device)
        window = [torch.exp(-0.5 * (self.width * k) ** 2) for k in (rows, columns)]
        modes = torch.fft.rfft2(excess).mul_(window[0][:, None]).mul_(window[1])
        return sheet - excess + torch.fft.irfft2(modes, s=tuple(sheet.shape)).clamp_min_(0)
