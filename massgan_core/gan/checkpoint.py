"""Checkpoints of networks that draw at once: of kind `gan` or `regression`.

A regression checkpoint that knows the variance has two networks, prefixed ``mean.`` and
``variance.``. The format is that of :mod:`massgan_core.nn.checkpoint`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from torch import Tensor

from massgan_core.nn.checkpoint import (
    FORMAT,
    bundled_or_file,
    check_card,
    check_weights,
    digest,
    load_weights,
    read_card,
    save,
)

__all__ = [
    "BUNDLED",
    "FORMAT",
    "KINDS",
    "annotate",
    "check_weights",
    "checkpoints",
    "digest",
    "find",
    "kind_of",
    "load_card",
    "load_weights",
    "named_moments",
    "save",
]

BUNDLED = Path(__file__).parent / "bundled"
KINDS = ("gan", "regression")
_BESIDE = ".calibration.safetensors"  # a checkpoint's calibration lies beside it: no checkpoint


def checkpoints(kind: str | None = "gan") -> list[str]:
    """Names of the checkpoints that come with the package, `default` first.

    Args:
        kind: One of `KINDS`; `None` for all.
    """
    paths = [p for p in BUNDLED.glob("*.safetensors") if not p.name.endswith(_BESIDE)]
    names = [p.stem for p in paths if kind is None or kind_of(load_card(p)) == kind]
    return sorted(names, key=lambda name: (name != "default", name))


def find(name_or_file: str | os.PathLike) -> Path:
    """Path of a bundled checkpoint's name or of a file.

    Raises:
        ValueError: Neither is known.
    """
    return bundled_or_file(name_or_file, BUNDLED, checkpoints(None))


def annotate(path: Path, **sections: Any) -> None:
    """Replace sections of a checkpoint's card (its evaluation, say); weights stay as they are."""
    card = load_card(path)
    save(path, load_weights(path), {**card, **sections})


def load_card(name_or_file: str | os.PathLike) -> dict[str, Any]:
    """The card alone, without reading weights."""
    path = find(name_or_file)
    card = read_card(path)
    check_card(card, path)
    return card


def kind_of(card: dict[str, Any]) -> str:
    """One of `KINDS`; cards older than the word tell it by their stage."""
    stage = card["training"].get("stage", "")
    return card.get("kind", "regression" if stage == "regression" else "gan")


def named_moments(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a regression checkpoint with their prefixes, which a lone mean goes without."""
    whole = any(key.startswith("mean.") for key in weights)
    return weights if whole else {f"mean.{k}": v for k, v in weights.items()}
