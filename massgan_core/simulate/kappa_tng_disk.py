"""κTNG on disk: realisations under a folder, and the source planes in them.

Two layouts are known, LP and run being numbers of three digits:

- ``LPxxx/runyyy/kappaNN.dat``: an int32 marker, 1024² float64, the marker again (little-endian);
- ``LPxxx/LPxxx_runyyy_maps.hdf5``: groups ``z01`` … ``z40``, each with a dataset ``kappa``.

References:
    Osato, Liu & Haiman (2021), https://ui.adsabs.harvard.edu/abs/2021MNRAS.502.5593O
    Their loaders: https://github.com/0satoken/kappaTNG
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

PLANES = 40  #: source planes of a realisation
SIDE = 1024  #: pixels of a map on a side

_DAT = re.compile(r"LP(\d+)/run(\d+)")
_HDF5 = re.compile(r"LP(\d+)/LP\1_run(\d+)_maps\.hdf5")


@dataclass(frozen=True, order=True)
class Realisation:
    """One simulated sky on disk.

    Args:
        box: Number LP. Realisations of one box are not independent.
        run: Number of the run within it.
        path: HDF5 file, or folder of ``.dat`` files.
    """

    box: int
    run: int
    path: Path = field(compare=False)

    @property
    def name(self) -> str:
        """``LPxxx_runyyy``."""
        return f"LP{self.box:03d}_run{self.run:03d}"

    def plane(self, number: int, side: int = SIDE) -> Float[np.ndarray, "S S"]:
        """κ for sources on plane `number`, 1 … 40, float64.

        Raises:
            FileNotFoundError: The file is missing.
            ValueError: There is no such plane, or the file is broken or of another size.
        """
        if not 1 <= number <= PLANES:
            raise ValueError(f"`number` of a source plane must be 1 … {PLANES}, got {number}")
        read = _read_hdf5 if self.path.suffix else _read_dat
        kappa = read(self.path, number, side)
        if not np.isfinite(kappa).all():
            raise ValueError(f"{self.path}: κ of plane {number} must be finite; load it anew")
        return kappa


def find(root: str | Path) -> list[Realisation]:
    """The realisations under a folder, in either layout, sorted by box and run.

    Raises:
        FileNotFoundError: There is no such folder, or no realisation in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"`root` must be the folder that holds LP001 …, got {root}")
    found: dict[tuple[int, int], Realisation] = {}
    for path in (*root.glob("LP*/run*"), *root.glob("LP*/LP*_run*_maps.hdf5")):
        name = path.relative_to(root).as_posix()
        if match := (_HDF5 if path.suffix else _DAT).fullmatch(name):
            # Where both layouts hold one realisation, the later one (HDF5) is read.
            one = Realisation(int(match[1]), int(match[2]), path)
            found[one.box, one.run] = one
    if not found:
        raise FileNotFoundError(
            "`root` must hold LPxxx/runyyy/kappaNN.dat or LPxxx/LPxxx_runyyy_maps.hdf5, "
            f"found neither in {root}"
        )
    return sorted(found.values())


def _read_dat(folder: Path, number: int, side: int) -> Float[np.ndarray, "S S"]:
    path = folder / f"kappa{number:02d}.dat"
    if not path.is_file():
        raise FileNotFoundError(f"source plane {number} is missing: there is no {path}")
    record = np.dtype([("head", "<i4"), ("kappa", "<f8", (side, side)), ("tail", "<i4")])
    size = path.stat().st_size
    if size != record.itemsize:
        raise ValueError(
            f"{path} must hold {record.itemsize} bytes ({side}² pixels and two markers), "
            f"got {size}; load it anew or give its `side`"
        )
    data = np.fromfile(path, record, count=1)[0]
    head, tail = int(data["head"]), int(data["tail"])
    # The published loader takes the marker for the side; Fortran would write the bytes.
    if head != tail or head not in (side, 8 * side**2):
        raise ValueError(
            f"{path} must begin and end with the marker {side} or {8 * side**2}, "
            f"got {head} and {tail}; load it anew"
        )
    return data["kappa"].astype(np.float64)


def _read_hdf5(path: Path, number: int, side: int) -> Float[np.ndarray, "S S"]:
    name = f"z{number:02d}/kappa"
    try:
        with _h5py().File(path, "r") as file:
            if name not in file:
                raise ValueError(f"{path} must hold {name}, it has {', '.join(file) or 'nothing'}")
            if file[name].shape != (side, side):
                raise ValueError(
                    f"{name} in {path} must be {side} × {side} pixels, got "
                    f"{file[name].shape}; give its `side`"
                )
            return file[name][()].astype(np.float64)
    except OSError as error:
        raise ValueError(f"{path} is no whole HDF5 file ({error}); load it anew") from error


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError("κTNG's HDF5 files need h5py: pip install 'massgan[storage]'") from error
    return h5py
