"""The page without a browser: what it sends, when, and what it says."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document

import massgan_core as mg
from explorer import Explorer, store
from explorer.views.page import Page
from explorer.widgets.keys import KEYS


@pytest.fixture
def page(explorer: Explorer) -> Page:
    return Page(explorer)


def _data(page: Page) -> dict[str, str]:
    return dict(re.findall(r'data-(\w+)="([^"]*)"', page.status.object))


def _sample(explorer: Explorer) -> None:
    async def scene() -> None:
        if explorer.store.field is None:
            await explorer.open()
        explorer.start()
        await explorer.runner._task

    asyncio.run(scene())


def test_a_new_page_asks_for_a_field(page: Page) -> None:
    assert _data(page) == {"state": "empty", "n": "0", "total": "0", "frame": "0"}
    assert page.sidebar.start.disabled and page.sidebar.stop.disabled


def test_open_field_is_ready_to_start(page: Page, explorer: Explorer) -> None:
    asyncio.run(explorer.open())
    assert _data(page)["state"] == "idle"
    assert not page.sidebar.start.disabled and page.sidebar.pause.disabled
    assert "small" in page.sidebar.field_words.object
    assert "Gaussian" in page.sidebar.sampler_words.object


def test_finished_run_shows_the_exact_stream(page: Page, explorer: Explorer) -> None:
    _sample(explorer)
    data = _data(page)
    assert (data["state"], data["n"], data["total"]) == ("finished", "4", "4")
    assert int(data["frame"]) >= 1
    field = explorer.store.field
    *_, summary = mg.stream(mg.sampler("wiener", field), field, 4, 2, seed=3)
    for name, expected in (
        ("mean", summary.mean),
        ("std", summary.std),
        ("sample", summary.samples[-1]),
    ):
        (image,) = page.maps.maps[name].source.data["image"]
        np.testing.assert_array_equal(image, expected.numpy())


def test_next_live_frame_waits_for_the_page(
    page: Page, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(explorer.open())
    # As if a browser showed the page: it has to say what it has seen.
    page.layout._models["ref"] = (None, None)
    monkeypatch.setattr("explorer.views.page.push_on_root", lambda ref: None)
    runner, field = explorer.runner, explorer.store.field
    summaries = list(mg.stream(mg.sampler("wiener", field), field, 6, 1, seed=3))
    runner.param.update(phase="running", total=6)
    start = page.frame
    runner.summary = summaries[0]
    assert page.frame == start + 1 and page.sent.value == page.frame
    runner.summary = summaries[1]
    runner.summary = summaries[2]
    assert page.frame == start + 1  # not seen yet: nothing more is sent
    page.seen.value = page.frame
    assert page.frame == start + 2  # the latest, not the one that was skipped
    assert _data(page)["n"] == "3"
    runner.param.update(summary=summaries[3], phase="paused")
    assert page.frame == start + 3 and _data(page)["n"] == "4"  # at rest: sent in any case
    (image,) = page.maps.maps["mean"].source.data["image"]
    np.testing.assert_array_equal(image, summaries[3].mean.numpy())
    del page.layout._models["ref"]


def test_buttons_follow_the_run(page: Page, explorer: Explorer) -> None:
    asyncio.run(explorer.open())
    runner, side = explorer.runner, page.sidebar
    runner.param.update(phase="running", total=4)
    assert side.start.disabled and not side.pause.disabled and side.pause.label == "Pause"
    runner.phase = "paused"
    assert side.pause.label == "Go on" and not side.stop.disabled
    runner.phase = "stopped"
    assert side.start.label == "Start again" and side.stop.disabled


def test_failure_is_an_alert_and_the_page_goes_on(
    page: Page, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "`mask` must hold at least one observed pixel, got <none>"

    def fails(choice: tuple) -> None:
        raise ValueError(said)

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", fails)
        asyncio.run(explorer.open())
    assert explorer.alert == said and page.alert.visible
    assert "got &lt;none&gt;" in page.alert.object
    assert _data(page)["state"] == "empty" and page.sidebar.start.disabled
    _sample(explorer)
    assert _data(page)["state"] == "finished" and not page.alert.visible


def test_sampler_that_fails_is_an_alert_too(
    page: Page, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(name: str, field: Any) -> None:
        raise KeyError("unknown checkpoint 'x'; known: default")

    asyncio.run(explorer.open())
    with monkeypatch.context() as patch:
        patch.setattr(store, "sampler", fails)
        _sample(explorer)
    assert _data(page)["state"] == "failed"
    assert explorer.alert == "unknown checkpoint 'x'; known: default"
    _sample(explorer)
    assert _data(page)["state"] == "finished" and explorer.alert == ""


def test_theme_is_one_class(page: Page, explorer: Explorer) -> None:
    explorer.state.theme = "dark"
    assert "mg-dark" in page.layout.css_classes and page.theme.label == "Light"
    page.theme.param.trigger("clicks")
    assert explorer.state.theme == "light" and "mg-light" in page.layout.css_classes


def test_two_pages_of_one_explorer_show_the_same(page: Page, explorer: Explorer) -> None:
    other = Page(explorer)
    _sample(explorer)
    for one in (page, other):
        assert _data(one)["n"] == "4"
    images = [one.maps.maps["mean"].source.data["image"][0] for one in (page, other)]
    np.testing.assert_array_equal(*images)


def test_closed_page_hears_nothing_more(page: Page, explorer: Explorer) -> None:
    before = page.status.object
    page.close()
    asyncio.run(explorer.open())
    assert page.status.object == before


def test_notebook_gets_its_frames_over_the_comm(page: Page, explorer: Explorer) -> None:
    """There is no server in a notebook: changes of Bokeh's models must be pushed by hand."""
    import panel as pn
    from panel.io.model import add_to_doc

    sent: list = []

    class Recorder:
        id, _comm = "recorder", True  # open

        def send(self, data: Any = None, metadata: Any = None, buffers: Any = ()) -> None:
            sent.append((str(data), len(buffers or ())))

    document, comm = Document(), Recorder()
    root = page.layout.get_root(document, comm)
    add_to_doc(root, document, hold=True)
    pn.state._views[root.ref["id"]] = (page.layout, root, document, comm)
    asyncio.run(explorer.open())
    assert sent == []  # the browser has made no view yet: it would be lost
    page.arrival._process_events({"views": 1})
    source = page.maps.maps["ks"].source
    assert any(source.id in data for data, _ in sent)
    sent.clear()
    _sample(explorer)
    source = page.maps.maps["mean"].source
    assert any(source.id in data for data, _ in sent)
    assert any("finished" in data for data, _ in sent)
    pn.state._views.pop(root.ref["id"])


