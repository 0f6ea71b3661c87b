"""Files of a run: what is needed to go on, and its log. Each appears whole or not at all."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor


def write_state(parts: dict[str, Tensor], path: Path, facts: dict[str, Any]) -> None:
    """Tensors, and what is known of them, as one ``.safetensors`` file."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}")
    save_file(
        {k: v.detach().cpu().contiguous().clone() for k, v in parts.items()},
        partial,
        metadata={"state": json.dumps(facts)},
    )
    os.replace(partial, path)


def state_facts(path: Path) -> dict[str, Any]:
    """Stage, step, β_SD and seconds of a saved state; step and scores of the best weights."""
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["state"])


def under(parts: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix` and a dot, without it."""
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in parts.items() if k.startswith(start)}


def restore(optimizer: torch.optim.Optimizer, parts: dict[str, Tensor]) -> None:
    """Give an optimiser its moments back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in parts.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add a line to a CSV log; lines of steps that a killed run lost are dropped."""
    rows: list[dict[str, Any]] = []
    if path.is_file():
        with path.open(newline="") as file:
            rows = [r for r in csv.DictReader(file) if int(r["step"]) < row["step"]]
    rows.append({k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()})
    partial = path.with_name(f".{path.stem}.{os.getpid()}")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for r in rows for k in r)))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, path)
