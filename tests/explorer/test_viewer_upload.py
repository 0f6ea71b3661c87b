"""An upload on the page: a field like any other, of this session alone, in no link."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import panel as pn
import pytest
from panel.viewable import Viewer

import massgan_core as mg
from explorer import Explorer
from explorer.uploads.uploads import Plan

CALL = {"columns": {"ra": "A", "weight": ""}, "center": (150.0, 2.0), "flip_e2": True}


def plan(field: mg.ShearField, name: str = "mine.csv") -> Plan:
    return Plan(name, CALL, field, "It does.", (), "Fine.", False)


def settled(explorer: Explorer, act: Any = None) -> Explorer:
    async def scene() -> None:
        if act is not None:
            act()
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)

    asyncio.run(scene())
    return explorer


@pytest.fixture
def explorer() -> Explorer:
    one = Explorer(source="file", sampler="wiener")
    asyncio.run(one.open())
    return one


def test_without_a_file_the_page_asks_for_one_and_nothing_is_wrong(explorer: Explorer) -> None:
    assert explorer.phase == "empty" and explorer.alert == ""


def test_what_is_opened_is_shown_and_sampled(
    explorer: Explorer, small_field: mg.ShearField
) -> None:
    explorer.uploads.plan = plan(small_field)
    settled(explorer, explorer.uploads.open)
    assert explorer.store.field is small_field and explorer.phase == "idle"
    explorer.state.param.update(n=2, batch=2, seed=3)
    settled(explorer, explorer.start)
    (summary,) = mg.stream(mg.sampler("wiener", small_field), small_field, 2, 2, seed=3)
    np.testing.assert_array_equal(explorer.runner.summary.mean.numpy(), summary.mean.numpy())


def test_it_is_still_there_after_a_look_at_another_field(
    explorer: Explorer, small_field: mg.ShearField
) -> None:
    explorer.uploads.plan = plan(small_field)
    settled(explorer, explorer.uploads.open)
    nfw = {"source": "simulated", "kind": "nfw", "outline": "none"}
    settled(explorer, lambda: explorer.state.param.update(**nfw))
    assert explorer.store.field is not small_field
    settled(explorer, lambda: explorer.state.param.update(source="file"))
    assert explorer.store.field is small_field


def test_opened_again_with_other_choices_it_is_another_field(
    explorer: Explorer, small_field: mg.ShearField
) -> None:
    explorer.uploads.plan = plan(small_field)
    settled(explorer, explorer.uploads.open)
    first = explorer.store.choice
    explorer.uploads.plan = plan(small_field.rotated())
    settled(explorer, explorer.uploads.open)
    assert explorer.store.choice != first
    assert explorer.store.field is explorer.uploads.plan.field


def test_a_link_holds_no_upload_and_the_code_names_the_file(small_field: mg.ShearField) -> None:
    explorer = Explorer(sampler="wiener")
    explorer.uploads.plan = plan(small_field, "/secret/mine.csv")
    settled(explorer, explorer.uploads.open)
    state = explorer.state
    assert state.query() == {"version": "1", "source": "file"}
    assert (
        "mg.open_field('/secret/mine.csv', columns={'ra': 'A', 'weight': ''}, "
        "center=(150.0, 2.0), flip_e2=True)"
    ) in state.code()
    compile(state.code(), "code", "exec")
    other = Explorer(sampler="wiener")
    assert other.state.restore(state.query()) == []
    asyncio.run(other.open())
    assert other.store.field is None and other.alert == ""


def test_a_link_cannot_name_an_upload() -> None:
    state = Explorer(sampler="wiener").state
    state.restore({"upload": '{"number": 1}', "source": "file"})
    assert state.upload is None and state.field_choice() == ("file", None)


def test_two_sessions_see_their_own(explorer: Explorer, small_field: mg.ShearField) -> None:
    other = Explorer(source="file", sampler="wiener")
    explorer.uploads.plan = plan(small_field)
    settled(explorer, explorer.uploads.open)
    asyncio.run(other.open())
    assert other.store.field is None and other.uploads.opened is None is other.state.upload


def test_the_end_of_a_session_removes_its_files(explorer: Explorer) -> None:
    explorer.uploads._inbox.take("a", 1, 1, b"x")
    folder = explorer.uploads._inbox.folder
    explorer.close()
    assert not folder.exists()


@pytest.mark.parametrize(("loaded", "asked"), [([], ["filedropper"]), (["filedropper"], [])])
def test_a_notebook_loads_what_the_drop_zone_needs(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch, loaded: list, asked: list
) -> None:
    seen: list[str] = []
    extension = create_autospec(pn.extension, side_effect=lambda *names, **_: seen.extend(names))
    extension._loaded_extensions = loaded
    monkeypatch.setattr(pn, "extension", extension)
    monkeypatch.setattr(Viewer, "_repr_mimebundle_", lambda *_: {})
    explorer._repr_mimebundle_()
    assert seen == asked
