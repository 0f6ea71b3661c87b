"""A checkpoint is one ``.safetensors`` file; its metadata rebuilds the model. No pickle.

The metadata has one key, ``massgan``, whose JSON (the *card*) holds ``format_version``, ``kind``
(`gan`, `regression` or `score`), ``network``, ``normalization``, ``domain``, ``training``,
``evaluation`` and ``trained_on`` (a sentence for people). Weights are float16.
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
_NEEDED = ("network", "normalization", "domain", "training", "trained_on")


def bundled_or_file(name_or_file: str | os.PathLike, folder: Path, names: list[str]) -> Path:
    """Path of a checkpoint in `folder`, where `names` are known, or of a file.

    Raises:
        ValueError: Neither is known.
    """
    text = os.fspath(name_or_file)
    bundled = folder / f"{text}.safetensors"
    if os.sep not in text and bundled.is_file():
        return bundled
    path = Path(text)
    if path.is_file():
        return path
    known = ", ".join(names) or "none is bundled"
    raise ValueError(f"unknown checkpoint {text!r}: give a .safetensors file or one of: {known}")


def save(path: str | os.PathLike, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write weights (as float16) and card, atomically."""
    path = Path(path)
    halves = {k: v.detach().cpu().half().contiguous() for k, v in weights.items()}
    card = {"format_version": FORMAT, **card}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # `save_file` would make a file that nobody else may read.
        partial.write_bytes(packed(halves, {"massgan": json.dumps(card)}))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_card(path: Path) -> dict[str, Any]:
    """The metadata's JSON as it is, without reading weights.

    Raises:
        ValueError: A pickle, a damaged file, or one of something else.
    """
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
        return json.loads(metadata["massgan"])
    except json.JSONDecodeError:
        raise ValueError(f"{path}: the checkpoint's metadata is not JSON") from None


def check_card(card: dict[str, Any], path: Path) -> None:
    """Raise a `ValueError` if this version cannot rebuild a model from `card`."""
    version = card.get("format_version")
    if version != FORMAT:
        raise ValueError(
            f"{path}: checkpoint format {version!r}; this version of massgan reads format "
            f"{FORMAT}, so install the version that wrote it or train again"
        )
    missing = [key for key in _NEEDED if key not in card]
    if missing:
        raise ValueError(f"{path}: the checkpoint's metadata lacks {', '.join(missing)}")


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights as float32."""
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key).float() for key in file.keys()}


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
