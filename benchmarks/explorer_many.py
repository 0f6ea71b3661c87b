"""Many browsers at one server, by who draws: this process, other processes, a Dask cluster.

    python benchmarks/explorer_many.py --sessions 50 --seconds 12 --write

For each of here, processes:1, processes:2 and a local Dask cluster of two workers a server is
started in a process of its own, and Bokeh clients connect to it over web sockets: they pull the
page, say that it is drawn, press Start at once, and acknowledge each frame as a browser does.
Everyone draws COSMOS with the bundled network, each from another seed (nothing is shared), then
all from one (everything is). `--write` puts the table into docs/howto/deploy.md.

Ratios within one run count: a loaded machine slows all of it. It says how long it took.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

import psutil
from bokeh.client import ClientSession, pull_session
from bokeh.document import Document
from bokeh.events import ButtonClick, DocumentReady
from bokeh.models import Spinner
from tornado.ioloop import IOLoop

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "howto" / "deploy.md"
BEGIN, END = "<!-- benchmarks/explorer_many.py -->", "<!-- end of the table -->"
SETTINGS = ("here", "processes:1", "processes:2", "dask")
WORKERS = 2  #: of the Dask cluster
BEAT = 0.02  #: of the server's event loop, whose lateness is its lag [s]
PATIENCE = 240.0  #: for a page to be ready, or to have its first sample [s]
_STATE = re.compile(r"data-state=(?:&quot;|\")(\w+)")
_NUMBER = re.compile(r"data-n=(?:&quot;|\")(\d+)")


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=50, help="browsers")
    parser.add_argument("--seconds", type=float, default=12.0, help="of sampling, at least")
    parser.add_argument("--batch", type=int, default=2, help="samples a network call")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, help="who draws")
    parser.add_argument("--write", action="store_true", help=f"the table into {PAGE.name}")
    parser.add_argument("--serve", metavar="SETTING", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.serve)
    # One page here, too: a client must know the kinds of models that a page holds.
    import_module("explorer.app").page().server_doc(Document())
    began, rows = time.monotonic(), []
    for setting in asked.settings:
        rows += measured(setting, asked.sessions, asked.seconds, asked.batch)
        print(json.dumps(rows[-2:]), flush=True)
    block = table(rows, asked)
    print(block, f"\n{time.monotonic() - began:.0f} s in all", sep="\n")
    if asked.write:
        put = import_module("readme_table").written
        PAGE.write_text(put(PAGE.read_text("utf-8"), block, BEGIN, END), "utf-8")


def measured(setting: str, sessions: int, seconds: float, batch: int) -> list[dict[str, Any]]:
    """A row for own seeds, and one for a common seed."""
    found = []
    with workers(setting) as (told, others), server(told) as (url, process):
        loop = IOLoop()
        browsers = [Browser(url, loop, batch, seed=1000)]
        run(loop, lambda: browsers[0].state == "idle")
        one = memory([process])  # with what all of them share
        for number in range(1, sessions):
            browsers.append(Browser(url, loop, batch, seed=1000 + number))
        run(loop, lambda: all(browser.state == "idle" for browser in browsers))
        ready = memory([process])
        for shared in (False, True):
            if shared:
                for browser in browsers:
                    browser.send("seed", 5)
                run(loop, lambda: False, 2.0)
            lag(url)
            began = time.monotonic()
            for browser in browsers:
                browser.start()
            run(loop, lambda: False, seconds)
            run(loop, lambda: all(browser.has_sample for browser in browsers))
            late, took = lag(url), time.monotonic() - began
            drawn = sum(browser.n for browser in browsers)
            for browser in browsers:
                browser.stop()
            run(loop, lambda: all(browser.done for browser in browsers), 20.0)
            firsts = sorted(browser.first for browser in browsers)
            found.append(
                {
                    "setting": setting,
                    "shared": shared,
                    "first_median": median(firsts),
                    "first_95": firsts[int(0.95 * (len(firsts) - 1))],
                    "samples_per_s": drawn / took,
                    "lag_median": late["median"],
                    "lag_95": late["95"],
                    "lag_max": late["max"],
                    "mb_session": (ready - one) / max(1, sessions - 1),
                    "mb_server": memory([process]),
                    "mb_workers": memory([*process.children(recursive=True), *others]),
                }
            )
        for browser in browsers:
            browser.session.close()
    return found


class Browser:
    """A Bokeh client that does what the page does in a browser.

    Args:
        url: Of the page.
        loop: That all of them share.
        batch: Samples a network call.
        seed: Of the samples.
    """

    def __init__(self, url: str, loop: IOLoop, batch: int, seed: int) -> None:
        choices = {"version": "1", "n": "1024", "batch": str(batch), "seed": str(seed)}
        self.session: ClientSession = pull_session(url=url, io_loop=loop, arguments=choices)
        self.document, self.state, self.n = self.session.document, "", 0
        self.began = self.first = float("nan")
        models = list(self.document.models)
        # The frame that was sent, and the frame the page has.
        links = [m for m in models if isinstance(m, Spinner) and m.js_property_callbacks]
        ((sent, seen),) = [
            (model, call.args["seen"])
            for model in links
            for calls in model.js_property_callbacks.values()
            for call in calls
            if "seen" in getattr(call, "args", {})
        ]
        sent.on_change("value", lambda attr, old, new: seen.update(value=new))
        self._models = models
        self._buttons = {getattr(model, "label", None): model for model in models}
        self._read([model.text for model in models if _is_text(model)])
        self.document.on_change(self._on_change)
        self._send(DocumentReady())
        loop.add_callback(self._listen)

    async def _listen(self) -> None:
        """Take in what comes, whenever the loop runs; Bokeh's own way nests deeper each time."""
        while (message := await self.session._connection._pop_message()) is not None:
            if message.msgtype == "PATCH-DOC":
                self.session._handle_patch(message)

    @property
    def done(self) -> bool:
        """Nothing is drawn any more."""
        return self.state not in ("running", "opening")

    @property
    def has_sample(self) -> bool:
        """The first sample has come."""
        return self.first == self.first

    def send(self, name: str, value: Any) -> None:
        """Set the widget whose title is `name`."""
        (model,) = [m for m in self._models if _title(m) == name and hasattr(m, "value")]
        model.value = value

    def start(self) -> None:
        """Press Start."""
        self.n, self.first, self.began = 0, float("nan"), time.monotonic()
        self._press("Start")

    def stop(self) -> None:
        """Press Stop."""
        self._press("Stop")

    def _press(self, label: str) -> None:
        self._send(ButtonClick(self._buttons[label]))

    def _send(self, event: Any) -> None:
        self.document.callbacks.send_event(event)

    def _on_change(self, event: Any) -> None:
        if getattr(event, "attr", "") == "text" and _is_text(event.model):
            self._read([event.new])

    def _read(self, texts: list[str]) -> None:
        for text in texts:
            state, number = _STATE.search(text), _NUMBER.search(text)
            if state is None or number is None:
                continue
            self.state, n = state[1], int(number[1])
            if self.began == self.began and n and self.first != self.first:
                self.first = time.monotonic() - self.began
            self.n = max(self.n, n) if self.state == "running" else self.n


