"""Where the jobs of a run are done: here, in processes of this machine, or on a Dask cluster.

Each place has ``submit(job, tell)``, which gives a future, and a ``window``: how many jobs to
hand out at once. Left in peace it finishes; left by an error or a signal it stops quickly.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from socket import gethostname
from threading import Thread
from typing import Any, Protocol, runtime_checkable

import torch

from massgan_core.simulating_jobs import Job, Tell, do

_TERMINATED = 128 + signal.SIGTERM
_PATIENCE = "20s"  #: for a Dask scheduler to answer


@runtime_checkable
class Workers(Protocol):
    """A place where jobs are done."""

    window: int

    def submit(self, job: Job, tell: Tell) -> Future[None]:
        """Hand a job out; `tell` may or may not hear of its progress."""

    def close(self) -> None:
        """All jobs are done."""

    def stop(self) -> None:
        """Give up what is not done."""


@contextmanager
def workers(count: int = 1, dask: Any = None) -> Iterator[Workers]:
    """A place to do jobs.

    Args:
        count: Processes on this machine.
        dask: Address of a scheduler, its scheduler file, or a cluster object. Its workers must
            see store and planes at the same paths, and compute best with one thread each.
    """
    place = Cluster(dask) if dask is not None else Processes(count) if count > 1 else Here()
    try:
        yield place
    except BaseException:
        place.stop()
        raise
    place.close()


class Here:
    """This very process, one job after the other."""

    window = 1

    def submit(self, job: Job, tell: Tell) -> Future[None]:
        do(job, tell)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def close(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Processes:
    """New processes that share this machine's cores."""

    def __init__(self, count: int) -> None:
        threads = max(1, torch.get_num_threads() // count)
        self.window = 2 * count
        # Spawned: a fork of a process whose libraries run threads may hang.
        self._pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (threads,))

    def submit(self, job: Job, tell: Tell) -> Future[None]:
        return self._pool.submit(_do_or_leave, job)

    def close(self) -> None:
        self._pool.shutdown()

    def stop(self) -> None:
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        self._pool.shutdown(cancel_futures=True)


class Cluster:
    """Workers of a Dask scheduler."""

    window = 1000

    def __init__(self, scheduler: Any) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ImportError(
                "a Dask cluster needs distributed: pip install 'massgan[cluster]'"
            ) from None
        if isinstance(scheduler, str | Path) and Path(scheduler).is_file():
            self._client = Client(scheduler_file=str(scheduler), timeout=_PATIENCE)
        else:
            self._client = Client(scheduler, timeout=_PATIENCE)
        self._pool = self._client.get_executor(pure=False)

    def submit(self, job: Job, tell: Tell) -> Future[None]:
        return self._pool.submit(_do_there, job)

    def close(self) -> None:
        self._client.close()

    def stop(self) -> None:
        self._pool.shutdown(wait=False)
        self._client.close()


def _begin(threads: int) -> None:
    """Set a worker process up: its share of the cores, and how it is stopped."""
    torch.set_num_threads(threads)
    os.environ["NUMBA_NUM_THREADS"] = str(threads)
    # Ctrl-C goes to all processes of a terminal; the parent decides what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(_TERMINATED)


def _do_or_leave(job: Job) -> None:
    try:
        do(job)
    except SystemExit:
        # SIGTERM: what was half-made is removed by now, and no other job shall begin.
        os._exit(_TERMINATED)


def _do_there(job: Job) -> None:
    if not job.run.out.exists():
        raise FileNotFoundError(
            f"the Dask worker on {gethostname()} does not see {job.run.out}: all workers need "
            "the store at the same path"
        )
    do(job)
