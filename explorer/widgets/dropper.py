"""A place to drop a file; its parts go straight to whoever counts and keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from explorer.widgets.calm import sheet

PART = 2_000_000  #: bytes sent at once: a socket drops messages over 20 MB, without a word


class Dropper(pn.widgets.FileDropper):
    """Panel's drop zone, but no file is gathered in memory.

    Args:
        receive: Called with name, part (from 1), number of parts and the part's bytes.
        forget: Called when the person takes the file away again.
    """

    def __init__(
        self,
        receive: Callable[[str, int, int, bytes], None],
        forget: Callable[[], None],
        **params: Any,
    ) -> None:
        super().__init__(chunk_size=PART, previews=[], stylesheets=[sheet("dropper")], **params)
        self._receive, self._forget = receive, forget

    def _process_event(self, event: Any) -> None:
        # What comes from a browser may be anything.
        data = event.data if isinstance(event.data, dict) else {}
        if event.event_name == "delete_event":
            self._forget()
            return
        name, part = data.get("name"), data.get("data")
        number, total = data.get("chunk"), data.get("total_chunks")
        if isinstance(name, str) and isinstance(part, bytes):
            if isinstance(number, int) and isinstance(total, int):
                self._receive(name, number, total, part)
