"""A page that is ready before its visitor: used once, his choices and all."""

from __future__ import annotations

import asyncio

import panel as pn
import pytest
from bokeh.client import pull_session
from bokeh.document import Document
from bokeh.server import contexts
from panel.io.state import set_curdoc

from explorer import app
from explorer.spares import Spares


class Template:
    """Counts how many were made, and of which documents."""

    made: list[Template]

    def __init__(self) -> None:
        self.document: Document | None = None
        self.made.append(self)

    def server_doc(self, document: Document) -> None:
        self.document = document


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Template]:
    monkeypatch.setattr(Template, "made", [], raising=False)
    return Template.made


async def _built(spares: Spares) -> None:
    spares.soon()
    while spares._ready is None:
        await asyncio.sleep(0.01)


def test_a_spare_is_handed_out_once(made: list[Template]) -> None:
    async def scene() -> None:
        spares = Spares(Template, quiet=0.0)
        await _built(spares)
        document = spares.document()
        with set_curdoc(document):
            assert spares.page() is made[0] and made[0].document is document
        again = Document()
        with set_curdoc(again):
            assert spares.page() is made[1] and made[1].document is None
        await _built(spares)
        assert spares.document() is made[2].document is not document

    asyncio.run(scene())


def test_who_comes_when_none_is_ready_gets_an_empty_document(made: list[Template]) -> None:
    async def scene() -> None:
        spares = Spares(Template, quiet=60.0)
        document = spares.document()
        assert not document.roots and not made
        with set_curdoc(document):
            assert spares.page() is made[0]

    asyncio.run(scene())


def test_a_spare_stays_with_its_session_when_others_come_between(made: list[Template]) -> None:
    """Bokeh awaits between making a document and asking for its page."""

    async def scene() -> None:
        spares = Spares(Template, quiet=0.0)
        await _built(spares)
        first = spares.document()
        second = spares.document()
        with set_curdoc(second):
            assert spares.page() is made[1]
        with set_curdoc(first):
            assert spares.page() is made[0] and made[0].document is first

    asyncio.run(scene())


def test_everyone_who_comes_puts_it_off(made: list[Template]) -> None:
    async def scene() -> None:
        spares, due = Spares(Template, quiet=60.0), []
        for _ in range(3):
            spares.document()
            due.append(spares._due)
        assert [handle.cancelled() for handle in due] == [True, True, False]
        assert not made
        due[-1].cancel()

    asyncio.run(scene())


def test_bokeh_has_its_documents_back_at_the_end() -> None:
    usual, spares = contexts.Document, Spares(Template)
    with spares.offered():
        assert contexts.Document == spares.document
    assert contexts.Document is usual


def _visit(address: str, **link: str) -> int:
    """A browser's place taken by Bokeh's client; how many roots the page has."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    session = pull_session(url=address, arguments={"version": "1", **link})
    roots = len(session.document.roots)
    session.close()
    return roots


def test_a_page_built_beforehand_follows_the_visitors_link() -> None:
    """Over a real server: the spare's choices are those of the address that was asked."""

    async def scene() -> None:
        spares = Spares(app.page, quiet=0.0)
        built: list[pn.Template] = []

        def page() -> pn.Template:
            built.append(spares.page())
            return built[-1]

        server = pn.serve({"/": page}, port=0, show=False, start=False, threaded=False)
        server.start()
        try:
            await _built(spares)
            ready = spares._ready[1]
            with spares.offered():
                address = f"http://localhost:{server.port}/"
                roots = await asyncio.to_thread(_visit, address, source="simulated", n="7")
            state = ready.explorer.state
            assert built == [ready]
            assert (state.source, state.n) == ("simulated", 7)
            assert roots == 2
            with set_curdoc(ready._documents[0]):
                assert "source=simulated" in pn.state.location.search
                state.seed = 9
                assert "seed=9" in pn.state.location.search
        finally:
            server.stop()

    asyncio.run(scene())
