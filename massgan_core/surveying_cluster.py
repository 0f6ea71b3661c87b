"""A Dask cluster by a word: ``local``, ``local:4``, an address or a scheduler file."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

_PATIENCE = "20s"  #: for a scheduler to answer
_LOCAL = re.compile(r"local(?::(\d+))?")
_AT_START = "distributed.nanny.pre-spawn-environ"
#: One thread a worker: as many workers as cores then share a machine without getting in each
#: other's way, and every sum is made in the same order.
_ONE = {
    f"{_AT_START}.{name}": "1"
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}
#: Dask looks fifty times a second how its event loops fare, and a hundred times where a worker is,
#: for a page that is not shown. On a machine of few cores that is time taken from the workers.
_QUIET = {
    "distributed.admin.tick.interval": "1s",
    f"{_AT_START}.DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    f"{_AT_START}.DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}


def check_scheduler(scheduler: object) -> None:
    """Refuse words that name no scheduler, and a library that is missing, before any work.

    Raises:
        ValueError: Neither ``local``, ``local:N``, an address nor a file.
        ImportError: Dask is not there.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ImportError(
            "wide surveys need distributed: pip install 'massgan[cluster]'"
        ) from None
    if not isinstance(scheduler, str | Path):
        return  # a cluster object
    local = _LOCAL.fullmatch(str(scheduler))
    if local is not None and local[1] is not None and int(local[1]) < 1:
        raise ValueError(f"--dask local:N needs N of at least 1, got {scheduler!r}")
    if local is None and "://" not in str(scheduler) and not Path(scheduler).is_file():
        raise ValueError(
            "--dask must be local, local:N, the address of a scheduler (tcp://HOST:8786) or its "
            f"scheduler file, got {str(scheduler)!r}"
        )


@contextmanager
def client_of(scheduler: Any) -> Iterator[Client]:
    """A client of the scheduler; a local cluster ends with the block.

    Args:
        scheduler: As for :func:`check_scheduler`, or a cluster object.
    """
    import dask
    from distributed import Client, LocalCluster

    check_scheduler(scheduler)
    local = _LOCAL.fullmatch(str(scheduler)) if isinstance(scheduler, str) else None
    if local is not None:
        count = int(local[1] or os.cpu_count() or 1)
        with (
            dask.config.set(_ONE | _QUIET),
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.ERROR,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    by_file = isinstance(scheduler, str | Path) and Path(scheduler).is_file()
    place = {"scheduler_file": str(scheduler)} if by_file else {"address": scheduler}
    with Client(**place, timeout=_PATIENCE) as client:
        yield client


def in_flight(client: Client, work: Callable[..., Any], jobs: Iterable[tuple]) -> Iterator[Any]:
    """Results of `work`, as they come, two jobs a thread of the cluster handed out at once.

    A job whose worker dies is done by another one; workers may come and go.

    Args:
        client: Of the cluster.
        work: A function.
        jobs: Its arguments, job by job.
    """
    from distributed import as_completed

    waiting = iter(jobs)

    def submit(count: int) -> list:
        return [client.submit(work, *job, pure=False) for job in islice(waiting, count)]

    client.wait_for_workers(1)
    running = as_completed(submit(_window(client)))
    flying = running.count()
    for future in running:
        result = future.result()
        flying -= 1
        fresh = submit(max(_window(client) - flying, 0))
        flying += len(fresh)
        running.update(fresh)
        yield result


def _window(client: Client) -> int:
    return 2 * max(sum(client.nthreads().values()), 1)
