"""The trained generator as a sampler: one network call, one sample of κ."""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.gan import checkpoint
from massgan_core.gan.networks import build
from massgan_core.gan.normalize import FILTERED, Normalizer
from massgan_core.gan.residual import painted
from massgan_core.nn import UNet
from massgan_core.sky import Draws, PowerSpectrum, ShearField

FIELDS = 4  #: whose encoding is kept, so that sessions may take turns


class GanSampler:
    """Posterior samples of κ by a conditional generator.

    The encoder runs once for a field; each sample costs a pass through the decoder.

    Args:
        network: The generator.
        normalizer: Field to condition, output to κ.
        card: What the checkpoint says of itself.
        digest: Of the checkpoint's file.
        device: Where the network lives.
    """

    name = "gan"

    def __init__(
        self,
        network: UNet,
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
        self._encoded: WeakKeyDictionary[ShearField, tuple] = WeakKeyDictionary()

    @torch.inference_mode()
    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` samples of κ; sample i depends on (seed, i) alone."""
        filtered, deviation, features, scale = self._encode(field)
        latents = self.network.latents(tuple(filtered.shape[-2:]), Draws.of(generator).take(n))
        return painted(
            self.network,
            self.normalizer,
            filtered,
            deviation,
            [part.to(self.device) for part in latents],
            lambda seen: self.network.paint(features, seen),
            field.grid.shape,
            scale,
        )

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

    def _encode(self, field: ShearField) -> tuple[Tensor, Tensor, list[Tensor], float]:
        """What all samples of a field share, computed once."""
        if field not in self._encoded:
            scale = self.normalizer.scale(field)
            condition = self.normalizer.condition(
                field.to(self.device), self.network.multiple, scale
            ).contiguous(memory_format=torch.channels_last)
            filtered = condition[:, FILTERED : FILTERED + 1]
            if len(self._encoded) >= FIELDS:
                self._encoded.clear()
            deviation = self.normalizer.deviation(condition, field.grid.pixel_scale)
            features = self.network.features(condition)
            self._encoded[field] = (filtered, deviation, features, scale)
        return self._encoded[field]


def load(
    name_or_file: str | os.PathLike = "default", *, device: torch.device | str = "cpu"
) -> GanSampler:
    """The sampler of a bundled checkpoint (by name) or of a ``.safetensors`` file.

    Raises:
        ValueError: Unknown, damaged, of another format, or not a checkpoint at all.
    """
    path = checkpoint.find(name_or_file)
    card = checkpoint.load_card(path)
    network = build(card["network"])
    weights = checkpoint.load_weights(path)
    checkpoint.check_weights(network, weights, path)
    network.load_state_dict(weights)
    return GanSampler(
        network,
        normalizer_of(card["normalization"]),
        card,
        digest=checkpoint.digest(path),
        device=device,
    )


def normalizer_of(section: dict[str, Any]) -> Normalizer:
    """The normaliser that a card's ``normalization`` section describes."""
    return Normalizer(
        PowerSpectrum(section["ell"], section["power"]),
        section["pixel_scale"],
        tuple(section["redshifts"]),
        tuple(section["scales"]),
    )


def normalization_card(normalizer: Normalizer) -> dict[str, Any]:
    """The section from which :func:`normalizer_of` rebuilds `normalizer`."""
    return {
        "ell": normalizer.power.ell.tolist(),
        "power": normalizer.power.power.tolist(),
        "pixel_scale": normalizer.pixel_scale,
        "redshifts": list(normalizer.redshifts),
        "scales": list(normalizer.scales),
    }
