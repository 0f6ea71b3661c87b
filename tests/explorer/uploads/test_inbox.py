"""Bytes are counted on the server, whatever a browser says, and kept apart by session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.uploads.inbox import Inbox, plain
from explorer.uploads.limits import LIMITS, MB


@pytest.fixture
def inbox() -> Inbox:
    one = Inbox(replace(LIMITS, file=100, session=150))
    yield one
    one.close()


def test_the_limits_are_those_promised() -> None:
    assert (LIMITS.file, LIMITS.session) == (100 * MB, 200 * MB)


def test_parts_in_order_make_the_file(inbox: Inbox) -> None:
    assert inbox.take("a.csv", 1, 3, b"one") is None
    assert inbox.take("a.csv", 2, 3, b"two") is None
    path = inbox.take("a.csv", 3, 3, b"")
    assert path.read_bytes() == b"onetwo" and inbox.name == "a.csv" and inbox.received == 6


@pytest.mark.parametrize(
    "other", [("a.csv", 3, 3), ("b.csv", 2, 3), ("a.csv", 0, 3), ("a.csv", -1, 3)]
)
def test_a_part_out_of_turn_is_dropped(inbox: Inbox, other: tuple) -> None:
    inbox.take("a.csv", 1, 3, b"one")
    assert inbox.take(*other, b"xxx") is None
    inbox.take("a.csv", 2, 3, b"two")
    assert inbox.take("a.csv", 3, 3, b"!").read_bytes() == b"onetwo!"


def test_a_part_without_a_beginning_is_dropped(inbox: Inbox) -> None:
    assert inbox.take("a.csv", 2, 2, b"x") is None
    assert inbox.received == 0


def test_a_large_file_is_refused_by_its_first_part(inbox: Inbox) -> None:
    with pytest.raises(ValueError, match="^big.csv is too large: a file may have 0.0001 MB$"):
        inbox.take("big.csv", 1, 30, b"x" * 10)
    assert inbox.take("big.csv", 2, 30, b"x" * 10) is None
    assert inbox.received == 0 and list(inbox.folder.iterdir()) == []


def test_a_file_that_lies_about_its_parts_is_refused_where_it_grows_too_large(
    inbox: Inbox,
) -> None:
    inbox.take("big.csv", 1, 2, b"x")
    with pytest.raises(ValueError, match="too large"):
        inbox.take("big.csv", 2, 2, b"x" * 100)
    assert list(inbox.folder.iterdir()) == []


def test_a_session_s_bytes_add_up_over_its_files(inbox: Inbox) -> None:
    inbox.take("a.csv", 1, 1, b"x" * 90)
    with pytest.raises(ValueError, match="this session has had its"):
        inbox.take("b.csv", 1, 1, b"x" * 61)
    assert inbox.received == 90
    assert inbox.take("c.csv", 1, 1, b"x" * 60) is not None


def test_another_file_takes_the_place_of_the_last(inbox: Inbox) -> None:
    first = inbox.take("a.csv", 1, 1, b"one")
    second = inbox.take("a.csv", 1, 1, b"two")
    assert list(inbox.folder.iterdir()) == [second] and not first.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\mine.fits", "mine.fits"),
        ("https://example.org/x.fits", "x.fits"),
        ("a\nb\0c.csv", "a b c.csv"),
        ("", "the file"),
        ("/", "the file"),
        ("..", ".."),
    ],
)
def test_a_name_is_text_and_never_a_path(inbox: Inbox, name: str, text: str) -> None:
    assert plain(name) == text
    path = inbox.take(name, 1, 1, b"x")
    assert path.parent == inbox.folder and path.name.startswith("upload-")


def test_a_long_name_keeps_its_ends() -> None:
    assert plain("x" * 500 + ".parquet") == "x" * 40 + "…" + "x" * 7 + ".parquet"


def test_two_sessions_have_two_private_folders(inbox: Inbox) -> None:
    other = Inbox()
    mine, theirs = inbox.take("a", 1, 1, b"mine"), other.take("a", 1, 1, b"theirs")
    assert mine.parent != theirs.parent
    assert theirs.parent.stat().st_mode & 0o077 == 0
    other.close()
    assert not theirs.parent.exists() and mine.read_bytes() == b"mine"


def test_closing_removes_the_folder_and_is_harmless_twice() -> None:
    inbox = Inbox()
    folder = inbox.take("a", 1, 1, b"x").parent
    inbox.close()
    assert not folder.exists()
    inbox.close()


def test_a_full_disk_is_a_sentence_that_names_no_folder(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.take("a.csv", 1, 2, b"one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "/somewhere/secret")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(ValueError, match="a.csv could not be kept by the server") as refused:
        inbox.take("a.csv", 2, 2, b"two")
    assert "/" not in str(refused.value)
    monkeypatch.undo()
    assert inbox.take("a.csv", 2, 2, b"two") is None  # its first part is gone
