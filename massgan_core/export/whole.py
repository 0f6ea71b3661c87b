"""Files that appear whole or not at all.

The new file grows under a hidden name in the same folder and takes its own name by one
``os.replace`` at the end; whatever stops the writer (an error, a full disk, Ctrl-C) leaves
neither a part of the new file nor a scratch on the old one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

#: A folder without one of these is not a zarr store, and not ours to replace.
_STORE_MARKS = ("zarr.json", ".zgroup", ".zarray")


@contextmanager
def whole(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A path to write to, in the folder of `path`; it becomes `path` when the block ends well.

    Args:
        path: What shall appear: a file, or a folder (a zarr store).
        overwrite: Replace what stands there.

    Raises:
        OSError: See :func:`check_place`.
    """
    check_place(path, overwrite=overwrite)
    part = _beside(path, "part")
    try:
        yield part
        if not overwrite:
            _check_free(path)  # it may have appeared while we worked
        take_place(part, path)
    finally:
        _remove(part)


def check_place(path: Path, *, overwrite: bool = False) -> None:
    """Find out before any work whether something can be written at `path`.

    Raises:
        FileExistsError: Something stands there and may not be replaced.
        OSError: The folder is missing or cannot be written to.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    if not overwrite:
        _check_free(path)
    if path.is_dir() and not any((path / mark).exists() for mark in _STORE_MARKS):
        raise FileExistsError(f"{path}: this folder is not a zarr store and is not replaced")
    probe = _beside(path, "probe")
    try:
        probe.touch(exist_ok=False)
    except OSError as error:
        raise PermissionError(
            f"{path}: cannot write to the folder {path.parent} ({error.strerror})"
        ) from None
    finally:
        probe.unlink(missing_ok=True)


def _check_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path} exists; choose another name or pass --overwrite")


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.{token_hex(4)}.{kind}")


def take_place(part: Path, path: Path) -> None:
    """Rename `part` to `path`; a folder cannot be renamed over one, so that one steps aside."""
    if not path.is_dir():
        os.replace(part, path)
        return
    aside = _beside(path, "old")
    os.replace(path, aside)
    try:
        os.replace(part, path)
    except BaseException:
        os.replace(aside, path)
        raise
    _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
