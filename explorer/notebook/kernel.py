"""What Panel does in a kernel that a view in a notebook does not want.

- JupyterLab hands what is done on a page to a thread of the kernel (a subshell, ipykernel 7).
  pyviz_comms puts a string in place of ``sys.stdout`` for as long as that takes: what a cell
  prints meanwhile lands beside the page, and where two such times overlap it stays a string.
- Without a server of Panel's its style sheets are asked of another host. They lie in the package.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path

import panel
import pyviz_comms
from bokeh.models import ImportedStyleSheet
from panel.io import resources


class Untouched(pyviz_comms.StandardOutput):
    """In place of ``StandardOutput``: catches nothing."""

    def __enter__(self) -> Untouched:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def bring_along(stylesheet: ImportedStyleSheet, dist_url: str) -> None:
    """In place of ``patch_stylesheet``: a sheet of Panel's becomes its own text."""
    text = _sheet(str(stylesheet.url))
    if text is not None:
        stylesheet.url = f"data:text/css;base64,{b64encode(text).decode()}"


def at_home() -> None:
    """Make this process behave, as the kernel of a notebook; again does nothing more."""
    pyviz_comms.StandardOutput = Untouched
    panel.reactive.patch_stylesheet = resources.patch_stylesheet = bring_along


@cache
def _sheet(url: str) -> bytes | None:
    """The text of one of Panel's sheets; None for any other."""
    base = next((b for b in (resources.CDN_DIST, resources.LOCAL_DIST) if url.startswith(b)), None)
    if base is None:
        return None
    path = Path(resources.DIST_DIR) / url.removeprefix(base).partition("?")[0]
    return path.read_bytes() if path.is_file() else None
