"""``{public-names} package``: every public name of a package, from its docstring."""

from __future__ import annotations

from importlib import import_module

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class PublicNames(SphinxDirective):
    """An autodoc entry for each name in a package's ``__all__``, under the name people import."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = self.arguments[0]
        module = import_module(package)
        lines = ["```{eval-rst}"]
        for name in sorted(module.__all__, key=str.lower):
            thing = getattr(module, name)
            if name.startswith("__"):
                continue
            if isinstance(thing, type):
                kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
            else:
                kind = "autofunction" if callable(thing) else "autodata"
            lines += [f".. {kind}:: {package}.{name}", ""]
        lines.append("```")
        self.state.nested_parse(
            StringList(lines, package), self.content_offset, found := nodes.Element()
        )
        return found.children


def _plain_bars(*given: object) -> None:
    """|k| in a docstring is a modulus, not a substitution."""
    lines = given[-1]
    lines[:] = [line.replace("|", r"\|") for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _plain_bars)
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
