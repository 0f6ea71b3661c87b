"""Numbers of many fields on disk, so that a killed run goes on and memory stays flat."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class Ledger:
    """Float32 arrays whose rows are filled one after the other.

    Args:
        folder: Made if it is not there; what was begun with other settings is thrown away.
        settings: JSON values on which the numbers depend.
        shapes: Of each array, rows first; all have the same number of rows.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.folder, self._count = folder, folder / "done"
        text = json.dumps({"settings": settings, "shapes": shapes}, sort_keys=True)
        if not self._begun_with(text):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name, shape in shapes.items():
                path = folder / f"{name}.npy"
                np.lib.format.open_memmap(path, "w+", np.float32, shape).flush()
            (folder / "settings.json").write_text(text)
        self._arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in shapes}
        self.done = int(self._count.read_text()) if self._count.is_file() else 0

    def __getitem__(self, name: str) -> np.ndarray:
        """An array; its rows from `done` on hold nothing yet."""
        return self._arrays[name]

    def put(self, **rows: ArrayLike) -> None:
        """Fill the next row of every array.

        Args:
            rows: What goes into it by the array's name, in the shape of a row.
        """
        for name, array in self._arrays.items():
            array[self.done] = rows[name]
            array.flush()
        part = self._count.with_suffix(".part")
        part.write_text(str(self.done + 1))
        os.replace(part, self._count)
        self.done += 1

    def remove(self) -> None:
        """Delete the folder; the ledger is of no more use."""
        self._arrays = {}
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begun_with(self, text: str) -> bool:
        path = self.folder / "settings.json"
        return path.is_file() and path.read_text() == text
