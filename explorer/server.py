"""A server for the page: from a laptop to a public address, in one process or several."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.settings import settings
from tornado.ioloop import PeriodicCallback
from tornado.process import task_id

from explorer.app import TITLE, page
from explorer.sampling import SAMPLING
from explorer.shelf import SHELF
from explorer.spares import Spares

if TYPE_CHECKING:
    from explorer.lessons.lesson import Lesson

_LOOK = 1000  #: of a forked process for its parent [ms]


def serve(
    inputs: Iterable[str] = (),
    *,
    port: int = 0,
    address: str = "localhost",
    show: bool = False,
    lesson: Lesson | None = None,
    classroom: bool = False,
    sampling: str | None = None,
    **options: Any,
) -> None:
    """Serve the page until interrupted.

    Args:
        inputs: Files to choose from.
        port: 0 takes a free one.
        address: To listen on.
        show: Open it in the browser.
        lesson: What a page without a lesson in its link begins with.
        classroom: Samples stay for those who come to a step later, and no page takes files.
        sampling: Who draws, see :func:`massgan_core.serving.workers`; None for what the
            environment says.
        options: Of ``panel.serve``: ``num_procs``, ``websocket_origin``, ``basic_auth`` …

    Raises:
        ValueError: An unknown `sampling`, or a login without a file of passwords.
        OSError: No Dask scheduler answers, or the port is taken.
    """
    inputs = tuple(inputs)
    SAMPLING.choose(sampling)
    several = options.get("num_procs", 1) != 1
    if several:
        # The parent only waits for its children: Ctrl-C ends it without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    else:
        SAMPLING.workers()  # wrong settings are said before anyone comes
    # Bokeh would look through a page's models for faults while its visitor waits; a test looks.
    settings.perform_document_validation = False
    if classroom:
        SHELF.hold()
    spares = Spares(lambda: page(inputs, lesson=lesson, classroom=classroom))
    try:
        server = pn.serve(
            {"/": spares.page},
            port=port,
            address=address,
            show=show and not several,
            start=False,
            title=TITLE,
            verbose=False,
            liveness=True,
            **_login(options),
        )
        if not task_id():
            at = f"http://{address}:{server.port}{server.prefix}/"
            print(f"MassGAN explorer at {at}  (Ctrl+C ends it)", flush=True)
        _run(server, spares)
    finally:
        SAMPLING.end()


def _run(server: Any, spares: Spares) -> None:
    loop = server.io_loop
    # Ended like this, too, it leaves no session's folder of uploads behind.
    with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
        loop.asyncio_loop.add_signal_handler(signal.SIGTERM, loop.stop)
    if task_id() is not None:
        parent = os.getppid()
        PeriodicCallback(lambda: os.getppid() == parent or loop.stop(), _LOOK).start()
    server.start()
    loop.add_callback(spares.soon)
    with spares.offered():
        loop.start()


def _login(options: dict[str, Any]) -> dict[str, Any]:
    """`options`, with what a login needs besides."""
    if not options.get("basic_auth"):
        return options
    if not os.path.isfile(options["basic_auth"]):
        raise ValueError(
            "`basic-auth` must be a JSON file of names and passwords, got "
            f"{options['basic_auth']!r}, which is no file"
        )
    if options.get("cookie_secret") or pn.config.cookie_secret:
        return options
    # Made before any fork, so that all processes know those who have logged in.
    return {**options, "cookie_secret": secrets.token_urlsafe(32)}
