"""How much an upload may be, checked on the server before anything large is read."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds of one session's uploads."""

    file: int = 100 * MB  #: bytes of a file
    session: int = 200 * MB  #: bytes received in a session, replaced files included
    expanded: int = 400 * MB  #: bytes of a file once unpacked
    rows: int = 5_000_000  #: galaxies of a catalogue
    columns: int = 500
    cells: int = 100_000_000  #: rows × columns
    side: int = 2048  #: pixels along a side of a field
    memory: int = 2 << 30  #: bytes that reading may take
    looking: int = 60  #: seconds for a look at a file
    reading: int = 180  #: seconds for reading it whole


LIMITS = Limits()
