"""The bytes of a session's uploads: counted here, kept in a private folder until its end.

What a browser says of a file (its name, its size, how many parts there are) decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from explorer.uploads.limits import LIMITS, MB, Limits


class Inbox:
    """Takes one file at a time, part by part."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.name = ""  #: what the person calls the file: a text, never part of a path
        self.received = 0  #: bytes kept so far in this session
        self._home: TemporaryDirectory | None = None
        self._path: Path | None = None
        self._next, self._size = 0, 0

    @property
    def folder(self) -> Path:
        """Of this session alone; made when it is first needed."""
        if self._home is None:
            self._home = TemporaryDirectory(prefix="massgan-", ignore_cleanup_errors=True)
        return Path(self._home.name)

    def take(self, name: str, number: int, total: int, data: bytes) -> Path | None:
        """Keep part `number` of `total`, from 1; gives the file once it is whole.

        Parts of a file that was refused or replaced are dropped.

        Raises:
            ValueError: The file or the session is too large, or the disk is full.
        """
        if number == 1:
            self.drop()
            self.name, self._next = plain(name), 1
            with self._room():
                self._path = self.folder / f"upload-{token_hex(8)}"
        if self._path is None or number != self._next or plain(name) != self.name:
            return None
        # All parts but the last are of one size: a giant is known by its first.
        expected = max(self._size + len(data), (total - 1) * len(data) if number == 1 else 0)
        if expected > self.limits.file:
            self.drop()
            raise ValueError(
                f"{self.name} is too large: a file may have {self.limits.file / MB:g} MB"
            )
        if self.received + len(data) > self.limits.session:
            self.drop()
            raise ValueError(
                f"{self.name} is refused: this session has had its "
                f"{self.limits.session / MB:g} MB of uploads; reload the page for a new one"
            )
        with self._room(), open(self._path, "ab") as file:
            file.write(data)
        self.received += len(data)
        self._size += len(data)
        self._next += 1
        return self._path if number == total else None

    @contextmanager
    def _room(self) -> Iterator[None]:
        """A full disk is a sentence as well."""
        try:
            yield
        except OSError:
            self.drop()
            raise ValueError(
                f"{self.name} could not be kept by the server: its disk may be full"
            ) from None

    def drop(self) -> None:
        """Forget the present file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self._path, self._next, self._size = None, 0, 0

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        self._path = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None


def plain(name: str) -> str:
    """The name of a file as a short line of text."""
    last = str(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = " ".join("".join(c if c.isprintable() else " " for c in last).split())
    return text if 0 < len(text) <= 60 else f"{text[:40]}…{text[-15:]}" if text else "the file"
