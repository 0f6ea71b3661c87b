"""Maps of κ on disk, as a Zarr (v3) group that a killed run can be resumed from.

``kappa[N, H, W]`` has one chunk a map; beside it lie the columns of the plan (see
:mod:`massgan_core.data.plan`), and the attributes hold what all maps share. All rows are
known before the first κ exists. Workers in any number of processes fill them in any order,
and a row is done when its chunk is there: Zarr writes it to a temporary file and renames
it, and a chunk of another size than a whole one does not count either.

Maps are float16 by default. |κ| stays below about 5 with a std of 0.02–0.03, so rounding is
10⁻⁵ at a typical pixel and 2·10⁻⁴ of the map's std overall. Chunks are not compressed (zstd
or lz4 save 6–10 % of float16 κ and read at half the speed); each carries a checksum.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from massgan_core import __version__
from massgan_core.data.card import FACTS, check_same, make_card
from massgan_core.data.plan import (
    COLUMNS,
    FILL,
    Columns,
    check_distinct,
    check_same_start,
    make_columns,
)
from massgan_core.data.split import split_boxes
from massgan_core.sky import Sources

FORMAT, VERSION = "massgan-maps", 1
_CHECKSUM = 4  # bytes of a CRC-32C after each chunk
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OSError)


class MapStore:
    """A store of κ maps; make one with :meth:`plan`, :meth:`create` or :meth:`open`.

    It stands on the open zarr `group` at `path`; ValueError where its columns are damaged.

    Attributes:
        path: Its folder.
        kind: ``lognormal``, ``nbody`` or ``ktng``.
        shape: Pixels (H, W) of a map.
        pixel_scale: [arcmin].
        dtype: ``float16`` or ``float32`` on disk.
        sources: The n(z) tables that the column ``sources`` numbers.
        scales: σ_κ of each: theory std of κ in a pixel at the fiducial cosmology.
        settings: Of the run, as given.
    """

    def __init__(self, path: Path, group: Any) -> None:
        card = dict(group.attrs)
        self.path, self._group, self._kappa = path, group, group["kappa"]
        self.kind, self.pixel_scale, self.dtype = (
            card[k] for k in ("kind", "pixel_scale", "dtype")
        )
        self.shape, self.settings = tuple(card["shape"]), card["settings"]
        self.sources = [Sources(s["redshift"], s["density"]) for s in card["sources"]]
        self.scales = [float(s["sigma_kappa"]) for s in card["sources"]]
        self._card = {k: card[k] for k in FACTS}
        self._columns = _read_columns(group, self._kappa.shape[0])

    @classmethod
    def plan(
        cls, path: str | os.PathLike[str], rows: Mapping[str, ArrayLike], **facts: Any
    ) -> MapStore:
        """The store at `path`, planned for at least these rows: made, resumed or extended.

        Errors are those of :meth:`create` and :meth:`open`.

        Args:
            path: Folder.
            rows: The whole plan, from its first row on [N].
            facts: As in :meth:`create`; they must agree with those of an existing store.
        """
        if not Path(path).exists():
            return cls.create(path, rows, **facts)
        store = cls.open(path)
        store.check(**facts)
        columns = make_columns(rows, len(store.sources))
        check_same_start(store._columns, columns)
        store.extend({name: column[len(store) :] for name, column in columns.items()})
        return store

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        rows: Mapping[str, ArrayLike],
        *,
        shape: tuple[int, int],
        pixel_scale: float,
        kind: str,
        sources: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Any] | None = None,
        dtype: str = "float16",
    ) -> MapStore:
        """A new store without maps, whole or not at all.

        Args:
            path: Folder that is not there yet.
            rows: Columns of the plan [N]; see :mod:`massgan_core.data.plan`.
            shape: Pixels (H, W) of a map.
            pixel_scale: [arcmin].
            kind: ``lognormal``, ``nbody`` or ``ktng``.
            sources: n(z) tables: ``{"redshift": …, "density": …, "sigma_kappa": σ_κ}``.
            settings: Of the run, plain JSON values (not the number of maps).
            dtype: ``float16`` or ``float32``.

        Raises:
            ValueError: A fact or a column cannot be used.
            OSError: `path` exists, or cannot be written.
            ImportError: Without zarr.
        """
        path, zarr = Path(path), _zarr()
        card = make_card(shape, pixel_scale, kind, sources, settings, dtype)
        columns = make_columns(rows, len(sources))
        part = path.with_name(f".{path.name}.{token_hex(4)}.part")
        try:
            head = {"format": FORMAT, "version": VERSION, "code": __version__}
            group = zarr.open_group(part, mode="w-", zarr_format=3, attributes=head | card)
            _make_arrays(group, columns, card)
            if path.exists():
                raise FileExistsError(f"{path} exists; resume it or choose another path")
            os.rename(part, path)
        except OSError as error:
            raise _told(error, path, "the store could not be made") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> MapStore:
        """An existing store, done or not.

        Raises:
            ValueError: Not a map store, damaged, or of another format.
            OSError: Nothing is there.
            ImportError: Without zarr.
        """
        path, zarr = Path(path), _zarr()
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no map store here")
        try:
            group = zarr.open_group(path, mode="r+", zarr_format=3)
        except _BROKEN:
            raise ValueError(f"{path} is not a map store, or its zarr.json is damaged") from None
        if group.attrs.get("format") != FORMAT:
            raise ValueError(f"{path} is a zarr store but holds no maps of MassGAN")
        if group.attrs.get("version") != VERSION:
            raise ValueError(
                f"{path} has format version {group.attrs.get('version')}, this MassGAN reads "
                f"{VERSION}: install a newer one"
            )
        try:
            return cls(path, group)
        except _BROKEN as error:
            lacks = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{path} is damaged: {lacks}") from None

    def __len__(self) -> int:
        """Rows of the plan, done or not."""
        return len(self._columns["box"])

    def check(self, **facts: Any) -> None:
        """Raise a ValueError that names the first setting in which `facts` differ."""
        # Compared whole, so that a default not given counts as well.
        want = make_card(**{"settings": None, "dtype": "float16"} | facts)
        check_same(self._card, want, str(self.path))

    def extend(self, rows: Mapping[str, ArrayLike]) -> None:
        """Append `rows` to the plan, as columns [N]; errors as :meth:`create`.

        One process at a time; the others open the store anew.
        """
        new = make_columns(rows, len(self.sources))
        joined = {k: np.concatenate([self._columns[k], new[k]]) for k in COLUMNS}
        check_distinct(joined)
        total = len(joined["box"])
        if total == len(self):
            return
        try:
            for name in COLUMNS:
                self._group[name].resize((total,))
                self._group[name][len(self) :] = new[name]
            # Rows count from here on: a run killed above has appended nothing.
            self._kappa.resize((total, *self.shape))
        except OSError as error:
            raise _told(error, self.path, "the plan could not be extended") from error
        self._columns = joined

    def done(self) -> list[int]:
        """Rows whose map is there, increasing."""
        whole = self._kappa.dtype.itemsize * self.shape[0] * self.shape[1] + _CHECKSUM
        with os.scandir(self.path / "kappa") as files:
            found = [(re.fullmatch(r"c\.(\d+)\.0\.0", f.name), f) for f in files]
            rows = [int(m[1]) for m, f in found if m and f.stat().st_size == whole]
        return sorted(r for r in rows if r < len(self))

    def sweep(self) -> None:
        """Remove the unfinished files of killed writers; for the only run that fills the store."""
        for part in (self.path / "kappa").glob("*.partial"):
            part.unlink(missing_ok=True)

    def missing(self) -> list[int]:
        """Rows whose map is still to be made, increasing."""
        return sorted(set(range(len(self))) - set(self.done()))

    def write(self, index: int, kappa: Float[Tensor, "H W"]) -> None:
        """Store `kappa`, the map of row `index`; safe from many processes, and again for a row.

        Raises:
            ValueError: No such row, another shape, or κ that is not finite in :attr:`dtype`.
            OSError: The disk is full or cannot be written.
        """
        self._check_row(index)
        if tuple(kappa.shape) != self.shape:
            raise ValueError(f"`kappa` must have shape {self.shape}, got {tuple(kappa.shape)}")
        values = kappa.detach().to("cpu", getattr(torch, self.dtype))
        if not bool(torch.isfinite(values).all()):
            raise ValueError(f"row {index}: `kappa` must be finite in {self.dtype}")
        try:
            self._kappa[index] = values.numpy()
        except OSError as error:
            what = f"row {index} could not be written"
            raise _told(error, self.path, what) from error

    def read(
        self, indices: ArrayLike, dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "N H W"]:
        """Maps of the rows `indices` [N], as `dtype`; ValueError where one is not there."""
        maps = [self._row(i) for i in np.atleast_1d(np.asarray(indices, np.int64)).tolist()]
        maps = np.stack(maps) if maps else np.empty((0, *self.shape), self.dtype)
        return torch.from_numpy(maps).to(dtype)

    def rows(self, name: str) -> np.ndarray:
        """A column of the plan [N] by its `name`; ValueError for one that is unknown."""
        if name not in COLUMNS:
            raise ValueError(f"unknown column {name!r}; known: {', '.join(COLUMNS)}")
        return self._columns[name].copy()

    def boxes(self) -> list[int]:
        """Ids of the boxes, in the order of the plan."""
        return list(dict.fromkeys(self._columns["box"].tolist()))

    def where(self, **values: ArrayLike) -> list[int]:
        """Rows that hold (one of) `values` [n], as :meth:`rows`: ``where(box=[3, 4], w=-1)``."""
        keep = np.ones(len(self), bool)
        for name, wanted in values.items():
            keep &= np.isin(self.rows(name), np.atleast_1d(wanted))
        return np.flatnonzero(keep).tolist()

    def split(self, parts: Mapping[str, float], seed: int = 0) -> dict[str, list[int]]:
        """Rows of each of `parts`; no box is in two. As :func:`massgan_core.data.split_boxes`."""
        boxes = split_boxes(self.boxes(), parts, seed)
        return {name: self.where(box=chosen) for name, chosen in boxes.items()}

    def origin(self, rows: ArrayLike) -> dict[str, Any]:
        """Which simulation boxes `rows` [N] look through, for the card of what is made of them."""
        boxes = sorted(set(self.rows("box")[np.asarray(rows, np.int64)].tolist()))
        return {"kind": self.kind, "seed": self.settings.get("seed"), "boxes": boxes}

    def _row(self, index: int) -> np.ndarray:
        self._check_row(index)
        try:
            values = self._kappa[index]
        except (ValueError, RuntimeError, TypeError):
            raise ValueError(
                f"row {index} of {self.path} is damaged; delete its file "
                f"kappa/c.{index}.0.0 and resume the run that made it"
            ) from None
        if np.isnan(values[0, 0]):
            raise ValueError(
                f"row {index} of {self.path} is not simulated yet ({len(self.missing())} of "
                f"{len(self)} are missing): resume the run"
            )
        return values

    def _check_row(self, index: int) -> None:
        if not 0 <= index < len(self):
            raise ValueError(f"{self.path} has rows 0 to {len(self) - 1}, got {index}")


def _make_arrays(group: Any, columns: Columns, card: dict[str, Any]) -> None:
    from zarr.codecs import Crc32cCodec

    for name, column in columns.items():
        group.create_array(
            name,
            data=column,
            chunks=(4096,),
            compressors=[Crc32cCodec()],
            fill_value=FILL[column.dtype.kind],
        )
    group.create_array(
        "kappa",
        shape=(len(columns["box"]), *card["shape"]),
        chunks=(1, *card["shape"]),
        dtype=card["dtype"],
        compressors=[Crc32cCodec()],
        fill_value=float("nan"),
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=("map", "y", "x"),
    )


def _read_columns(group: Any, n: int) -> Columns:
    columns = {}
    for name, dtype in COLUMNS.items():
        try:
            column = np.asarray(group[name][:n])
            lost = np.isnan(column) if dtype.kind == "f" else column == FILL["i"]
            whole = column.dtype == dtype and column.shape == (n,) and not lost.any()
        except _BROKEN:
            whole = False
        if not whole:
            raise ValueError(f"its column {name!r} is incomplete or altered")
        columns[name] = column
    return columns


def _told(error: OSError, path: Path, what: str) -> OSError:
    """The same error in one sentence, with the way out."""
    if isinstance(error, FileExistsError):
        return error
    way = "what was written before is kept; make room or choose another disk, then resume"
    return OSError(error.errno, f"{what} ({error.strerror or error}); {way}", str(path))


def _zarr() -> ModuleType:
    try:
        import zarr
    except ImportError:
        raise ImportError("map stores need zarr: pip install 'massgan[simulate]'") from None
    return zarr
