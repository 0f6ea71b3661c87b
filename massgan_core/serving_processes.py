"""Processes of this machine that draw samples for a server.

Each is a fresh interpreter at the other end of a socket: it holds no file, lock or port of the
server, ends when the socket closes, whatever ended the server, and its death is the end of one
socket alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Condition
from typing import Any

import torch

from massgan_core.serving import Answer, Parcel, Request
from massgan_core.serving_worker import receive

_ROOT = Path(__file__).resolve().parents[1]
LOOK = 0.05  #: between two looks whether anyone still waits [s]
PATIENCE = 5.0  #: for a worker to end by itself [s]
_WARM = "gan:default"  #: network that a worker loads before it is asked


class Ended(Exception):
    """A worker's process is gone."""


class Worker:
    """One process.

    Args:
        threads: That it computes with.
    """

    def __init__(self, threads: int) -> None:
        if os.name != "posix":
            raise ValueError("`sampling` in processes needs Linux or macOS: use here")
        self.known: set[str] = set()  #: digests of the fields it was sent
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        count = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "massgan_core.serving_worker"]
                + [str(theirs.fileno()), str(threads)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **count, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C is for the server
            )
        self._line = Connection(ours.detach())
        self._line.send(("load", _WARM))

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def draw(
        self, request: Request, number: int, parcel: Parcel, given_up: Callable[[], bool]
    ) -> Answer:
        """As :meth:`massgan_core.serving.Workers.draw`.

        Raises:
            Ended: The process is gone.
        """
        content = None if parcel.digest in self.known else parcel.content
        answer = self._ask(request, number, parcel.digest, content, given_up)
        if answer is None:  # it has seen many others since
            answer = self._ask(request, number, parcel.digest, parcel.content, given_up)
        self.known.add(parcel.digest)
        return answer

    def _ask(self, *given: Any) -> Any:
        *job, given_up = given
        told = False
        try:
            self._line.send(("draw", *job))
            while not self._line.poll(LOOK):
                if not told and given_up():
                    self._line.send(("stop",))
                    told = True
            answer = receive(self._line)
        except (EOFError, OSError):
            raise Ended from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End it, in the middle of a batch if need be."""
        self._line.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Processes:
    """A number of workers; who has the field already is asked first.

    Args:
        count: Workers.
        threads: Each computes with; by default they share those of this process.
    """

    def __init__(self, count: int, threads: int | None = None) -> None:
        self.slots = count
        self.threads = threads or max(1, torch.get_num_threads() // count)
        self._free, self._closed = Condition(), False
        self._idle = [Worker(self.threads) for _ in range(count)]
        self._all = list(self._idle)

    @property
    def pids(self) -> list[int]:
        """Of the workers' processes."""
        return [worker.pid for worker in self._all]

    def draw(
        self, request: Request, number: int, parcel: Parcel, given_up: Callable[[], bool]
    ) -> Answer:
        """As :meth:`massgan_core.serving.Workers.draw`; what died on its way is done once more.

        Raises:
            RuntimeError: It died twice.
        """
        from massgan_core.sky import go_on

        for _ in range(2):
            worker = self._take(parcel.digest)
            try:
                return worker.draw(request, number, parcel, given_up)
            except Ended:
                worker = self._another(worker)
                go_on(given_up)
            finally:
                self._give_back(worker)
        raise RuntimeError(
            f"the process that drew {request.batch} samples at once ended twice, as it does where "
            "memory ends: choose a smaller batch or a smaller field"
        )

    def close(self) -> None:
        """End all workers."""
        with self._free:
            self._closed, workers, self._all = True, self._all, []
            self._free.notify_all()
        for worker in workers:
            worker.close()

    def _take(self, digest: str) -> Worker:
        with self._free:
            self._free.wait_for(lambda: self._idle or self._closed)
            if self._closed:
                raise RuntimeError("the server ends")
            knowing = [worker for worker in self._idle if digest in worker.known]
            worker = (knowing or self._idle)[0]
            self._idle.remove(worker)
            return worker

    def _another(self, gone: Worker) -> Worker:
        """A worker in the place of one that is gone."""
        gone.close()
        with self._free:
            if self._closed:
                return gone
            worker = Worker(self.threads)
            self._all[self._all.index(gone)] = worker
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._free:
            self._idle.append(worker)
            self._free.notify()
