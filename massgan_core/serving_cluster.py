"""A Dask cluster whose workers draw samples for a server.

Dask moves a request whose worker died to another one. Workers need this package and, for
equal bits, equal threads; each draws one batch at a time, so one thread a worker is best.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Lock
from typing import Any

from massgan_core.serving import Answer, Parcel, Request
from massgan_core.serving_worker import Keeper
from massgan_core.sky import Stopped

LOOK = 0.05  #: between two looks whether anyone still waits [s]
COUNT = 10.0  #: between two looks how many workers there are [s]
PATIENCE = "20s"  #: for a scheduler to answer


class Cluster:
    """Workers of a Dask scheduler.

    Args:
        address: Of the scheduler, or its scheduler file.

    Raises:
        OSError: No scheduler answers.
    """

    def __init__(self, address: str) -> None:
        self.address, self.slots = address, 1
        self._jobs, self._lock, self._counted = count(), Lock(), 0.0
        self._client: Any = None
        self._connected()

    def draw(
        self, request: Request, number: int, parcel: Parcel, given_up: Callable[[], bool]
    ) -> Answer:
        """As :meth:`massgan_core.serving.Workers.draw`.

        Raises:
            RuntimeError: Workers died of it, or the scheduler is gone.
        """
        job = request, number, parcel.digest
        answer = self._ask(*job, None, given_up)
        return answer or self._ask(*job, parcel.content, given_up)

    def close(self) -> None:
        """Leave the cluster as it is."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _ask(self, *given: Any) -> Answer | None:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        *job, given_up = given
        client, done = self._connected(), Event()
        name = f"{client.id}-{next(self._jobs)}"
        try:
            future = client.submit(draw_there, *job, name, pure=False)
            future.add_done_callback(lambda _: done.set())
            while not done.wait(LOOK):
                if given_up():
                    client.run(give_up, name, on_error="ignore")
                    future.cancel()
                    raise Stopped("sampling was stopped on its way")
                if client.status != "running":
                    raise CommClosedError
            return future.result()
        except KilledWorker:
            raise RuntimeError(
                f"workers of the Dask cluster at {self.address} ended as they drew samples, as "
                "they do where memory ends: choose a smaller batch or a smaller field"
            ) from None
        except (CommClosedError, FutureCancelledError, TimeoutError):
            raise RuntimeError(
                f"the Dask scheduler at {self.address} went away: press Start once it is back"
            ) from None

    def _connected(self) -> Any:
        """A client of the scheduler, made anew where it was lost."""
        with self._lock:
            if self._client is None or self._client.status != "running":
                self._client, self._counted = _connect(self.address), 0.0
            if time.monotonic() - self._counted > COUNT or not self._counted:
                self.slots = max(1, len(self._client.scheduler_info()["workers"]))
                self._counted = time.monotonic()
            return self._client


def _connect(address: str) -> Any:
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise ImportError(
            "a Dask cluster needs distributed: pip install 'massgan[cluster]'"
        ) from None
    # A field goes to each worker once; Dask would warn of every one.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    try:
        if Path(address).is_file():
            return Client(scheduler_file=address, timeout=PATIENCE, set_as_default=False)
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise OSError(f"no Dask scheduler answers at {address!r}: {said}") from None


_KEEPER = Keeper()  #: of a worker's process
_UNDER_WAY: dict[str, Event] = {}


def draw_there(
    request: Request, number: int, digest: str, content: bytes | None, name: str
) -> Answer | None:
    """What a worker does; see :meth:`massgan_core.serving_worker.Keeper.draw`."""
    stop = _UNDER_WAY[name] = Event()
    try:
        return _KEEPER.draw(request, number, digest, content, stop)
    finally:
        del _UNDER_WAY[name]


def give_up(name: str) -> None:
    """Nobody waits for a job any more; other workers than its own do nothing."""
    stop = _UNDER_WAY.get(name)
    if stop is not None:
        stop.set()
