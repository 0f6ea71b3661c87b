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
        yield
    finally:
        document.unhold()
