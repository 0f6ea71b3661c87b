"""The uploads of one session: a file comes in, is looked at, checked and opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import param

from explorer.uploads import choices
from explorer.uploads.inbox import Inbox
from explorer.uploads.limits import LIMITS, Limits
from explorer.uploads.parcel import unpack
from explorer.uploads.reading import READERS, CalledOff, Reading

if TYPE_CHECKING:
    from massgan_core.sky import ShearField


REFUSED = "This server takes no files."


@dataclass(frozen=True, eq=False)
class Preview:
    """What a file holds."""

    name: str  #: of the file, a text
    kind: str  #: field or catalogue
    shape: tuple[int, ...] = ()  #: of a field, rows and columns
    table: dict[str, Any] | None = None  #: of a catalogue, see :mod:`explorer.uploads.look`
    guess: dict[str, str] | None = None  #: which column holds which quantity


@dataclass(frozen=True, eq=False)
class Plan:
    """What opening the file with the present choices gives; it was tried."""

    name: str  #: of the file
    call: dict[str, Any]  #: further arguments of ``massgan_core.open_field``
    field: ShearField
    does: str  #: a sentence
    notes: tuple[str, ...]  #: what to know before
    orientation: str
    suspicious: bool  #: a sign looks wrong


class Uploads(param.Parameterized):
    """From bytes to a field; everything that can go wrong ends in `problem`.

    Args:
        spawn: Starts a coroutine on the session's event loop.
        limits: What a session may take.
        takes: Whether it takes anything.
    """

    busy = param.String(default="", doc="What is being done; empty = nothing.")
    problem = param.String(default="", doc="What is wrong, in one sentence; empty = nothing.")
    preview = param.Parameter(default=None, doc="The Preview of the present file, or None.")
    plan = param.Parameter(default=None, doc="The Plan for the present choices, or None.")
    opened = param.Parameter(default=None, doc="The Plan that was opened last, or None.")

    def __init__(
        self,
        spawn: Callable[[Coroutine], None],
        limits: Limits = LIMITS,
        *,
        takes: bool = True,
    ) -> None:
        super().__init__()
        self.takes = takes
        self.limits, self._spawn, self._inbox = limits, spawn, Inbox(limits)
        self._path: Path | None = None
        self._reading: Reading | None = None
        self._closed = False

    def receive(self, name: str, number: int, total: int, data: bytes) -> None:
        """Take part `number` of `total` of a file; when it is whole, look at it."""
        if self._closed:
            return
        if not self.takes:
            self.problem = REFUSED
            return
        if number == 1:
            self.forget()
        try:
            path = self._inbox.take(name, number, total, data)
        except ValueError as error:
            self.problem = f"{error}."
            return
        if path is not None:
            self._path = path
            self._spawn(self.look())

    def forget(self) -> None:
        """Drop the present file; what was opened stays open."""
        self._call_off()
        self._inbox.drop()
        self._path = None
        self.param.update(busy="", problem="", preview=None, plan=None)

    async def look(self) -> None:
        """Find out what the file is."""
        name = self._inbox.name
        found = await self._read(f"Looking at {name} …", "look")
        if found is not None:
            self.preview = found
            await self.check(columns=found.guess)

    def choose(self, **chosen: Any) -> None:
        """Start to :meth:`check` these choices; those made before no longer count."""
        if self.preview is not None:
            self._spawn(self.check(**chosen))

    async def check(self, **chosen: Any) -> None:
        """Try to open the file with these choices, see :func:`explorer.uploads.choices.call`."""
        self._call_off()
        self.param.update(busy="", problem="", plan=None)
        if self._path is None or self.preview is None:
            return
        try:
            call = choices.call(**chosen)
        except ValueError as error:
            self.problem = str(error)
            return
        plan = await self._read("Checking what this gives …", "prepare", call=call)
        if plan is not None:
            self.plan = plan

    def open(self) -> None:
        """Open what the plan says."""
        if self.plan is not None:
            self.opened = self.plan

    def close(self) -> None:
        """End all readings and remove all files."""
        self._closed = True
        self._call_off()
        self._inbox.close()

    async def _read(self, words: str, task: str, **options: Any) -> Any:
        """The result of a task; None after an error, or when another was asked for meanwhile."""
        self._call_off()
        self._reading = reading = Reading(
            task, self._path, self._inbox.name, self._inbox.limits, **options
        )
        self.param.update(busy=words, problem="")
        made, problem = None, ""
        try:
            made = await asyncio.wrap_future(READERS.submit(_made, reading))
        except CalledOff:
            return None
        except ValueError as error:
            problem = f"{str(error).rstrip('.')}."
        except Exception:
            logging.getLogger(__name__).warning("an upload failed", exc_info=True)
            problem = f"{reading.name} could not be read."
        finally:
            if reading is self._reading:
                self._reading = None
                self.param.update(busy="", problem=problem)
        return made if not self._closed and self._path == reading.path else None

    def _call_off(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None


def _made(reading: Reading) -> Preview | Plan:
    """The answer of a reading in our words; runs in a thread."""
    answer, name = reading.result(), reading.name
    if reading.task == "look":
        if answer["kind"] == "field":
            return Preview(name, "field", shape=tuple(answer["shape"]))
        table = choices.best(answer["tables"])
        guess = choices.guess(choices.names(table))
        return Preview(name, "catalogue", table=table, guess=guess)
    parcel = reading.path.with_name(Path(answer["parcel"]).name)
    try:
        field = unpack(parcel)
    finally:
        parcel.unlink(missing_ok=True)
    notes, call = tuple(answer["notes"]), reading.options["call"]
    words = answer["orientation"], answer["suspicious"]
    return Plan(name, call, field, answer["does"], notes, *words)
