"""What a person reads when something is wrong: one sentence on stderr, no traceback.

Exit codes: 0 success, 2 bad input, 130 stopped by Ctrl-C, 143 by SIGTERM. An error that is
nobody's input is a bug: it keeps its traceback and Python's exit code 1.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

BAD_INPUT = 2
STOPPED = 130

#: What the public doors raise for bad input, and a library that an extra would bring.
_DOORS = (ValueError, KeyError, OSError, ImportError)


class OneSentence(TyperGroup):
    """A group of verbs that ends every error in one sentence and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a verb; the value it returns, if any, is the exit code. No verb: help."""
        args = sys.argv[1:] if args is None else args
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                # Never stand-alone below: typer would draw boxes and exit by itself.
                code = super().main(
                    args=list(args) or ["--help"],
                    prog_name=prog_name or "massgan",
                    complete_var=complete_var,
                    standalone_mode=False,
                    windows_expand_args=windows_expand_args,
                    **extra,
                )
        except (KeyboardInterrupt, typer.Abort):
            code = STOPPED
        except Exception as error:
            if not is_bad_input(error):
                raise
            code = BAD_INPUT
            say(f"Error: {sentence(error)}")
        if code == STOPPED:
            say("Stopped.")
        if not standalone_mode:
            return code
        sys.exit(code or 0)


def is_bad_input(error: Exception) -> bool:
    """Whether `error` is about what the person gave, and not about our code."""
    # typer's own errors: its classes moved between versions, their methods did not.
    return isinstance(error, _DOORS) or hasattr(error, "format_message")


def sentence(error: Exception) -> str:
    """The message of an error on one line."""
    if hasattr(error, "format_message"):
        text = error.format_message()
    elif isinstance(error, OSError) and error.strerror:
        where = f"{os.fspath(error.filename)}: " if error.filename is not None else ""
        text = f"{where}{error.strerror}"
    else:
        # str(KeyError("x")) is the repr of its argument, quotes and all.
        text = str(error.args[0]) if error.args else ""
    return " ".join(text.split()) or type(error).__name__


def say(text: str) -> None:
    """A line on stderr."""
    typer.echo(text, err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say(f"Warning: {' '.join(str(message).split())}")
