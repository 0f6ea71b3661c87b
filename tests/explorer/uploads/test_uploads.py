"""One session's uploads, from bytes to a field; two sessions know nothing of each other."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer.uploads.limits import LIMITS
from explorer.uploads.reading import Reading
from explorer.uploads.uploads import Uploads
from massgan_core.survey import gridding


class Session:
    """Uploads whose coroutines are awaited by the test."""

    def __init__(self, **limits: int) -> None:
        self.waiting: list = []
        self.uploads = Uploads(self.waiting.append, replace(LIMITS, **limits))

    def drop(self, content: bytes, name: str = "mine.csv") -> Uploads:
        """Drop a file in two parts and wait for what comes of it."""
        half = len(content) // 2 + 1
        self.uploads.receive(name, 1, 2, content[:half])
        self.uploads.receive(name, 2, 2, content[half:])
        return self.wait()

    def wait(self) -> Uploads:
        async def all_of_it() -> None:
            while self.waiting:
                await self.waiting.pop(0)

        asyncio.run(all_of_it())
        return self.uploads


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's work done in this process, for speed: to start one takes seconds."""
    monkeypatch.setattr(gridding, "MOST_PIXELS", gridding.MOST_PIXELS)

    def result(reading: Reading) -> Any:
        run = import_module(f"explorer.uploads.{reading.task}").run
        options = json.loads(json.dumps(reading.options))
        with warnings.catch_warnings():
            return run(reading.path, reading.name, reading.limits, **options)

    monkeypatch.setattr(Reading, "result", result)


@pytest.fixture
def session() -> Iterator[Session]:
    one = Session()
    yield one
    one.uploads.close()


def files(uploads: Uploads) -> list[str]:
    return sorted(path.name for path in uploads._inbox.folder.iterdir())


def test_a_catalogue_with_usual_names_is_ready_to_open(
    session: Session, csv: Callable, rows: np.ndarray
) -> None:
    path = csv(rows)
    uploads = session.drop(path.read_bytes())
    assert (uploads.busy, uploads.problem) == ("", "")
    assert uploads.preview.name == "mine.csv" and uploads.preview.guess["e2"] == "e2"
    assert uploads.opened is None
    plan, other = uploads.plan, mg.open_field(path)
    np.testing.assert_array_equal(plan.field.gamma.numpy(), other.gamma.numpy())
    np.testing.assert_array_equal(plan.field.sigma.numpy(), other.sigma.numpy())
    uploads.open()
    assert uploads.opened is plan
    assert len(files(uploads)) == 1  # no parcel is left


def test_unusual_names_are_asked_for_and_then_open(
    here: None, session: Session, csv: Callable, rows: np.ndarray
) -> None:
    path = csv(rows, "ra,dec,left,right,w")
    uploads = session.drop(path.read_bytes())
    assert uploads.plan is None and uploads.problem == "Choose the column of e1 and e2."
    columns = {**uploads.preview.guess, "e1": "left", "e2": "right"}
    uploads.choose(columns=columns, pixel_scale=0.5)
    session.wait()
    other = mg.open_field(path, columns=columns, pixel_scale=0.5)
    np.testing.assert_array_equal(uploads.plan.field.gamma.numpy(), other.gamma.numpy())
    assert uploads.plan.call == {"columns": columns, "pixel_scale": 0.5}
    uploads.choose(columns={**columns, "e1": "right"})
    session.wait()
    assert uploads.plan is None and "both read from “right”" in uploads.problem


