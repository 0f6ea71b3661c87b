"""The page in a notebook leaves ``sys.stdout`` alone, and asks no other host for its styles."""

from __future__ import annotations

import sys
from threading import Event, Thread

import panel as pn
import pytest
import pyviz_comms
from bokeh.models import ImportedStyleSheet

from explorer.notebook.kernel import Untouched, at_home


class Wire(pyviz_comms.Comm):
    def send(self, *args: object, **kwargs: object) -> None:
        """Nobody listens."""


def overlapping(capsys: pytest.CaptureFixture) -> tuple[bool, str]:
    """Whether stdout is back after two overlapping messages, and what a cell printed meanwhile."""
    before, inside, go = sys.stdout, Event(), Event()

    def slow(_: object) -> None:
        inside.set()
        assert go.wait(10)

    first = Thread(target=Wire(on_msg=slow)._handle_msg, args=({},))
    first.start()
    assert inside.wait(10)

    def quick(_: object) -> None:
        go.set()
        first.join(10)

    Wire(on_msg=quick)._handle_msg({})
    print("of a cell")
    back = sys.stdout is before
    sys.stdout = before
    return back, capsys.readouterr().out


def test_what_a_cell_prints_meanwhile_is_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    # As the library does it: else there would be nothing to mend.
    monkeypatch.setattr(pyviz_comms, "StandardOutput", Untouched.__base__)
    assert overlapping(capsys) == (False, "")
    at_home()
    assert overlapping(capsys) == (True, "of a cell\n")


def test_a_view_brings_its_styles_along() -> None:
    at_home()
    widget = pn.widgets.Button(label="x")
    model = pn.Column(widget, pn.widgets.Player()).get_root()
    urls = [str(sheet.url) for sheet in model.select({"type": ImportedStyleSheet})]
    assert urls and all(url.startswith("data:text/css;base64,") for url in urls)
