"""A server, a browser, and what a test reads from a page. Never a wait for a duration."""

from __future__ import annotations

import base64
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PATIENCE = 180_000  #: of the browser [ms]; a loaded machine is slow, not wrong
#: Threads of torch in the server and, to compare bit for bit, in the test.
THREADS = 1  # a loaded machine waits long for a second one

# The arrays behind a picture, straight from the document in the browser, as base64.
_READ = """name => {
  const source = Bokeh.documents[0].get_model_by_name(name)
  const image = source.data.image[0]
  if (image == null) return null
  const bytes = new Uint8Array(image.buffer, image.byteOffset, image.byteLength)
  let text = ""
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768))
  return {dtype: image.dtype, shape: image.shape, data: btoa(text),
          x: source.data.x[0], y: source.data.y[0], dw: source.data.dw[0], dh: source.data.dh[0]}
}"""


SAID: list[str] = []  #: all that the servers of this run printed


class Tab:
    """One browser tab with the explorer in it."""

    patience = PATIENCE

    def __init__(self, page: Page) -> None:
        self.page, self.requests, self.errors = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, url: str) -> Tab:
        """Load the page and wait until its field is there."""
        self.page.goto(url, timeout=PATIENCE)
        return self.wait('[data-state="idle"]')

    def wait(self, attributes: str) -> Tab:
        """Wait until the progress line has these attributes."""
        self.page.wait_for_selector(f"#massgan-status{attributes}", timeout=PATIENCE)
        return self

    def status(self) -> dict[str, str]:
        """The data attributes of the progress line."""
        line = self.page.locator("#massgan-status")
        return line.evaluate("node => ({...node.dataset})")

    def n(self) -> int:
        """Samples shown."""
        return int(self.status()["n"])

    def press(self, label: str) -> Tab:
        """Press a button."""
        self.page.get_by_role("button", name=label, exact=True).click()
        return self

    def picture(self, name: str) -> dict[str, Any]:
        """The image of a map and its place on the axes."""
        read = self.page.evaluate(_READ, f"map-{name}")
        assert read is not None, f"map {name} shows nothing"
        dtype = np.dtype(read["dtype"])
        flat = np.frombuffer(base64.b64decode(read["data"]), dtype)
        return {**read, "image": flat.reshape(read["shape"])}

    def image(self, name: str) -> np.ndarray:
        """The array behind a map."""
        return self.picture(name)["image"]


@pytest.fixture(scope="session")
def serve(root: Path) -> Iterator[Callable[..., str]]:
    """Starts servers: `serve(*command, cwd=)` gives the address it prints."""
    running: list[subprocess.Popen] = []
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(THREADS),
    }

    def start(*command: str, cwd: Path = root) -> str:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        running.append(process)
        SAID.append(f"$ {' '.join(command)}")
        for line in process.stdout:
            SAID.append(line.rstrip())
            address = re.search(r"http://[\w.]+:\d+\S*", line)
            if address:
                _drain(process)
                return address.group()
        raise AssertionError("\n".join(["the server ended before it said where it is:", *SAID]))

    start.processes = running
    yield start
    for process in running:
        _end(process)


def _end_with_parent() -> None:
    """Ask the kernel to end this server should the tests be killed."""
    set_signal_on_parents_death = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(set_signal_on_parents_death, signal.SIGTERM)


def _drain(process: subprocess.Popen) -> None:
    """Keep reading, so that a full pipe never holds the server up."""
    Thread(target=lambda: SAID.extend(map(str.rstrip, process.stdout)), daemon=True).start()


def _end(process: subprocess.Popen) -> None:
    # The server and its forks are one process group.
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=15)
            process.stdout.close()
            return
        except ProcessLookupError:
            process.stdout.close()
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def address(serve: Callable[..., str]) -> str:
    """An explorer for the journeys, as `python -m explorer` serves it."""
    return serve("-m", "explorer", "--port", "0", "--no-show")


@pytest.fixture(scope="session")
def laboratory(serve: Callable[..., str]) -> Callable[[Path], str]:
    """Starts a JupyterLab on a folder: ``laboratory(folder)`` gives the address of its files."""

    def start(folder: Path) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = serve(
            *("-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
            f"--ServerApp.port={port}",
            f"--ServerApp.root_dir={folder}",
            "--IdentityProvider.token=",
            f"--NotebookNotary.data_dir={folder}",
            f"--LabApp.user_settings_dir={folder}/settings",
            f"--LabApp.workspaces_dir={folder}/workspaces",
        )
        at = urlsplit(address)
        _await(at.hostname, at.port)  # it says where it is before it listens
        return f"{at.scheme}://{at.netloc}/lab/tree"

    return start


def _await(host: str, port: int) -> None:
    """Until someone listens."""
    for _ in range(600):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"nothing listens on {host}:{port}")


# Not longer than a module: while it lives the thread has a running event loop, and the next
# file that this worker takes on could not use asyncio.run.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def new_tab(
    browser: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Tab]]:
    """Opens tabs in fresh contexts; after a failure leaves a picture of each."""
    contexts: list = []

    def make() -> Tab:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
        )
        tab = Tab(context.new_page())
        contexts.append((context, tab))
        return tab

    yield make
    for number, (context, tab) in enumerate(contexts):
        if getattr(request.node, "failed", False) and not tab.page.is_closed():
            tab.page.screenshot(path=str(tmp_path / f"tab{number}.png"), full_page=True)
            print(f"see {tmp_path}/tab{number}.png; errors: {tab.errors}")
        context.close()
    if getattr(request.node, "failed", False):
        print("the servers said:", *SAID, sep="\n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture
def tab(new_tab: Callable[[], Tab]) -> Tab:
    return new_tab()


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Bit-for-bit comparison needs the server's number of threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)
