"""A checkpoint of a learned prior: one ``.safetensors`` file that rebuilds the sampler.

The format is that of all checkpoints here. The metadata has one key, ``massgan``, whose JSON
(the *card*) holds ``format_version``, ``kind`` (``score``), ``network``, ``normalization``,
``domain``, ``training``, ``evaluation`` and ``trained_on``. Weights are float16. No pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from torch import Tensor

from massgan_core.score.network import LevelUNet
from massgan_core.score.prior import ErrorRatio
from massgan_core.score.sampler import ScoreSampler
from massgan_core.sky import PowerSpectrum

FORMAT, KIND = 1, "score"
BUNDLED = Path(__file__).parent / "bundled"
_NEEDED = ("network", "normalization", "domain", "training", "trained_on")


def checkpoints() -> list[str]:
    """Names of the learned priors that come with the package."""
    return sorted(p.stem for p in BUNDLED.glob("*.safetensors"))


def find(name_or_file: str | os.PathLike) -> Path:
    """Path of a bundled learned prior's name or of a file.

    Raises:
        ValueError: Neither is known.
    """
    text = os.fspath(name_or_file)
    bundled = BUNDLED / f"{text}.safetensors"
    if os.sep not in text and bundled.is_file():
        return bundled
    if Path(text).is_file():
        return Path(text)
    known = ", ".join(checkpoints()) or "none is bundled"
    raise ValueError(f"unknown checkpoint {text!r}: give a .safetensors file or one of: {known}")


def save(path: str | os.PathLike, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights (as float16) and card, atomically."""
    path = Path(path)
    halves = {k: v.detach().cpu().half().contiguous() for k, v in weights.items()}
    card = {"format_version": FORMAT, "kind": KIND, **card}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # `save_file` would make a file that nobody else may read.
        partial.write_bytes(packed(halves, {"massgan": json.dumps(card)}))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load_card(name_or_file: str | os.PathLike) -> dict[str, Any]:
    """The card alone, without reading weights."""
    path = find(name_or_file)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: not a whole .safetensors file ({reason})") from None
    try:
        card = json.loads(metadata["massgan"])
    except (KeyError, json.JSONDecodeError):
        raise ValueError(f"{path}: a .safetensors file, but not a MassGAN checkpoint") from None
    if card.get("kind") != KIND:
        raise ValueError(
            f"{path}: a checkpoint of kind {card.get('kind', 'gan')!r}, not of a learned prior: "
            "`--method score` needs one that `train_score` wrote"
        )
    if card.get("format_version") != FORMAT:
        raise ValueError(
            f"{path}: checkpoint format {card.get('format_version')!r}; this version of massgan "
            f"reads format {FORMAT}, so install the version that wrote it or train again"
        )
    missing = [key for key in _NEEDED if key not in card]
    if missing:
        raise ValueError(f"{path}: the checkpoint's metadata lacks {', '.join(missing)}")
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
    with safe_open(path, "pt") as file:
        weights = {key: file.get_tensor(key).float() for key in file.keys()}
    _check_weights(network, weights, path)
    network.load_state_dict(weights)
    fiducial = PowerSpectrum(facts["ell"], facts["power"])
    steps = card.get("sampling", {}).get("steps") if steps is None else steps
    return ScoreSampler(
        fiducial if power is None else power,
        network,
        fiducial=fiducial.std(facts["pixel_scale"]),
        ratio=ratio_of(facts.get("error_ratio")),
        card=card,
        digest=hashlib.sha256(path.read_bytes()).hexdigest()[:12],
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


def _check_weights(module: torch.nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    want = {k: tuple(v.shape) for k, v in module.state_dict().items()}
    have = {k: tuple(v.shape) for k, v in weights.items()}
    if want != have:
        wrong = sorted(k for k in want.keys() | have.keys() if want.get(k) != have.get(k))
        raise ValueError(
            f"{path}: {len(wrong)} weights do not fit the network its metadata describes, "
            f"first {wrong[0]!r}"
        )
