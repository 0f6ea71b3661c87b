"""A file or folder appears whole or not at all."""

from __future__ import annotations

import os

import pytest

from massgan_core.export.whole import check_place, whole


def make_store(path, text):
    path.mkdir()
    (path / ".zgroup").write_text("{}")
    (path / "data").write_text(text)


def test_the_file_is_not_there_until_the_end(tmp_path):
    path = tmp_path / "a.txt"
    with whole(path) as part:
        part.write_text("new")
        assert not path.exists() and part.parent == tmp_path and part.name.startswith(".")
    assert path.read_text() == "new" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_nothing(tmp_path, error):
    with pytest.raises(error), whole(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(FileExistsError, match="exists"), whole(path) as part:
        part.write_text("new")
        path.write_text("theirs")
    assert path.read_text() == "theirs" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_store_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "a.zarr"
    make_store(path, "old")
    (path / "more").write_text("old")
    with whole(path, overwrite=True) as part:
        make_store(part, "new")
        assert (path / "data").read_text() == "old"
    assert {p.name for p in path.iterdir()} == {".zgroup", "data"}
    assert (path / "data").read_text() == "new" and len(list(tmp_path.iterdir())) == 1


def test_a_store_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    path = tmp_path / "a.zarr"
    make_store(path, "old")
    real = os.replace

    def refuse(source, target):
        if str(source).endswith(".part"):
            raise OSError("no")
        real(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"), whole(path, overwrite=True) as part:
        make_store(part, "new")
    assert (path / "data").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_no_store_is_never_replaced(tmp_path):
    path = tmp_path / "photos.zarr"
    path.mkdir()
    (path / "holiday.jpg").write_text("sun")
    with pytest.raises(FileExistsError, match="not a zarr store"):
        check_place(path, overwrite=True)
    assert (path / "holiday.jpg").read_text() == "sun"


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder .*nowhere does not exist"):
        check_place(tmp_path / "nowhere" / "a.fits")


def test_a_folder_that_takes_no_files_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    with pytest.raises(PermissionError, match=r"cannot write to the folder .* \(Permission"):
        check_place(tmp_path / "a.fits")


def test_a_dangling_link_counts_as_something(tmp_path):
    path = tmp_path / "a.fits"
    path.symlink_to(tmp_path / "gone")
    with pytest.raises(FileExistsError):
        check_place(path)
