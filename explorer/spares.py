"""A page built before anyone asks for it: building one takes most of the wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import panel as pn
from bokeh.document import Document
from bokeh.server import contexts
from panel.io.state import set_curdoc

QUIET = 3.0  #: after the last visitor came, before the next page is built [s]


class Spares:
    """Keeps one page ready for whoever comes next.

    A visitor who finds none, since many come at once, waits until a page is built, as without
    this. A page is built in a thread, for a session under way must not stand still.

    Args:
        build: Makes a page for the document that is current.
        quiet: How long no one must have come before one is built [s].
    """

    def __init__(self, build: Callable[[], pn.Template], *, quiet: float = QUIET) -> None:
        self._build, self._quiet = build, quiet
        self._ready: tuple[Document, pn.Template] | None = None
        self._built: WeakKeyDictionary[Document, pn.Template] = WeakKeyDictionary()
        self._due: asyncio.TimerHandle | None = None
        self._making: asyncio.Task | None = None

    @contextmanager
    def offered(self) -> Iterator[None]:
        """Let the sessions of this process begin with the page that is ready, if one is."""
        usual = contexts.Document
        contexts.Document = self.document  # Bokeh has no hook that says of which document
        try:
            yield
        finally:
            contexts.Document = usual

    def document(self) -> Document:
        """The document of a new session: one with a page in it, or an empty one."""
        ready, self._ready = self._ready, None
        self.soon()
        if ready is None:
            return Document()
        # Others may come before this session asks for its page.
        document, self._built[document] = ready
        return document

    def page(self) -> pn.Template:
        """The page of the current document: what is in it already, or a new one."""
        built = self._built.pop(pn.state.curdoc, None)
        return self._build() if built is None else built

    def soon(self) -> None:
        """Build a page once no one has come for a while."""
        if self._due is not None:
            self._due.cancel()
        loop = asyncio.get_running_loop()
        self._due = loop.call_later(self._quiet, self._begin)

    def _begin(self) -> None:
        self._due = None
        if self._ready is None and (self._making is None or self._making.done()):
            self._making = asyncio.get_running_loop().create_task(self._make())

    async def _make(self) -> None:
        self._ready = await asyncio.to_thread(self._made)

    def _made(self) -> tuple[Document, pn.Template]:
        document = Document()
        with set_curdoc(document):
            template = self._build()
            template.server_doc(document)
        return document, template
