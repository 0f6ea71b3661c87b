"""Words on the page."""

from __future__ import annotations

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from explorer.widgets.texts import status, text


def test_new_words_are_all_that_is_sent() -> None:
    document, words = Document(), text("<b>old</b>")
    with set_curdoc(document):
        root = words.get_root(document)
        document.add_root(root)
        sheets, sent = list(root.stylesheets), []
        document.on_change(lambda event: sent.append(event.attr))
        words.object = "<b>new & true</b>"
    assert sent == ["text"]
    assert root.text == "&lt;b&gt;new &amp; true&lt;/b&gt;"
    assert all(now is then for now, then in zip(root.stylesheets, sheets, strict=True))


@pytest.mark.parametrize(
    ("rate", "seconds", "words"),
    [
        (138.4, 0.46, ("64 samples in less than 1 s", "138 samples/s")),
        (5.83, 11.0, ("64 samples in 11 s", "5.8 samples/s")),
    ],
)
def test_speed_and_time_are_plain_numbers(
    rate: float, seconds: float, words: tuple[str, ...]
) -> None:
    """Samples that another session drew before come at once."""
    line = status("finished", 64, 64, 0, rate=rate, remaining=0, seconds=seconds, kept=64)
    assert all(word in line for word in words)
