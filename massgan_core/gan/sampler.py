"""The trained generator as a sampler: one network call, one sample of κ."""

from __future__ import annotations

import os
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.gan import checkpoint
from massgan_core.gan.networks import build, build_moments
from massgan_core.gan.normalize import FILTERED, Normalizer
from massgan_core.gan.regression import RegressionSampler
from massgan_core.gan.residual import painted
from massgan_core.gan.schedule import is_mixed
from massgan_core.gan.tiles import in_tiles
from massgan_core.gan.trained import Trained
from massgan_core.nn import UNet
from massgan_core.sky import Draws, PowerSpectrum, ShearField, Stop, go_on

CALL = 1024**2  #: pixels that a CPU paints in one call of the network
AHEAD = 32  #: samples that a GPU paints while the latents of the next are drawn


class GanSampler(Trained):
    """Posterior samples of κ by a conditional generator.

    The encoder runs once for a field; each sample costs a pass through the decoder.

    Args:
        network: Of the checkpoint.
        normalizer: Field to condition, output to κ.
        card: What the checkpoint says of itself.
        digest: Of the checkpoint's file.
        device: Where the network lives.
        precision: Of the decoder: `fp32`, `bf16`, or `auto` for bf16 where it is fast. The
            encoder, the noise and what is done to κ are float32 anyway.
        compiled: Let PyTorch compile the decoder: a minute once, then faster (on a GPU).

    Attributes:
        stop: Asked on the way, on large fields between single samples; set or true, it ends
            sampling with :class:`~massgan_core.sky.Stopped`, and the same draws are still to come.
    """

    name = "gan"
    stop: Stop | None = None

    def __init__(
        self,
        network: UNet,
        normalizer: Normalizer,
        card: dict[str, Any],
        *,
        digest: str = "",
        device: torch.device | str = "cpu",
        precision: str = "fp32",
        compiled: bool = False,
    ) -> None:
        super().__init__(network, normalizer, card, digest=digest, device=device)
        half = is_mixed(self.device, precision)
        self.dtype = torch.bfloat16 if half else torch.float32
        for part in self.network.decoder():
            part.to(self.dtype)
        self.provenance["dtype"] = str(self.dtype).removeprefix("torch.")
        self._decode = self.network.paint
        if compiled:
            self._decode = torch.compile(self._decode, dynamic=False)

    @torch.inference_mode()
    def sample(
        self, field: ShearField, n: int, generator: Draws | torch.Generator | int | None = None
    ) -> Float[Tensor, "N H W"]:
        """`n` samples of κ; sample i depends on (seed, i) alone."""
        draws, shape, kappa = Draws.of(generator), self._padded(field), []
        here = self.device.type == "cpu"
        together = max(1, CALL // (shape[0] * shape[1])) if here else AHEAD
        with draws.all_or_none():
            for first in range(0, n, together):
                go_on(self.stop)
                taken = draws.take(min(together, n - first))
                latents = self.network.latents(shape, taken, pinned=self.device.type == "cuda")
                kappa.append(self.paint(field, latents))
        return torch.cat(kappa)

    @torch.inference_mode()
    def paint(self, field: ShearField, latents: list[Tensor]) -> Float[Tensor, "N H W"]:
        """The samples that given latents make of `field`.

        Args:
            field: One observed field.
            latents: White noise [N, C, h, w] of each level, the finest first.
        """
        filtered, deviation, shares, scale = self._once(field, self._encode)
        coarsest = tuple(n // self.network.multiple for n in filtered.shape[-2:])
        return painted(
            self.network,
            self.normalizer,
            filtered,
            deviation,
            [level.to(self.device, non_blocking=True) for level in latents],
            lambda seen: in_tiles(self._decode, shares, seen, coarsest),
            field.grid.shape,
            scale,
        )

    def _padded(self, field: ShearField) -> tuple[int, int]:
        """Shape of the network's input."""
        return tuple(self._once(field, self._encode)[0].shape[-2:])

    def _encode(self, field: ShearField) -> tuple[Tensor, Tensor, list[Tensor], float]:
        """What all samples of a field share."""
        condition, scale = self._condition(field)
        go_on(self.stop)
        deviation = self.normalizer.deviation(condition, field.grid.pixel_scale)
        features = [level.to(self.dtype) for level in self.network.features(condition)]
        shares = self.network.shares(features)
        return condition[:, FILTERED : FILTERED + 1], deviation, shares, scale


def load(
    name_or_file: str | os.PathLike = "default",
    *,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
    compiled: bool = False,
) -> GanSampler | RegressionSampler:
    """The sampler of a bundled checkpoint (by name) or of a ``.safetensors`` file.

    Its card says which: a generator, or a network of the posterior mean (and variance).

    Args:
        name_or_file: One of :func:`checkpoints`, or a path.
        device: Where the network lives.
        precision: Of a generator's decoder: `fp32`, `bf16`, or `auto` for bf16 where it is fast.
        compiled: Let PyTorch compile that decoder.

    Raises:
        ValueError: Unknown, damaged, of another format, or not a checkpoint at all.
    """
    path = checkpoint.find(name_or_file)
    card = checkpoint.load_card(path)
    weights = checkpoint.load_weights(path)
    kind = checkpoint.kind_of(card)
    if kind not in checkpoint.KINDS:
        known = " or ".join(checkpoint.KINDS)
        raise ValueError(f"{path}: the checkpoint's `kind` must be {known}, got {kind!r}")
    if kind == "regression":
        weights = checkpoint.named_moments(weights)
        both = any(key.startswith("variance.") for key in weights)
        network = build_moments(card["network"], variance=both)
    else:
        network = build(card["network"])
    checkpoint.check_weights(network, weights, path)
    network.load_state_dict(weights)
    rest = (network, normalizer_of(card["normalization"]), card)
    place = {"digest": checkpoint.digest(path), "device": device}
    if kind == "regression":
        return RegressionSampler(*rest, **place)
    return GanSampler(*rest, **place, precision=precision, compiled=compiled)


def normalizer_of(section: dict[str, Any]) -> Normalizer:
    """The normaliser that a card's ``normalization`` section describes."""
    return Normalizer(
        PowerSpectrum(section["ell"], section["power"]),
        section["pixel_scale"],
        tuple(section["redshifts"]),
        tuple(section["scales"]),
        section.get("iterations", 0),  # checkpoints of old had none
    )


def normalization_card(normalizer: Normalizer) -> dict[str, Any]:
    """The section from which :func:`normalizer_of` rebuilds `normalizer`."""
    return {
        "ell": normalizer.power.ell.tolist(),
        "power": normalizer.power.power.tolist(),
        "pixel_scale": normalizer.pixel_scale,
        "redshifts": list(normalizer.redshifts),
        "scales": list(normalizer.scales),
        "iterations": normalizer.iterations,
    }
