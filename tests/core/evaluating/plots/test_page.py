"""Whole files or none, no global state, the same bytes for the same page."""

from __future__ import annotations

import subprocess
import sys

import pytest

from massgan_core.evaluating.plots import page as module
from massgan_core.evaluating.plots.page import Page, check_page


def simple(body=1.0):
    return Page.of("Title", "about", "A caption. " * 30, width=6.0, body=body)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_suffix_names_the_format(tmp_path, suffix):
    path = tmp_path / f"page.{suffix}"
    simple().save(path)
    head = path.read_bytes()[:200]
    assert {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<svg"}[suffix] in path.read_bytes()[:800]
    assert head and [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_the_same_page_is_the_same_file(tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        simple().save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_caption_goes_with_the_picture(tmp_path):
    from PIL import Image

    simple().save(tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert image.info["Title"] == "Title about"
        assert image.info["Description"] == simple().caption


def test_places_are_inches_from_the_upper_left():
    page = simple()
    box = page.axes(1.0, 0.6, 2.0, 0.5).get_position()
    assert box.width * page.width == pytest.approx(2.0)
    assert (1 - box.y1) * page.height == pytest.approx(0.6)
    assert simple(2.0).height == pytest.approx(page.height + 1.0)


def test_nothing_overlaps(overlaps):
    assert overlaps(simple()) == ([], [])


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.png, \.pdf, \.svg, got"):
        check_page(tmp_path / "page.jpg")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        check_page(tmp_path / "nowhere" / "page.png")
    (tmp_path / "page.png").write_text("mine")
    with pytest.raises(FileExistsError, match="--overwrite"):
        check_page(tmp_path / "page.png")
    assert check_page(tmp_path / "page.png", overwrite=True).read_text() == "mine"
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(FileExistsError, match="is a folder"):
        check_page(tmp_path / "folder.png", overwrite=True)


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'massgan\[plot\]'"):
        check_page(tmp_path / "page.png")


def test_an_error_leaves_nothing(tmp_path, monkeypatch):
    page = simple()
    monkeypatch.setattr(
        page.figure, "savefig", lambda path, **_: path.write_text("half") and 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        page.save(tmp_path / "page.png")
    assert list(tmp_path.iterdir()) == []


def test_pyplot_and_global_settings_are_left_alone(tmp_path):
    # `rcParams["backend"]` would import pyplot to choose one; `dict.items` reads past that.
    code = (
        "import sys, matplotlib\n"
        "before = dict(dict.items(matplotlib.rcParams))\n"
        "from massgan_core.evaluating.plots.page import Page\n"
        "page = Page.of('a', 'b', 'c', width=4, body=1)\n"
        "page.axes(1, 1, 1, 1).imshow([[0, 1]])\n"
        f"page.save(__import__('pathlib').Path({str(tmp_path / 'p.png')!r}))\n"
        "print(dict(dict.items(matplotlib.rcParams)) == before)\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"]
