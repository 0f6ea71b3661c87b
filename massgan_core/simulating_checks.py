"""What a run of ``massgan simulate`` is refused for before any work."""

from __future__ import annotations

import os
import shutil
from math import prod
from typing import Any

import numpy as np
import torch

from massgan_core.data import MapStore
from massgan_core.data.card import KINDS
from massgan_core.simulating_plan import Run

#: Options that only some kinds of maps know, and what to say of them to the others.
_ONLY = {
    "cosmology": (("lognormal", "nbody"), "the maps of κTNG have the cosmology of TNG300"),
    "per_box": (("lognormal", "nbody"), "κTNG has boxes of its own"),
    "preset": (("nbody",), "there is no box to simulate"),
    "planes": (("nbody",), "there is no box to simulate"),
    "root": (("ktng",), "no files of κTNG are read"),
    "boxes": (("ktng",), "they are numbers LP of κTNG; see `per_box`"),
}


def check_numbers(**counts: int) -> None:
    """Raise a ValueError if one of the counts is below 1."""
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}")


def check_options(kind: str, **given: Any) -> None:
    """Raise a ValueError for an option that means nothing to this kind of maps."""
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}")
    for name, value in given.items():
        kinds, why = _ONLY[name]
        if value is not None and kind not in kinds:
            raise ValueError(f"`{name}` is not for {kind} maps: {why}")
    if kind == "ktng" and given["root"] is None:
        raise ValueError("ktng maps need `root`, the folder that holds LP001 …")


def check_memory(run: Run, workers: int, device: torch.device) -> None:
    """Raise a ValueError if the boxes cannot fit into this machine."""
    try:
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return  # not told on this platform
    need = run.box_preset.memory() if run.kind == "nbody" else 0
    if device.type == "cpu" and need * workers > have:
        raise ValueError(
            f"a box of preset {run.preset!r} needs {need / 1e9:.0f} GB for each of {workers} "
            f"workers, this machine has {have / 1e9:.0f} GB: take fewer or a smaller preset"
        )


def check_room(run: Run, n: int) -> None:
    """Raise an OSError if the store cannot be made where it is wanted, or cannot fit."""
    folder = run.out.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{run.out}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{run.out}: the folder {folder} cannot be written to")
    done = len(MapStore.open(run.out).done()) if run.out.exists() else 0
    need = (n - done) * prod(run.grid.shape) * np.dtype(run.dtype).itemsize
    free = shutil.disk_usage(folder).free
    if need > free:
        raise OSError(
            f"{run.out}: {n - done} maps take {need / 1e6:.1f} MB, the disk has "
            f"{free / 1e6:.1f} MB left; take fewer or another disk"
        )
