"""Notebooks run as a person would run them: in a kernel of their own, with smaller numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE = 900  # seconds that one cell may take before it counts as one that never ends


@pytest.fixture
def run(root: Path, tmp_path: Path) -> Callable[..., dict]:
    """``run(name, numbers, asked)``: values of the expressions `asked` after the notebook ran.

    `numbers` replace those of the cell tagged ``parameters``. Files are written to `tmp_path`.
    """
    import nbformat
    from nbclient import NotebookClient

    def play(name: str, numbers: dict[str, object], asked: dict[str, str]) -> dict:
        book = nbformat.read(root / "demos" / f"{name}.ipynb", as_version=4)
        tags = [cell.metadata.get("tags", []) for cell in book.cells]
        (at,) = [i for i, tag in enumerate(tags) if "parameters" in tag]
        smaller = "\n".join(f"{key} = {value!r}" for key, value in numbers.items())
        book.cells.insert(at + 1, nbformat.v4.new_code_cell(smaller))
        answers = ", ".join(f"{key!r}: {value}" for key, value in asked.items())
        last = f"import json\nprint(json.dumps({{{answers}}}))"
        book.cells.append(nbformat.v4.new_code_cell(last))
        client = NotebookClient(
            book,
            kernel_name="python3",
            timeout=PATIENCE,
            resources={"metadata": {"path": str(tmp_path)}},
        )
        paths = [str(root), os.environ.get("PYTHONPATH", "")]
        home = {"PYTHONPATH": os.pathsep.join(paths), "IPYTHONDIR": str(tmp_path / "ipython")}
        client.execute(env={**os.environ, **home})
        return json.loads(book.cells[-1].outputs[0].text)

    return play
