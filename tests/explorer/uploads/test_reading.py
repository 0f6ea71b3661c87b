"""A child process does the reading: what breaks it ends in a sentence, and nothing leaks out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from explorer.uploads import reading
from explorer.uploads.limits import LIMITS
from explorer.uploads.reading import CalledOff, Reading


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Where an upload lies."""
    folder = tmp_path / "private"
    folder.mkdir()
    return folder / "upload-0123456789"


def test_a_look_comes_back(csv: Callable, rows: np.ndarray, stored: Path) -> None:
    csv(rows).rename(stored)
    answer = Reading("look", stored, "mine.csv", LIMITS).result()
    assert answer["kind"] == "catalogue" and answer["tables"][0]["rows"] == 400


def test_a_sentence_names_the_file_and_no_place(stored: Path) -> None:
    stored.write_bytes(b"SIMPLE  =                    T / " + bytes(5000))
    with pytest.raises(ValueError, match="^mine.fits ") as error:
        Reading("look", stored, "mine.fits", LIMITS).result()
    for hidden in (str(stored.parent), stored.name, "Traceback"):
        assert hidden not in str(error.value)


def test_the_library_s_sentence_names_the_file_too(
    csv: Callable, rows: np.ndarray, stored: Path
) -> None:
    csv(rows, "ra,dec,a,b,c").rename(stored)
    with pytest.raises(ValueError, match="^mine.csv has no column for e1, e2, weight") as error:
        Reading("prepare", stored, "mine.csv", LIMITS, call={}).result()
    assert stored.name not in str(error.value) and str(stored.parent) not in str(error.value)


def test_memory_is_bounded(stored: Path) -> None:
    # A few kilobytes on disk, 40 GB in memory: one long word in every row, said once.
    word = pa.array(["x" * 20_000]).dictionary_encode().dictionary
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2_000_000, np.int32)), word)
    table = pa.table({"ra": np.zeros(2_000_000, np.int8), "word": words})
    pa.parquet.write_table(table, stored, store_schema=False)
    assert stored.stat().st_size < 1_000_000
    with pytest.raises(
        ValueError, match="^mine.parquet (takes more than 0.5 GB|is damaged|.* GB)"
    ):
        Reading("look", stored, "mine.parquet", replace(LIMITS, memory=2**29)).result()


def test_time_is_bounded(csv: Callable, rows: np.ndarray, stored: Path) -> None:
    csv(rows).rename(stored)
    slow = Reading("look", stored, "mine.csv", replace(LIMITS, looking=0))
    with pytest.raises(ValueError, match="mine.csv takes more than 0 s to read"):
        slow.result()
    assert slow._process.poll() is not None


def test_a_child_that_dies_is_a_sentence(
    csv: Callable, rows: np.ndarray, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    csv(rows).rename(stored)
    monkeypatch.setattr(reading.sys, "executable", "/bin/false")
    with pytest.raises(ValueError, match="mine.csv could not be read: it is damaged, or takes"):
        Reading("look", stored, "mine.csv", LIMITS).result()


def test_called_off_it_ends_and_says_so(csv: Callable, rows: np.ndarray, stored: Path) -> None:
    csv(rows).rename(stored)
    one, seen = Reading("prepare", stored, "mine.csv", LIMITS, call={}), []

    def wait() -> None:
        try:
            seen.append(one.result())
        except CalledOff:
            seen.append("called off")

    thread = Thread(target=wait)
    thread.start()
    while one._process is None:
        time.sleep(0.01)
    one.cancel()
    thread.join(60)
    assert seen == ["called off"] and one._process.returncode not in (None, 0)
    with pytest.raises(CalledOff):
        one.result()


def test_the_child_starts_in_the_session_s_folder_and_takes_no_other_task(stored: Path) -> None:
    stored.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="mine.csv could not be read"):
        Reading("os", stored, "mine.csv", LIMITS).result()
    assert os.listdir(stored.parent) == [stored.name]
