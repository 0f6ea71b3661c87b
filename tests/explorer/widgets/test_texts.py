"""Words on the page."""

from __future__ import annotations

from bokeh.document import Document
from panel.io.state import set_curdoc

from explorer.widgets.texts import text


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
