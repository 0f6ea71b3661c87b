"""The far side of :mod:`massgan_core.serving`: a process that draws, and keeps what costs time.

As a module, ``python -m massgan_core.serving_worker FD THREADS``, it is a process of
:class:`massgan_core.serving_processes.Processes` and answers on the socket FD until that closes.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections import OrderedDict
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

import torch

from massgan_core import __version__
from massgan_core.serving import Answer, Request
from massgan_core.sky import Stop

FIELDS = 8  #: kept by a worker, with what its samplers know of them
_FIRST_TO_GO = "500"  #: where memory ends, the kernel takes a worker and not the server


class Keeper:
    """Samplers and fields of one process; draws one batch at a time."""

    def __init__(self) -> None:
        self._lock = Lock()  # a sampler is told by an attribute when to stop
        self._fields: OrderedDict[str, Any] = OrderedDict()
        self._networks: dict[str, Any] = {}
        self._others: dict[tuple[str, str], Any] = {}  # made for the n(z) of one field

    def draw(
        self, request: Request, number: int, digest: str, content: bytes | None, stop: Stop
    ) -> Answer | None:
        """Batch `number` of a request; None where the field is not known here yet.

        Args:
            request: Sampler, batch, seed.
            number: Of the batch.
            digest: Of the field.
            content: The field, for who does not know it.
            stop: Asked on the way.

        Raises:
            ValueError: The request comes from another version of the library.
        """
        from massgan_core.posterior import endless, provenance

        if request.version != __version__:
            raise ValueError(
                f"a worker has massgan {__version__}, the server {request.version}: install the "
                "same on both"
            )
        with self._lock:
            field = self._field(digest, content)
            if field is None:
                return None
            sampler = self._sampler(request.sampler, digest, field)
            if hasattr(sampler, "stop"):
                sampler.stop = stop
            first = number * request.batch
            drawn = endless(sampler, field, request.batch, seed=request.seed, first=first)
            samples = next(drawn).numpy()
            return samples, provenance(sampler, request.batch, request.seed)

    def load(self, name: str) -> None:
        """Load a network before anyone asks for it."""
        with self._lock:
            self._network(name)

    def _field(self, digest: str, content: bytes | None) -> Any:
        if digest not in self._fields:
            if content is None:
                return None
            self._fields[digest] = pickle.loads(content)
            while len(self._fields) > FIELDS:
                gone, _ = self._fields.popitem(last=False)
                for key in [key for key in self._others if key[1] == gone]:
                    del self._others[key]
        self._fields.move_to_end(digest)
        return self._fields[digest]

    def _sampler(self, name: str, digest: str, field: Any) -> Any:
        from massgan_core import wiring

        method, _, checkpoint = name.partition(":")
        if method == "gan":
            return self._network(name)
        key = name, digest
        if key not in self._others:
            self._others[key] = wiring.sampler(method, field, checkpoint=checkpoint or None)
        return self._others[key]

    def _network(self, name: str) -> Any:
        from massgan_core import wiring

        if name not in self._networks:
            method, _, checkpoint = name.partition(":")
            self._networks[name] = wiring.trained(method, checkpoint or None)
        return self._networks[name]


def send(line: Connection, value: Any) -> None:
    """Send `value`; its arrays go as they lie in memory, and are not copied."""
    arrays: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    parts = [array.raw() for array in arrays]
    line.send((head, [part.nbytes for part in parts]))
    for part in parts:
        line.send_bytes(part)


def receive(line: Connection) -> Any:
    """What the other side has sent."""
    head, sizes = line.recv()
    parts = [bytearray(size) for size in sizes]
    for part in parts:
        line.recv_bytes_into(part)
    return pickle.loads(head, buffers=parts)


def main(descriptor: int, threads: int) -> None:
    """Answer until the other side is gone."""
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")  # said by the server, where anyone looks
    with suppress(OSError):  # Linux has it
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(_FIRST_TO_GO)
    line, jobs, stop, keeper = Connection(descriptor), SimpleQueue(), Event(), Keeper()
    Thread(target=_listen, args=(line, jobs, stop), daemon=True).start()
    while True:
        work, *given = jobs.get()
        try:
            answer = keeper.load(*given) if work == "load" else keeper.draw(*given, stop)
        except Exception as error:
            answer = _sendable(error)
        if work == "draw":
            with suppress(OSError):  # the listener knows
                send(line, answer)


def _listen(line: Connection, jobs: SimpleQueue, stop: Event) -> None:
    """Hear of jobs, and of the one under way being given up; end with the server."""
    while True:
        try:
            word, *given = line.recv()
        except (EOFError, OSError):
            os._exit(0)  # whatever is being drawn
        if word == "stop":
            stop.set()
        else:
            stop.clear()  # the one before has been answered
            jobs.put((word, *given))


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
