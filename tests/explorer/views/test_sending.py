"""How changes reach Bokeh: in order, at the end, and with one look through the page at most."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bokeh.document import Document
from bokeh.layouts import column
from bokeh.models import Div, InlineStyleSheet

from explorer.views.sending import held


@pytest.fixture
def document() -> Document:
    made = Document()
    made.add_root(column(Div(text="a"), Div(text="b")))
    return made


def _looks(document: Document) -> list[None]:
    looks: list[None] = []
    manager = type(document.models)
    look: Callable = manager.recompute

    class Counting(manager):
        def recompute(self) -> None:
            looks.append(None)
            look(self)

    document.models.__class__ = Counting
    return looks


def test_many_changes_are_one_look_and_leave_the_models_right(document: Document) -> None:
    looks, (root,) = _looks(document), document.roots
    gone = root.children[1]
    with held(document):
        for text in "xyz":
            root.children = [root.children[0], Div(text=text)]
            root.children[1].stylesheets = [InlineStyleSheet(css=f".{text} {{}}")]
    assert len(looks) == 1
    assert gone.document is None and root.children[1].document is document
    assert set(document.models) == root.references()


def test_values_alone_are_no_look(document: Document) -> None:
    looks, (root,) = _looks(document), document.roots
    with held(document):
        root.children[0].text = "other"
    assert looks == []
    root.children = root.children[:1]  # and Bokeh is as it was
    assert len(looks) == 1


def test_changes_are_handed_on_at_the_end_in_order(document: Document) -> None:
    events, (root,) = [], document.roots
    document.on_change(lambda event: events.append((event.attr, len(set(document.models)))))
    with held(document):
        root.children[0].text = "1"
        root.children = [*root.children, Div()]
        root.children[0].height = 2
        assert events == []
    assert [name for name, _ in events] == ["text", "children", "height"]
    assert {count for _, count in events} == {len(root.references())}, "told before the look"


def test_an_error_inside_leaves_nothing_held(document: Document) -> None:
    (root,) = document.roots
    with pytest.raises(KeyError), held(document):
        root.children = root.children[:1]
        raise KeyError
    assert document.callbacks.hold_value is None
    assert set(document.models) == root.references()


def test_within_another_nothing_more_happens(document: Document) -> None:
    looks, (root,) = _looks(document), document.roots
    with held(document):
        with held(document):
            root.children = root.children[:1]
        assert looks == []
    assert len(looks) == 1
