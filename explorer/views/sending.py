"""How changes of a page are handed to Bokeh."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.document import Document


@contextmanager
def held(document: Document | None) -> Iterator[None]:
    """Hand all changes to Bokeh at the end, in order.

    Panel's own way past a busy socket can leave the last messages lying until the next change
    (one writer ends while another queues), and a page that waits for them stands still.
    """
    if document is None or document.callbacks.hold_value:
        yield
        return
    document.hold("collect")
    try:
        with _one_look(document):
            yield
    finally:
        document.unhold()


@contextmanager
def _one_look(document: Document) -> Iterator[None]:
    """Let Bokeh look for models that came or went once, at the end, and only if it wants to.

    It walks through the whole page, at each change that may bring or drop a model. Its own
    `freeze` looks at the end whether it is wanted or not.
    """
    models, wanted = document.models, []
    models.recompute = lambda: wanted.append(True)
    try:
        yield
    finally:
        del models.recompute
        if wanted:
            models.recompute()
