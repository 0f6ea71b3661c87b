"""The page as a web application: a template around the Explorer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import panel as pn
from panel.io.document import init_doc
from panel.io.location import Location
from panel.io.resources import LOCAL_DIST
from panel.util import edit_readonly

from explorer.sampling import SAMPLING
from explorer.viewer import Explorer
from explorer.widgets.calm import TOKENS, Calm
from explorer.widgets.named import SCRIPT

if TYPE_CHECKING:
    from bokeh.document import Document

    from explorer.lessons.lesson import Lesson

TITLE = "MassGAN explorer"
_ADDRESS = ("href", "protocol", "hostname", "port", "pathname", "search", "hash")

# Only what Panel itself serves: no font, style or script from another host.
_TEMPLATE = """
{% extends base %}
{% block postamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  html, body { min-height: 100%; height: auto; background: %light%; }
  body:has(.mg-dark) { background: %dark%; color-scheme: dark; }
</style>
<script>%unstyled%</script>
<script>%named%</script>
{% endblock %}
{% block contents %}{{ embed(roots.location) }}{{ embed(roots.explorer) }}{% endblock %}
"""

# Bokeh asks the browser for a CSS variable of every colour, width and font it draws with, and
# each question lays out the whole page: a sixth of its work until there is a picture. No style of
# this page sets such a variable (`--bk-…`).
_UNSTYLED = """
try {
  Bokeh.require("core/visuals/visual").VisualProperties.prototype._get_css_value = () => ""
  document.documentElement.dataset.unstyled = "yes"
} catch (error) { console.warn("drawing will be slow:", error) }
"""


class _Template(pn.Template):
    """Panel's, without two habits that make up a third of the time to build a page."""

    def __repr__(self) -> str:
        return TITLE  # it prints itself, whole, on every `add_panel`

    def _init_doc(self, doc: Document | None = None, *args: Any, **options: Any) -> Document:
        # Bokeh walks through all models on every change of one, unless told to wait.
        document = doc or pn.state.curdoc
        if document is not None:
            # Panel says where its styles are as it writes the HTML. A session that is opened
            # anew (the page came late, or was cut off) has none: it would ask another host.
            base = pn.state.rel_path
            document._template_variables["dist_url"] = (
                f"{base}/{LOCAL_DIST}" if base else LOCAL_DIST
            )
        if document in self._documents:
            self._arrive(document)
            return document
        with nullcontext() if document is None else document.models.freeze():
            return super()._init_doc(doc, *args, **options)

    def _arrive(self, document: Document) -> None:
        """Give a page that was built beforehand what is known of the visitor only now."""
        init_doc(document)
        location = pn.state.location
        asked = Location.from_request(document.session_context.request)
        told = {name: getattr(asked, name) for name in _ADDRESS}
        with edit_readonly(location):
            location.param.update(told)
        follow(location, self.explorer)


def page(
    inputs: Iterable[str] = (), *, lesson: Lesson | None = None, classroom: bool = False
) -> pn.Template:
    """One session's page; the URL holds its choices.

    Args:
        inputs: Files to choose from.
        lesson: What a page without a lesson in its link begins with.
        classroom: Take no files from those who open the page.
    """
    pn.config.reconnect = True
    if pn.state.curdoc is not None:
        pn.state.curdoc.on_event("document_ready", _on_ready)
    explorer = Explorer(inputs=inputs, lesson=lesson, takes_files=not classroom)
    template = _Template(
        _TEMPLATE.replace("%light%", TOKENS["light"]["page"])
        .replace("%dark%", TOKENS["dark"]["page"])
        .replace("%unstyled%", _UNSTYLED)
        .replace("%named%", SCRIPT),
        design=Calm,
        location=True,
    )
    template.explorer = explorer
    template.add_variable("title", TITLE)
    template.add_panel("explorer", explorer)
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        follow(pn.state.location, explorer)
    return template


def follow(location: Location, explorer: Explorer) -> None:
    """Take the choices from the URL, then keep it up to date, shortest form."""
    state = explorer.state
    explorer.restore(lambda: state.restore(location.query_params))
    if explorer.course.given is not None and not state.lesson:
        explorer.course.begin()

    def write(*_: object) -> None:
        query = urlencode(state.query())
        location.search = f"?{query}" if query else ""

    state.param.watch(write, state.names())


def _on_ready(_: object) -> None:
    # Not before: a server may fork once the page is loaded.
    _share_processors()
    SAMPLING.begin_soon()


def _share_processors() -> None:
    """Give each of several server processes its part of the processor, before torch starts."""
    words = " ".join(sys.orig_argv).replace("--num-procs=", "--num-procs ").split()
    if "--num-procs" not in words[:-1]:
        return
    import torch

    asked = int(words[words.index("--num-procs") + 1])
    cores = os.cpu_count() or 1
    torch.set_num_threads(max(1, cores // (asked or cores)))
