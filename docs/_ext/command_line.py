"""``{command-line}``: the help of every verb, as typer writes it."""

from __future__ import annotations

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command


class CommandLine(SphinxDirective):
    """The verbs of ``massgan``, one section each."""

    def run(self) -> list[nodes.Node]:
        from massgan_core.cli.main import app

        command = get_command(app)
        parts = []
        for name, verb in sorted(command.commands.items()):
            context = Context(verb, info_name=f"massgan {name}")
            title = f"massgan {name}"
            parts.append(get_docs_for_click(obj=verb, ctx=context, indent=1, name=title))
        lines = StringList("\n".join(parts).splitlines(), "massgan --help")
        found = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, found, match_titles=True)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
