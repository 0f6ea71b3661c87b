"""A checkpoint of a learned prior: one ``.safetensors`` file that rebuilds the sampler.

The format is that of :mod:`massgan_core.nn.checkpoint`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from torch import Tensor

from massgan_core.nn.checkpoint import (
    bundled_or_file,
    check_card,
    check_weights,
    digest,
    load_weights,
    read_card,
)
from massgan_core.nn.checkpoint import save as write
from massgan_core.score.network import LevelUNet
from massgan_core.score.prior import ErrorRatio
from massgan_core.score.sampler import ScoreSampler
from massgan_core.sky import PowerSpectrum

KIND = "score"
BUNDLED = Path(__file__).parent / "bundled"


def checkpoints() -> list[str]:
    """Names of the learned priors that come with the package."""
    return sorted(p.stem for p in BUNDLED.glob("*.safetensors"))


def find(name_or_file: str | os.PathLike) -> Path:
    """Path of a bundled learned prior's name or of a file.

    Raises:
        ValueError: Neither is known.
    """
    return bundled_or_file(name_or_file, BUNDLED, checkpoints())


def save(path: str | os.PathLike, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights (as float16) and card, atomically."""
    write(path, weights, {"kind": KIND, **card})


def load_card(name_or_file: str | os.PathLike) -> dict[str, Any]:
    """The card alone, without reading weights.

    Raises:
        ValueError: No such checkpoint, none of a learned prior, or one of another format.
    """
    path = find(name_or_file)
    card = read_card(path)
    if card.get("kind") != KIND:
        raise ValueError(
            f"{path}: a checkpoint of kind {card.get('kind', 'gan')!r}, not of a learned prior: "
            "`--method score` needs one that `train_score` wrote"
        )
    check_card(card, path)
    return card


def load(
    name_or_file: str | os.PathLike = "score",
    power: PowerSpectrum | None = None,
    *,
    steps: int | None = None,
    **options: Any,
) -> ScoreSampler:
    """The sampler of a bundled learned prior (by name) or of a ``.safetensors`` file.

    Args:
        name_or_file: Of the checkpoint.
        power: Spectrum of κ for the field's n(z); by default that of the fiducial sources.
        steps: Noise levels of a sample; by default the card's number, else the sampler's.
        options: Of :class:`ScoreSampler`: ``noise``, ``device``, ``stop`` …

    Raises:
        ValueError: Unknown, damaged, of another kind or format, or not a checkpoint at all.
    """
    path = find(name_or_file)
    card = load_card(path)
    network, facts = build(card["network"]), card["normalization"]
    weights = load_weights(path)
    check_weights(network, weights, path)
    network.load_state_dict(weights)
    fiducial = PowerSpectrum(facts["ell"], facts["power"])
    steps = card.get("sampling", {}).get("steps") if steps is None else steps
    return ScoreSampler(
        fiducial if power is None else power,
        network,
        fiducial=fiducial.std(facts["pixel_scale"]),
        ratio=ratio_of(facts.get("error_ratio")),
        card=card,
        digest=digest(path),
        **({} if steps is None else {"steps": steps}),
        **options,
    )


def build(network: dict[str, Any]) -> LevelUNet:
    """The network that a card's section describes."""
    return LevelUNet(
        widths=tuple(network["widths"]),
        shuffle=network["shuffle"],
        bottleneck=network["bottleneck"],
        embedding=network["embedding"],
    )


def ratio_of(section: dict[str, Any] | None) -> ErrorRatio | None:
    """The measured error of the denoiser that a card's section describes."""
    if section is None:
        return None
    ratio = tuple(map(tuple, section["ratio"]))
    return ErrorRatio(tuple(section["ell"]), (*section["level"], float("inf")), ratio)


def ratio_card(ratio: ErrorRatio) -> dict[str, Any]:
    """The section from which :func:`ratio_of` rebuilds `ratio` (JSON knows no ∞)."""
    return {
        "ell": list(ratio.ell),
        "level": list(ratio.level[:-1]),
        "ratio": [list(row) for row in ratio.ratio],
    }
