"""The card: what is exported is what is shown; closed while there is nothing."""

from __future__ import annotations

import asyncio
import io
import json
from html import escape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from explorer import Explorer, printing, session, store
from explorer.state import State
from explorer.views.page import Page
from explorer.views.takeaway import MAPS, NO_CIRCLES, PRINTS, WAITING, TakeAway

NFW = {"source": "simulated", "kind": "nfw", "depth": 30.0, "outline": "none"}
PART = {"source": "cosmos", "region": (150.1, 2.25, 20.0, 20.0)}
FILES = (*MAPS, *PRINTS)


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> Explorer:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    return Explorer(**NFW, n=3, batch=2, seed=3, sampler="wiener", smoothing=1.5)


@pytest.fixture
def page(explorer: Explorer) -> Page:
    return Page(explorer)


@pytest.fixture
def card(page: Page, monkeypatch: pytest.MonkeyPatch) -> TakeAway:
    """With what would go to the browser in `card.sent`."""
    one = page.takeaway
    one.sent = []
    monkeypatch.setattr(one.outbox, "_send_msg", one.sent.append)
    return one


@pytest.fixture
def alone(explorer: Explorer) -> TakeAway:
    """A card without maps: enough for sessions, and made in no time."""
    one = TakeAway(explorer, SimpleNamespace(summary=None), lambda call: call())
    one.sent = []
    one.outbox._send_msg = one.sent.append
    return one


async def _settle(explorer: Explorer) -> None:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks, return_exceptions=True)


def _press(explorer: Explorer, card: TakeAway, *names: str, before: Any = None) -> None:
    """Draw samples, then press buttons one after the other."""

    async def scene() -> None:
        if explorer.runner.summary is None:
            await explorer.open()
            explorer.start()
            await explorer.runner._task
        if before is not None:
            before()
        for name in names:
            card.buttons[name].param.trigger("clicks")
            await _settle(explorer)

    asyncio.run(scene())


def _load(card: TakeAway, text: Any) -> None:
    card._on_session(SimpleNamespace(data=text))


def test_closed_while_there_is_nothing_and_it_says_why(card: TakeAway, explorer: Explorer) -> None:
    assert all(card.buttons[name].disabled for name in (*FILES, "DS9 regions"))
    asyncio.run(explorer.open())
    assert all(card.buttons[name].disabled for name in FILES)
    assert WAITING in card._samples.object and WAITING in card._prints.object
    assert NO_CIRCLES in card._circles.object and card.buttons["DS9 regions"].disabled
    for name in (*FILES, "DS9 regions"):  # a press that was under way
        card.buttons[name].param.trigger("clicks")
    assert card.sent == []
    _press(explorer, card)
    assert not any(card.buttons[name].disabled for name in FILES)
    assert WAITING not in card._samples.object + card._prints.object


def test_each_button_hands_over_a_file(card: TakeAway, explorer: Explorer) -> None:
    _press(explorer, card, *FILES)
    names = [sent["name"] for sent in card.sent]
    stem = "small-wiener-n3-seed3"
    assert names == [f"{stem}.{end}" for end in ("fits", "nc", "zarr.zip", "png", "svg")]
    starts = (b"SIMPLE", b"\x89HDF", b"PK", b"\x89PNG", b"<?xml")
    for sent, start in zip(card.sent, starts, strict=True):
        assert sent["data"].startswith(start)
    assert f"{stem}.svg" in card._words.object and explorer.alert == ""


def test_what_is_shown_is_exported_not_what_was_chosen_since(
    card: TakeAway, explorer: Explorer
) -> None:
    shown: dict[str, Any] = {}

    def choose() -> None:
        explorer.state.param.objects()["sampler"].objects = ["wiener", "gan:other"]
        shown["summary"] = explorer.runner.summary
        explorer.state.param.update(sampler="gan:other", n=99, seed=98, batch=1)

    _press(explorer, card, "FITS", before=choose)
    (sent,) = card.sent
    assert sent["name"] == "small-wiener-n3-seed3.fits"
    with fits.open(io.BytesIO(sent["data"])) as hdus:
        header = hdus[0].header
        assert (header["METHOD"], header["NSAMP"], header["SEED"]) == ("wiener", 3, 3)
        np.testing.assert_array_equal(hdus["MEAN"].data, shown["summary"].mean.numpy())
        np.testing.assert_array_equal(hdus["STD"].data, shown["summary"].std.numpy())


