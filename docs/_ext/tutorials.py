"""The demos as pages: `docs/tutorials/*.md`, with the pictures that running them makes.

``-D run_demos=1`` runs each notebook once and keeps it in ``build/demos`` until it changes;
without it the pages have the text and the code alone. What needs a live Python is named in its
place.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.display import status_iterator

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "demos"
LIVE = "*Here the notebook shows something to move, which needs Python: `make demos` opens it.*"
PATIENCE = 900  #: for one cell [s]
_log = logging.getLogger(__name__)


def write_pages(app: Sphinx) -> None:
    """One page a demo."""
    out = Path(app.srcdir) / "tutorials"
    out.mkdir(exist_ok=True)
    demos = sorted((ROOT / "demos").glob("*.ipynb"))
    for path in status_iterator(demos, "writing tutorials… ", length=len(demos)):
        book = executed(path) if app.config.run_demos else nbformat.read(path, as_version=4)
        write_page(book, path.stem, out)


def executed(path: Path) -> NotebookNode:
    """A notebook with its outputs, run unless this very notebook has been."""
    from nbclient import NotebookClient

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = KEPT / path.name
    if kept.is_file():
        book = nbformat.read(kept, as_version=4)
        if book.metadata.get("source_digest") == digest:
            return book
    _log.info("running %s", path.name)
    KEPT.mkdir(parents=True, exist_ok=True)
    book = nbformat.read(path, as_version=4)
    # Files that a demo writes lie beside its copy.
    place = {"metadata": {"path": str(KEPT)}}
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    client = NotebookClient(book, kernel_name="python3", timeout=PATIENCE, resources=place)
    client.execute(env={**os.environ, "PYTHONPATH": paths})
    book.metadata["source_digest"] = digest
    nbformat.write(book, kept)
    return book


def write_page(book: NotebookNode, name: str, out: Path) -> None:
    """Markdown and pictures of one notebook."""
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [kept for kept in map(still, cell.outputs) if kept is not None]
        else:
            cell.source = cell.source.replace(".ipynb)", ".md)")
    resources = {"output_files_dir": f"{name}_files", "unique_key": name}
    text, found = MarkdownExporter().from_notebook_node(book, resources)
    for file, data in found["outputs"].items():
        target = out / file
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
    note = f"*This page is the notebook `demos/{name}.ipynb`.*"
    head, _, rest = text.lstrip().partition("\n")
    (out / f"{name}.md").write_text(f"{head}\n\n{note}\n{rest}", encoding="utf-8")


def still(output: NotebookNode) -> NotebookNode | None:
    """An output as a page can show it; None where there is nothing to see."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    data = output.get("data", {})
    if "image/png" in data:
        return nbformat.v4.new_output("display_data", {"image/png": data["image/png"]})
    if "application/vnd.holoviews_exec.v0+json" in data:
        # Of what is loaded beforehand there is no text.
        live = "text/plain" in data
        return nbformat.v4.new_output("display_data", {"text/markdown": LIVE}) if live else None
    if "text/plain" in data and output.output_type == "execute_result":
        return nbformat.v4.new_output("display_data", {"text/plain": data["text/plain"]})
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_config_value("run_demos", False, "env", types=(bool, str))
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