def test_ready_is_not_said_before_the_pictures_are_there(
    page: Page, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server every change waits for the document's next tick, in order."""
    ticks: list = []
    page.document = Document()
    monkeypatch.setattr(page.document, "add_next_tick_callback", ticks.append)
    asyncio.run(explorer.open())
    states = []
    while ticks:
        ticks.pop(0)()
        pictures = len(page.maps.maps["ks"].source.data["image"])
        states.append((_data(page)["state"], pictures))
    assert ("idle", 1) in states and ("idle", 0) not in states


def test_keys_do_what_the_sheet_says(page: Page, explorer: Explorer) -> None:
    assert page.keys is None  # no document: a notebook has keys of its own

    async def scene() -> None:
        await explorer.open()
        page.press(" ")
        assert explorer.phase == "running"
        page.press(" ")
        assert explorer.phase == "paused"
        page.press(" ")
        assert explorer.phase == "running"
        await explorer.runner._task
        assert explorer.phase == "finished"
        page.press("n")
        assert page.maps.player.value == 1  # around the end
        page.press("p")
        assert page.maps.player.value == 4
        page.press(" ")
        page.press("?")
        assert page.help.visible
        page.press("Escape")
        assert not page.help.visible and explorer.phase == "running"
        page.press("Escape")
        assert explorer.phase == "stopped"
        page.press("d")
        assert explorer.state.theme == "dark"

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_every_key_has_its_words(page: Page) -> None:
    (sheet,) = page.help
    for name, what in KEYS.values():
        assert f"<kbd>{name}</kbd></dt><dd>{what}" in sheet.object
