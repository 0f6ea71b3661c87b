"""The drop zone passes parts on, keeps none, and takes no nonsense from a browser."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from explorer.widgets.dropper import PART, Dropper

GOOD = {"name": "a.csv", "chunk": 1, "total_chunks": 2, "data": b"x", "type": "text/csv"}


@pytest.fixture
def heard() -> list:
    return []


@pytest.fixture
def dropper(heard: list) -> Dropper:
    return Dropper(lambda *part: heard.append(part), lambda: heard.append("forget"))


def send(dropper: Dropper, name: str, data: Any) -> None:
    dropper._process_event(SimpleNamespace(event_name=name, data=data))


def test_parts_are_passed_on_and_not_kept(dropper: Dropper, heard: list) -> None:
    send(dropper, "upload_event", GOOD)
    send(dropper, "upload_event", {**GOOD, "chunk": 2})
    assert heard == [("a.csv", 1, 2, b"x"), ("a.csv", 2, 2, b"x")]
    assert dropper.value == {} and dropper._file_buffer == {}


def test_taken_away_is_forgotten(dropper: Dropper, heard: list) -> None:
    send(dropper, "delete_event", {"name": "a.csv"})
    assert heard == ["forget"]


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, [], {}, {**GOOD, "data": "text"}, {**GOOD, "chunk": "1"}, {**GOOD, "name": 3}),
        {**GOOD, "total_chunks": None},
    ],
)
def test_nonsense_is_dropped(dropper: Dropper, heard: list, wrong: Any) -> None:
    send(dropper, "upload_event", wrong)
    assert heard == []


def test_a_part_is_far_below_what_a_socket_takes(dropper: Dropper) -> None:
    assert dropper.chunk_size == PART < 20_000_000 / 5
