"""The ``massgan`` command.

Every module of this package that defines a function of its own name is a verb: to add
``massgan weigh``, write ``cli/weigh.py`` with a typer command ``def weigh(…)`` whose docstring
is its help (``weigh_all`` becomes ``massgan weigh-all``). Nothing else is to be changed. Two
customs:

- Import torch, astropy and the wings inside the function, so that ``massgan --help`` is quick.
- Raise ``ValueError``, ``KeyError`` or ``OSError`` with one clear sentence for bad input;
  :mod:`massgan_core.cli.sentence` prints it and exits with code 2. A verb that returns an
  integer sets the exit code itself.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated

import typer

import massgan_core.cli
from massgan_core import __version__
from massgan_core.cli.sentence import OneSentence

app = typer.Typer(
    cls=OneSentence,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"massgan {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def massgan(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Posterior samples of the convergence (mass maps) from weak-lensing shear."""


def _add_verbs() -> None:
    for module in iter_modules(massgan_core.cli.__path__):
        if module.name not in ("main", "sentence"):
            verb = getattr(import_module(f"massgan_core.cli.{module.name}"), module.name, None)
            if callable(verb):
                app.command(module.name.replace("_", "-"))(verb)


_add_verbs()


def main() -> None:
    """Entry point of the ``massgan`` script."""
    for out in (sys.stdout, sys.stderr):
        # A terminal without κ and ′ gets question marks, not an error.
        out.reconfigure(errors="replace")
    # SIGTERM unwinds like an error would, so that no partial file stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app()


if __name__ == "__main__":
    main()
