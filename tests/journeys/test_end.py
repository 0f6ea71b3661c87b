"""Whatever ends a server ends the processes that it began."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
PATIENCE = 120


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def sockets(pid: int) -> set[str]:
    links = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.add(os.readlink(one))
    return {link for link in links if link.startswith("socket:")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("kind", [("--sampling", "processes:1"), ("--num-procs", "2")])
def test_nothing_outlives_a_server(
    serve: Callable[..., str], kind: tuple[str, str], number: int
) -> None:
    address = serve("-m", "explorer", "--port", "0", "--no-show", *kind)
    with urlopen(f"{address}liveness", timeout=PATIENCE) as answer:
        assert answer.read() == b'{"/liveness": true}'
    process = serve.processes[-1]
    began = children(process.pid)
    assert len(began) == int(kind[1][-1])
    if kind[0] == "--sampling":
        # The one socket of the worker is its line to the server.
        (line,) = sockets(began[0])
        assert line not in sockets(process.pid)
    process.send_signal(number)
    process.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while any(map(alive, began)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, began))
