"""One pass over a catalogue of any length: the galaxies of every patch into a file of its own.

Galaxies in the overlap of several grids go into the file of each. What the pass learned of the
whole survey (:class:`massgan_core.survey.coarse.SurveySums`) lies beside them. Memory holds one
batch of rows. A pass that was stopped begins anew; one that was finished is used again.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from massgan_core.sky.tangent import on_grid, pixels_of
from massgan_core.survey.catalog import Catalog, NoGalaxies
from massgan_core.survey.coarse import SurveySums
from massgan_core.survey.patches import Patches


class Spool:
    """Galaxies by patch, in `folder`, once :meth:`fill` has been through the catalogue."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._index = folder, folder / "index.npz"

    @property
    def filled(self) -> bool:
        """Whether the pass has been made."""
        return self._index.is_file()

    def fill(
        self,
        batches: Iterable[dict[str, np.ndarray]],
        patches: Patches,
        name: str,
        *,
        change: Callable[[Catalog], Catalog] = lambda catalog: catalog,
        watch: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Go through a catalogue.

        Args:
            batches: Of :func:`massgan_core.survey.batches.read_batches`.
            patches: Which patch takes what.
            name: Of the catalogue, for people.
            change: What is done to every part of the catalogue (flips, for one).
            watch: Is told the rows seen.

        Raises:
            ValueError: No galaxy can be used, or a column holds something else.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        sums, owned, rows, fields = SurveySums(), {}, 0, ()
        for batch in batches:
            rows += len(batch["ra"])
            part = _part(batch, name, change)
            if part is not None:
                sums.add(part)
                records = _records(part)
                fields = records.dtype.names
                self._put(records, patches, owned)
            watch(rows)
        used = int(sums.total[4])
        if not used:
            raise NoGalaxies(
                f"{name} holds no usable galaxy among {rows} rows: each has a number that is not "
                "finite, a flag in place of a shape or a weight ≤ 0"
            )
        if not sums.total[0] > 0:
            raise ValueError(f"{name}: every ellipticity is 0, so the shape noise is unknown")
        if used < rows:
            warnings.warn(
                f"{name}: left out {rows - used} of {rows} rows with numbers that are not "
                "finite, a flag in place of a shape or a weight ≤ 0",
                stacklevel=2,
            )
        sums.merge()
        ids = sorted(owned)
        for path in self.folder.glob("*.galaxies"):
            if int(path.stem) not in owned:  # galaxies of its margin alone
                path.unlink()
        temporary = self.folder / "index.part.npz"
        np.save(self.folder / "cells.npy", sums.cell)
        np.save(self.folder / "sums.npy", sums.sums)
        np.savez(
            temporary,
            patch=np.array(ids),
            count=np.array([owned[i] for i in ids]),
            total=sums.total,
            redshift=sums.redshift,
            fields=np.array(fields),
        )
        os.replace(temporary, self._index)

    def _put(self, records: np.ndarray, patches: Patches, owned: dict[int, int]) -> None:
        ra, dec = records["ra"], records["dec"]
        owner = patches.rings.find(ra, dec)
        order = np.argsort(owner, kind="stable")
        records, ra, dec = records[order], ra[order], dec[order]
        ids, start, count = np.unique(owner[order], return_index=True, return_counts=True)
        where = {int(i): slice(s, s + n) for i, s, n in zip(ids, start, count, strict=True)}
        for patch, n in zip(ids, count, strict=True):
            owned[int(patch)] = owned.get(int(patch), 0) + int(n)
        takers = {int(taker) for patch in where for taker in patches.near(patch)}
        for taker in sorted(takers):
            near = [where[int(i)] for i in patches.near(taker) if int(i) in where]
            grid, chosen = patches.grid(taker), []
            for part in near:
                inside = on_grid(grid, *pixels_of(grid, ra[part], dec[part]))[1]
                if inside.any():
                    chosen.append(records[part][inside])
            if chosen:
                with open(self._path(taker), "ab") as file:
                    for part in chosen:
                        part.tofile(file)

    def plan(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the patches that own galaxies, and how many each owns."""
        with np.load(self._index) as index:
            return index["patch"], index["count"]

    def sums(self) -> SurveySums:
        """What the pass learned of the whole survey; the cells stay on disk until looked at."""
        sums = SurveySums()
        sums.cell, sums.sums = (
            np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in ("cells", "sums")
        )
        with np.load(self._index) as index:
            sums.total, sums.redshift = index["total"], index["redshift"]
        return sums

    def read(self, patch: int, name: str = "catalogue") -> Catalog:
        """The galaxies on the grid of a patch, in the order of the catalogue's batches."""
        with np.load(self._index) as index:
            kind = _kind(index["fields"].tolist())
        records = np.fromfile(self._path(patch), kind)
        return Catalog(**{key: records[key] for key in kind.names}, name=f"{name}, patch {patch}")

    def _path(self, patch: int) -> Path:
        return self.folder / f"{patch}.galaxies"


def _part(
    batch: dict[str, np.ndarray], name: str, change: Callable[[Catalog], Catalog]
) -> Catalog | None:
    """The galaxies of a batch; the rows left out are counted by who called."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*left out")
        try:
            return change(Catalog(**batch, name=name))
        except NoGalaxies:
            return None


def _kind(names: list[str]) -> np.dtype:
    return np.dtype([(key, "f8" if key in ("ra", "dec") else "f4") for key in names])


def _records(catalog: Catalog) -> np.ndarray:
    names = ("ra", "dec", "e1", "e2", "weight", "m", "c1", "c2", "R", "z")
    kind = _kind([key for key in names if getattr(catalog, key) is not None])
    records = np.empty(len(catalog), kind)
    for key in kind.names:
        records[key] = getattr(catalog, key)
    return records
