"""What trained samplers share: a network on its device, provenance, the domain, a short memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.gan.normalize import Normalizer
from massgan_core.sky import ShearField

FIELDS = 4  #: of which what all samples share is kept, so that sessions may take turns


class Trained:
    """A sampler whose network comes from a checkpoint.

    Args:
        network: Of the checkpoint.
        normalizer: Field to condition, output to κ.
        card: What the checkpoint says of itself.
        digest: Of the checkpoint's file.
        device: Where the network lives.
    """

    def __init__(
        self,
        network: nn.Module,
        normalizer: Normalizer,
        card: dict[str, Any],
        *,
        digest: str = "",
        device: torch.device | str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.network = network.to(self.device, memory_format=torch.channels_last).eval()
        self.normalizer, self.card = normalizer, card
        self.provenance = {
            "checkpoint": card.get("name", "unnamed"),
            "digest": digest,
            "device": self.device.type,
            "dtype": "float32",
        }
        self._kept: WeakKeyDictionary[ShearField, Any] = WeakKeyDictionary()

    def in_domain(self, field: ShearField) -> list[str]:
        """Reasons why `field` lies outside what the network was trained on; [] if inside."""
        domain, reasons = self.card.get("domain", {}), []
        scale = self.normalizer.scale(field)
        noise = float(field.sigma[field.mask].median()) / scale
        facts = {
            "pixel_scale": (field.grid.pixel_scale, "the pixel scale [arcmin]"),
            "sigma_over_kappa": (noise, "the median noise over the std of κ in a pixel"),
        }
        if field.sources is not None:
            facts["mean_redshift"] = (field.sources.mean, "the mean redshift of the sources")
        for key, (value, words) in facts.items():
            low, high = domain.get(key, (-torch.inf, torch.inf))
            if not low <= value <= high:
                reasons.append(f"{words} is {value:.3g}, trained on {low:.3g} to {high:.3g}")
        return reasons

    def _condition(self, field: ShearField) -> tuple[Float[Tensor, "1 C H W"], float]:
        """Network input of a field, and its σ_κ."""
        scale = self.normalizer.scale(field)
        condition = self.normalizer.condition(field.to(self.device), self.network.multiple, scale)
        return condition.contiguous(memory_format=torch.channels_last), scale

    def _once(self, field: ShearField, make: Callable[[ShearField], Any]) -> Any:
        """What `make` makes of a field, made once."""
        if field not in self._kept:
            made = make(field)
            if len(self._kept) >= FIELDS:
                self._kept.clear()
            self._kept[field] = made
        return self._kept[field]