def _is_text(model: Any) -> bool:
    return isinstance(getattr(model, "text", None), str)


def _title(model: Any) -> str:
    return str(getattr(model, "title", None) or getattr(model, "label", None) or "").lower()


def run(loop: IOLoop, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Run the clients until something holds, or for a while."""
    end = time.monotonic() + seconds

    def look() -> None:
        if holds() or time.monotonic() > end:
            loop.stop()
        else:
            loop.call_later(0.05, look)

    loop.add_callback(look)
    loop.start()


def table(rows: list[dict[str, Any]], asked: argparse.Namespace) -> str:
    """Sentence and Markdown table."""
    lines = [
        f"{asked.sessions} browsers at one server on {os.cpu_count()} cores, COSMOS with the "
        f"bundled network, {asked.batch} samples a call, {asked.seconds:g} s or more of sampling. "
        "Seconds to the first sample and lag of the server's event loop: median / 95th "
        "percentile; memory as proportional set size.",
        "",
        "| who draws | seeds | first sample [s] | samples shown a second, all | lag [ms] "
        "| server [MB] | of it a session [MB] | workers [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        name = f"dask, {WORKERS} workers" if row["setting"] == "dask" else row["setting"]
        lines.append(
            f"| {name} | {'one' if row['shared'] else 'each its own'} "
            f"| {row['first_median']:.1f} / {row['first_95']:.1f} | {row['samples_per_s']:.1f} "
            f"| {1e3 * row['lag_median']:.0f} / {1e3 * row['lag_95']:.0f} "
            f"| {row['mb_server']:.0f} | {row['mb_session']:.1f} | {row['mb_workers']:.0f} |"
        )
    return "\n".join(lines)


def memory(processes: list[psutil.Process]) -> float:
    """Of processes together, what they share counted once [MB]."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 1e6


def lag(url: str) -> dict[str, float]:
    """How late the server's event loop was since the last call [s]."""
    with urlopen(f"{url}lag") as answer:
        return json.load(answer)


@contextmanager
def workers(setting: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The setting as the server is told it, and processes that belong to it."""
    if setting != "dask":
        yield setting, []
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        yield f"dask:{cluster.scheduler_address}", [psutil.Process(pid) for pid in pids]


@contextmanager
def server(setting: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server in a process of its own."""
    command = [sys.executable, __file__, "--serve", setting]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        url = next(word for word in process.stdout.readline().split() if "://" in word)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def serve(setting: str) -> None:
    """What the process of :func:`server` does."""
    import asyncio
    import logging

    from tornado.web import RequestHandler

    from explorer.server import serve as explorer

    late: list[float] = []
    beating: list[asyncio.Task] = []

    async def beat() -> None:
        while True:
            due = time.monotonic() + BEAT
            await asyncio.sleep(BEAT)
            late.append(time.monotonic() - due)

    class Lag(RequestHandler):
        def get(self) -> None:
            if not beating:
                beating.append(asyncio.get_running_loop().create_task(beat()))
            found = sorted(late) or [0.0]
            late.clear()
            at = {"median": 0.5, "95": 0.95, "max": 1.0}
            self.write({name: found[int(p * (len(found) - 1))] for name, p in at.items()})

    logging.getLogger("bokeh").setLevel(logging.ERROR)
    explorer(sampling=setting, extra_patterns=[("/lag", Lag)])


if __name__ == "__main__":
    main()
