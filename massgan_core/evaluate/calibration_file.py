"""A calibration as a ``.safetensors`` file: arrays, and JSON in its metadata. No pickle.

It lies beside its checkpoint: ``deep.safetensors`` has ``deep.calibration.safetensors``.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from torch import Tensor

from massgan_core.evaluate.calibration import Calibration, SurveyFactors, TableFactors

FORMAT = 1
SUFFIX = ".calibration.safetensors"
_KEY = "massgan-calibration"
_PARTS = {"survey": SurveyFactors, "table": TableFactors}


def beside(checkpoint: str | os.PathLike[str]) -> Path:
    """Where the calibration of a checkpoint's file lies."""
    path = Path(checkpoint)
    return path.with_name(path.name.removesuffix(".safetensors") + SUFFIX)


def save_calibration(path: str | os.PathLike[str], calibration: Calibration) -> None:
    """Write a calibration, atomically. σ becomes float16, λ stays float32."""
    path, arrays = Path(path), {}
    card: dict[str, Any] = {"format_version": FORMAT}
    for item in fields(calibration):
        value = getattr(calibration, item.name)
        if item.name in _PARTS and value is not None:
            value = _taken_apart(value, item.name, arrays)
        if not item.name.startswith("_"):
            card[item.name] = value
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # `save_file` would make a file that nobody else may read.
        partial.write_bytes(packed(arrays, {_KEY: json.dumps(card)}))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load_calibration(path: str | os.PathLike[str], *, digest: str | None = None) -> Calibration:
    """The calibration in a file.

    Args:
        path: Written by :func:`save_calibration`.
        digest: Of the checkpoint it is to be used with; `None` asks no question.

    Raises:
        ValueError: Damaged, of another format, or made for another checkpoint.
        OSError: There is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no calibration here")
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            arrays = {key: file.get_tensor(key) for key in file.keys()}
        card = None if text is None else json.loads(text)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: not a whole calibration file ({reason})") from None
    if card is None:
        raise ValueError(f"{path}: a .safetensors file, but not a calibration")
    if card.pop("format_version", None) != FORMAT:
        raise ValueError(
            f"{path}: this version of massgan reads calibrations of format {FORMAT}; run "
            "`massgan calibrate` again"
        )
    try:
        calibration = _put_together(card, arrays)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: the calibration's metadata is incomplete ({error})") from None
    if digest is not None and digest != calibration.digest:
        raise ValueError(
            f"{path} calibrates checkpoint {calibration.digest}, not {digest}: run "
            "`massgan calibrate` for this one"
        )
    return calibration


def _taken_apart(part: Any, name: str, arrays: dict[str, Tensor]) -> dict[str, Any]:
    """The plain values of a part; its arrays join `arrays`."""
    plain = {}
    for item in fields(part):
        value = getattr(part, item.name)
        if isinstance(value, Tensor):
            value = value.half() if item.name == "sigma" else value.float()
            arrays[f"{name}.{item.name}"] = value.contiguous()
        else:
            plain[item.name] = value
    return plain


def _put_together(card: dict[str, Any], arrays: dict[str, Tensor]) -> Calibration:
    for name, kind in _PARTS.items():
        if card[name] is not None:
            prefix = f"{name}."
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            card[name] = kind(**_tuples(card[name]), **{k: v.float() for k, v in own.items()})
    return Calibration(**_tuples(card))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
