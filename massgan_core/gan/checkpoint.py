"""A checkpoint is one ``.safetensors`` file; its metadata rebuilds the model. No pickle.

The metadata has one key, ``massgan``, whose JSON (the *card*) holds ``format_version``,
``network``, ``normalization``, ``domain``, ``training``, ``evaluation`` and ``trained_on``
(a sentence for people), and ``kind``: `gan` or `regression`. Weights are float16. A regression
checkpoint that knows the variance has two networks, prefixed ``mean.`` and ``variance.``.
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

FORMAT = 1
BUNDLED = Path(__file__).parent / "bundled"
KINDS = ("gan", "regression")
_BESIDE = ".calibration.safetensors"  # a checkpoint's calibration lies beside it: no checkpoint
_NEEDED = ("network", "normalization", "domain", "training", "trained_on")


def checkpoints(kind: str | None = "gan") -> list[str]:
    """Names of the checkpoints that come with the package, `default` first.

    Args:
        kind: One of `KINDS`; `None` for all.
    """
    paths = sorted(p for p in BUNDLED.glob("*.safetensors") if not p.name.endswith(_BESIDE))
    names = [p.stem for p in paths if kind is None or kind_of(load_card(p)) == kind]
    return sorted(names, key=lambda name: name != "default")


def find(name_or_file: str | os.PathLike) -> Path:
    """Path of a bundled checkpoint's name or of a file.

    Raises:
        ValueError: Neither is known.
    """
    text = os.fspath(name_or_file)
    bundled = BUNDLED / f"{text}.safetensors"
    if os.sep not in text and bundled.is_file():
        return bundled
    path = Path(text)
    if path.is_file():
        return path
    known = ", ".join(checkpoints(None)) or "none is bundled"
    raise ValueError(f"unknown checkpoint {text!r}: give a .safetensors file or one of: {known}")


def save(path: str | os.PathLike, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights (as float16) and card, atomically."""
    path = Path(path)
    half = {k: v.detach().cpu().half().contiguous() for k, v in weights.items()}
    card = {"format_version": FORMAT, **card}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # `save_file` would make a file that nobody else may read.
        partial.write_bytes(packed(half, {"massgan": json.dumps(card)}))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def annotate(path: Path, **sections: Any) -> None:
    """Replace sections of a checkpoint's card (its evaluation, say); weights stay as they are."""
    card = load_card(path)
    save(path, load_weights(path), {**card, **sections})


def load_card(name_or_file: str | os.PathLike) -> dict[str, Any]:
    """The card alone, without reading weights."""
    path = find(name_or_file)
    with path.open("rb") as file:
        head = file.read(9)
    # A .safetensors file begins with 8 bytes of length, then its JSON; the length may be 0x80….
    if head[8:9] != b"{" and (head[:1] == b"\x80" or head[:2] == b"PK"):
        raise ValueError(
            f"{path}: this is a pickle, which can run any code when opened; "
            "a checkpoint must be a .safetensors file"
        )
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: not a whole .safetensors file ({reason})") from None
    if "massgan" not in metadata:
        raise ValueError(f"{path}: a .safetensors file, but not a MassGAN checkpoint")
    try:
        card = json.loads(metadata["massgan"])
    except json.JSONDecodeError:
        raise ValueError(f"{path}: the checkpoint's metadata is not JSON") from None
    version = card.get("format_version")
    if version != FORMAT:
        raise ValueError(
            f"{path}: checkpoint format {version!r}; this version of massgan reads format "
            f"{FORMAT}, so install the version that wrote it or train again"
        )
    missing = [key for key in _NEEDED if key not in card]
    if missing:
        raise ValueError(f"{path}: the checkpoint's metadata lacks {', '.join(missing)}")
    return card


def kind_of(card: dict[str, Any]) -> str:
    """One of `KINDS`; cards older than the word tell it by their stage."""
    stage = card["training"].get("stage", "")
    return card.get("kind", "regression" if stage == "regression" else "gan")


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights as float32."""
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key).float() for key in file.keys()}


def named_moments(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a regression checkpoint with their prefixes, which a lone mean goes without."""
    whole = any(key.startswith("mean.") for key in weights)
    return weights if whole else {f"mean.{k}": v for k, v in weights.items()}


def digest(path: Path) -> str:
    """First 12 hex digits of the file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def check_weights(module: torch.nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Raise a `ValueError` unless `weights` are exactly those of `module`."""
    want = {k: tuple(v.shape) for k, v in module.state_dict().items()}
    have = {k: tuple(v.shape) for k, v in weights.items()}
    if want != have:
        wrong = sorted(k for k in want.keys() | have.keys() if want.get(k) != have.get(k))
        raise ValueError(
            f"{path}: {len(wrong)} weights do not fit the network its metadata describes, "
            f"first {wrong[0]!r}"
        )
