"""What many people at once cost: one server process, no browser.

    python benchmarks/explorer_load.py --sessions 20 --visits 100 --sides 256 1024

1. Sessions that all press Start: when each has its first sample, what share of all it gets.
2. Visits: pages opened and closed; memory and what is left alive of them.
3. Stop: how long until the one sampler of the process is free again, by sampler and side.

The sessions are real ones: Bokeh clients over web sockets, on a server started here in this
process, so that memory, tasks and explorers can be counted. Prints tables, then one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import time
from functools import partial
from threading import Thread
from typing import Any, ClassVar
from weakref import WeakSet

import panel as pn
import psutil
from bokeh.client import pull_session
from rich.console import Console
from rich.table import Table

import massgan_core as mg
from explorer import app
from explorer.runner import Runner
from explorer.store import sampler, trained
from explorer.turns import TURNS
from explorer.viewer import Explorer

CHOICES = {"source": "simulated", "kind": "nfw", "sampler": "wiener", "n": 4096, "batch": 1}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=20, help="that sample at once")
    parser.add_argument("--visits", type=int, default=100, help="pages opened and closed")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512, 1024], help="[pixels]")
    parser.add_argument("--seconds", type=float, default=30.0, help="of sampling at once")
    asked = parser.parse_args()
    # What was on its way to a page that is closed is lost, as it must be.
    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)
    server = Served()
    found = {
        "at_once": at_once(server, asked.sessions, asked.seconds),
        "visits": visits(server, asked.visits),
        "stop": [stop(name, side) for side in asked.sides for name in ("wiener", *trained())],
    }
    server.end()
    for title, rows in (
        ("Sessions at once", found["at_once"]),
        ("Visits", [found["visits"]]),
        ("Stop", found["stop"]),
    ):
        show(title, rows)
    print(json.dumps(found))


class Counted(Explorer):
    """An Explorer that is listed for as long as it lives."""

    living: ClassVar[WeakSet] = WeakSet()

    def __init__(self, *inputs: Any, **choices: Any) -> None:
        super().__init__(*inputs, **choices)
        self.living.add(self)


class Served:
    """The page on a server in a thread of its own."""

    def sweep(self) -> None:
        """End the sessions that nobody is connected to, without waiting for their time."""
        context = self.server._tornado._applications["/"]
        self.do(lambda: context._cleanup_sessions(-1))

    def __init__(self) -> None:
        app.Explorer = Counted
        self.server: Any = None
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()
        while self.server is None or not self.server.port:
            time.sleep(0.05)
        self.url = f"http://localhost:{self.server.port}/"

    def _serve(self) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        server = pn.serve(
            {"/": app.page}, port=0, show=False, start=False, verbose=False, title="load"
        )
        server.start()
        self.server = server
        server.io_loop.start()

    def do(self, call: Any) -> Any:
        """The result of `call`, made on the server's event loop."""

        async def made() -> Any:
            result = call()
            return await result if asyncio.iscoroutine(result) else result

        loop = self.server.io_loop.asyncio_loop
        return asyncio.run_coroutine_threadsafe(made(), loop).result(600)

    def end(self) -> None:
        """Stop serving."""
        self.server.io_loop.add_callback(self.server.io_loop.stop)
        self.thread.join(30)


def at_once(server: Served, count: int, seconds: float) -> list[dict]:
    """First sample [s after its Start] and share of the samples of each of `count` sessions."""
    clients = [pull_session(url=server.url) for _ in range(count)]
    explorers = list(Counted.living)
    for explorer in explorers:
        server.do(partial(explorer.state.restore, CHOICES))
        server.do(explorer.open)
    first: dict[int, float] = {}
    began = time.monotonic()
    for number, explorer in enumerate(explorers):

        def note(event: Any, number: int = number) -> None:
            if event.new is not None:
                first.setdefault(number, time.monotonic() - began)

        explorer.runner.param.watch(note, "summary")
        server.do(explorer.start)
    time.sleep(seconds)
    drawn = [explorer.runner.n for explorer in explorers]
    for explorer in explorers:
        server.do(explorer.stop)
    for client in clients:
        client.close()
    total = sum(drawn) or 1
    return [
        {"session": i, "first_sample_s": first.get(i), "samples": n, "share": n / total}
        for i, n in enumerate(drawn)
    ]


def visits(server: Served, count: int) -> dict:
    """Memory [MB] before and after `count` pages were opened and closed, and what is left."""

    def left() -> dict:
        server.sweep()
        gc.collect()
        return {
            "explorers": len(Counted.living),
            "tasks": server.do(lambda: len(asyncio.all_tasks())),
            "mb": psutil.Process().memory_info().rss / 1e6,
        }

    before = left()
    for _ in range(count):
        pull_session(url=server.url).close()
    after = left()
    return {f"{key} before → after": f"{before[key]:.0f} → {after[key]:.0f}" for key in before}


def stop(name: str, side: int) -> dict:
    """Time [s] from Stop, in the middle of a batch, until another session has its turn."""
    field = mg.simulated("nfw", mask="none", side=side)
    found: dict[str, Any] = {"sampler": name, "side": side}

    async def scene() -> None:
        runner = Runner()
        runner.start(lambda: mg.stream(sampler(name, field), field, 64, 1, seed=0), 64)
        while runner.n < 1 and runner.active:
            await asyncio.sleep(0.02)
        if runner.phase == "failed":
            found["said"] = runner.error
            return
        await asyncio.sleep(0.05)
        began = time.monotonic()
        runner.stop()
        await asyncio.wrap_future(TURNS.submit(lambda: None))
        found["seconds"] = time.monotonic() - began

    asyncio.run(scene())
    return found


def show(title: str, rows: list[dict]) -> None:
    """A table of rows with the same columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(*columns, title=title)
    for row in rows:
        values = (row.get(key, "") for key in columns)
        table.add_row(*(f"{v:.3g}" if isinstance(v, float) else str(v) for v in values))
    Console().print(table)


if __name__ == "__main__":
    main()
