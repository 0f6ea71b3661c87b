"""The files of a report, each written whole or not at all."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from massgan_core.evaluating.report.to_csv import to_csv
from massgan_core.evaluating.report.to_latex import to_latex
from massgan_core.export.whole import whole


def check() -> None:
    """Find out before any work whether the page can be drawn.

    Raises:
        ValueError: Matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise ValueError("the plots of a report need matplotlib: pip install 'massgan[plot]'")


def write(found: dict[str, Any], out: str | os.PathLike[str]) -> None:
    """Write ``report.html``, ``report.csv`` and ``report.tex``; older ones are replaced.

    Args:
        found: From :func:`massgan_core.evaluating.evaluate`, or read from its ``report.json``.
        out: Folder.

    Raises:
        ValueError: See :func:`check`; nothing was written.
    """
    check()
    from massgan_core.evaluating.report.to_html import to_html

    files = {
        "report.csv": to_csv(found),
        "report.tex": to_latex(found),
        "report.html": to_html(found),
    }
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with whole(out / name, overwrite=True) as part:
            part.write_text(text, encoding="utf-8", newline="")