def test_the_picture_has_the_maps_of_the_page(
    card: TakeAway, page: Page, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list = []
    monkeypatch.setattr(
        printing, "picture", lambda ending, panels, *_: got.append(panels) or b"some"
    )

    def choose() -> None:
        explorer.state.param.update(
            pictures=["mean", "std", "truth", "low"], limit=0.2, theme="dark", colors="fire"
        )
        page.maps.player.value = 1

    _press(explorer, card, "PNG", before=choose)
    (panels,) = got
    assert [panel.title for panel in panels] == ["Truth", "Mean", "Uncertainty"]
    summary = explorer.runner.summary
    np.testing.assert_array_equal(panels[1].image, summary.mean.numpy())
    assert panels[1].limits == (-0.2, 0.2) and panels[1].small == "of 3 samples"
    assert panels[2].limits == page.maps.maps["std"].limits and panels[2].unit == "std of κ"
    assert panels[1].colors != page.maps.maps["mean"].mapper.palette[:1]
    assert panels[2].colors[0] == "#f8f5fc"  # the light page's, for white paper


def test_one_file_at_a_time_and_a_failure_is_a_sentence(
    card: TakeAway, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "small-x.fits files need a library <b>"
    states: list = []

    def fails(run: Any) -> bytes:
        states.append([card.buttons[name].disabled for name in FILES])
        states.append(card._words.object)
        raise ValueError(said)

    monkeypatch.setitem(MAPS, "NetCDF", (fails, "nc", ""))
    _press(explorer, card, "NetCDF")
    assert states[0] == [True] * len(FILES) and "Writing NetCDF" in states[1]
    assert explorer.alert == said and "library &lt;b&gt;" in card._words.object
    assert card.sent == [] and not card.buttons["FITS"].disabled
    _press(explorer, card, "FITS")
    assert len(card.sent) == 1 and explorer.alert == ""


def test_regions_of_a_real_field_need_no_samples() -> None:
    explorer = Explorer(**PART, sampler="wiener")
    card = TakeAway(explorer, SimpleNamespace(summary=None), lambda call: call())
    sent: list = []
    card.outbox._send_msg = sent.append
    asyncio.run(explorer.open())
    card.update()
    explorer.state.cluster = str(explorer.store.circles.name[0])
    assert not card.buttons["DS9 regions"].disabled and NO_CIRCLES not in card._circles.object
    card.buttons["DS9 regions"].param.trigger("clicks")
    (file,) = sent
    lines = file["data"].decode().splitlines()
    assert file["name"] == "COSMOS-clusters.reg"
    assert sum(line.startswith("circle(") for line in lines) == len(explorer.store.circles.name)
    (marked,) = (line for line in lines if "{chosen}" in line)
    assert explorer.state.cluster in marked


def test_session_out_and_back(alone: TakeAway, explorer: Explorer) -> None:
    explorer.state.param.update(n=17, kind="gaussian", pictures=["mean"], theme="dark")
    alone.buttons["Save session"].param.trigger("clicks")
    (file,) = alone.sent
    assert file["name"] == "massgan-session.json"
    kept = {name: getattr(explorer.state, name) for name in State.names()}
    explorer.state.param.update(n=3, kind="nfw", pictures=["std"], theme="light")
    _load(alone, file["data"].decode())
    assert {name: getattr(explorer.state, name) for name in State.names()} == kept
    assert explorer.alert == "" and "taken" in alone._words.object


def test_a_session_opens_its_field_once_and_says_afterwards_what_it_left_out(
    alone: TakeAway, explorer: Explorer, monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    asked: list = []
    monkeypatch.setattr(store, "read", lambda choice: asked.append(choice) or small_field)
    choices = {"kind": "gaussian", "sky_seed": 4, "outline": "cosmos", "seed": -1, "n": 8}

    async def scene() -> None:
        await explorer.open()
        _load(alone, json.dumps({"version": 1, "choices": choices}))
        await _settle(explorer)
        assert "`seed` of the session" in explorer.alert
        explorer.state.sky_seed = 5
        await _settle(explorer)

    asyncio.run(scene())
    assert [choice[1:3] for choice in asked] == [("nfw", 0), ("gaussian", 4), ("gaussian", 5)]
    assert explorer.state.n == 8 and explorer.alert == ""  # of the last field nothing is said


def test_what_is_no_session_is_an_alert_and_changes_nothing(
    alone: TakeAway, explorer: Explorer
) -> None:
    before = explorer.state.param.values()
    for text in ("no JSON", None, 3, ["x"], {"a": 1}, " " * (session.LONGEST + 1), "{}"):
        explorer.alert = ""
        _load(alone, text)
        assert "session" in explorer.alert and escape(explorer.alert) in alone._words.object
    assert explorer.state.param.values() == before