def test_a_shear_field_is_ready_to_open(
    here: None, session: Session, tmp_path: Path, small_field: mg.ShearField
) -> None:
    mg.write_shear_fits(small_field, tmp_path / "a")
    uploads = session.drop((tmp_path / "a").read_bytes(), "deep.fits")
    assert uploads.preview.kind == "field" and uploads.preview.shape == (24, 33)
    assert uploads.plan.does.startswith("A shear field of 33 × 24 pixels of 1′")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "mine.csv is empty."),
        (b"PK\x03\x04" + bytes(99), "mine.csv is a zip archive; unpack it"),
        (b"no table\nat all\n", "mine.csv has no column of numbers."),
    ],
)
def test_a_wrong_file_is_a_sentence_and_the_next_one_works(
    here: None, session: Session, csv: Callable, rows: np.ndarray, content: bytes, says: str
) -> None:
    uploads = session.drop(content)
    assert uploads.problem.startswith(says) and uploads.preview is None is uploads.plan
    assert uploads.busy == ""
    session.drop(csv(rows).read_bytes())
    assert uploads.problem == "" and uploads.plan is not None


def test_too_large_is_a_sentence_and_nothing_is_read(rows: np.ndarray) -> None:
    session = Session(file=1000)
    session.uploads.receive("big.csv", 1, 30, b"x" * 100)
    assert "big.csv is too large" in session.uploads.problem and session.waiting == []
    session.uploads.receive("big.csv", 2, 30, b"x" * 100)
    assert files(session.uploads) == []
    session.uploads.close()


def test_a_new_file_ends_the_reading_of_the_last(
    session: Session, csv: Callable, rows: np.ndarray
) -> None:
    uploads, content = session.uploads, csv(rows).read_bytes()

    async def scene() -> None:
        uploads.receive("first.csv", 1, 1, content)
        first = asyncio.ensure_future(session.waiting.pop())
        while uploads._reading is None or uploads._reading._process is None:
            await asyncio.sleep(0.01)
        uploads.receive("second.csv", 1, 1, content)
        await asyncio.gather(first, session.waiting.pop())

    seen: list = []
    uploads.param.watch(lambda event: seen.append(event.new and event.new.name), "preview")
    asyncio.run(asyncio.wait_for(scene(), 120))
    assert [name for name in seen if name] == ["second.csv"]
    assert uploads.plan.name == "second.csv"


def test_what_was_taken_away_is_gone(
    here: None, session: Session, csv: Callable, rows: np.ndarray
) -> None:
    uploads = session.drop(csv(rows).read_bytes())
    uploads.open()
    opened = uploads.opened
    uploads.forget()
    assert uploads.plan is None is uploads.preview and files(uploads) == []
    assert uploads.opened is opened  # the field on the page stays


def test_sessions_share_nothing_and_leave_nothing(
    here: None, csv: Callable, rows: np.ndarray
) -> None:
    one, two = Session(), Session()
    mine = one.drop(csv(rows).read_bytes())
    theirs = two.drop(csv(rows[:200]).read_bytes())
    assert mine.plan.field.notes["galaxies"] == 400
    assert theirs.plan.field.notes["galaxies"] == 200
    folders = [session.uploads._inbox.folder for session in (one, two)]
    assert folders[0] != folders[1] and all(folder.exists() for folder in folders)
    mine.close()
    assert not folders[0].exists() and folders[1].exists()
    theirs.choose(columns=theirs.preview.guess, flip_e2=True)
    assert two.wait().plan.call["flip_e2"]
    theirs.close()
    assert not folders[1].exists()
    mine.receive("late.csv", 1, 1, b"a,b\n1,2\n")
    assert one.waiting == [] and not folders[0].exists()


def test_a_session_that_ends_while_it_reads_leaves_nothing(
    csv: Callable, rows: np.ndarray
) -> None:
    session, content = Session(), csv(rows).read_bytes()
    uploads = session.uploads
    heard: list[Any] = []
    uploads.param.watch(heard.append, "preview")

    async def scene() -> None:
        uploads.receive("mine.csv", 1, 1, content)
        task = asyncio.ensure_future(session.waiting.pop())
        while uploads._reading is None or uploads._reading._process is None:
            await asyncio.sleep(0.01)
        process, folder = uploads._reading._process, uploads._inbox.folder
        uploads.close()
        await task
        assert process.returncode not in (None, 0) and not folder.exists()

    asyncio.run(asyncio.wait_for(scene(), 120))
    assert heard == []
