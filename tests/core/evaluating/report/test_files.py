"""Files appear whole or not at all."""

import pytest

from massgan_core.evaluating import report
from massgan_core.evaluating.report import files, to_html

NAMES = ["report.csv", "report.html", "report.tex"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(to_html, "to_html", lambda found: "<p>κ</p>")


def test_older_files_are_replaced_and_nothing_else_is_left(found, tmp_path):
    out = tmp_path / "new"
    for _ in range(2):
        report.write(found, out)
        assert sorted(p.name for p in out.iterdir()) == NAMES
    assert (out / "report.html").read_bytes() == "<p>κ</p>".encode()
    assert b"\r" not in (out / "report.csv").read_bytes()


def test_nothing_is_written_where_the_page_fails(found, tmp_path, monkeypatch):
    def fail(found):
        raise RuntimeError("stop")

    monkeypatch.setattr(to_html, "to_html", fail)
    with pytest.raises(RuntimeError, match="stop"):
        report.write(found, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_missing_matplotlib_is_said_before_anything(found, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    for call in (report.check, lambda: report.write(found, tmp_path / "new")):
        with pytest.raises(ValueError, match=r"pip install 'massgan\[plot\]'"):
            call()
    assert not (tmp_path / "new").exists()
