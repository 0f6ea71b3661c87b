"""Errors end in one line and an exit code."""

from __future__ import annotations

import errno

import pytest
import typer
from typer.testing import CliRunner

from massgan_core.cli.sentence import OneSentence, is_bad_input, sentence


@pytest.fixture
def fail():
    """Run a verb that raises `error`; typer's result."""

    def go(error: BaseException | None = None, value: object = None):
        app = typer.Typer(cls=OneSentence, rich_markup_mode=None)

        @app.callback()
        def group() -> None:
            """Verbs."""

        @app.command()
        def verb():
            if error is not None:
                raise error
            return value

        return CliRunner().invoke(app, ["verb"])

    return go


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("`n` must be 1,\n   got 2"), "`n` must be 1, got 2"),
        (KeyError("unknown checkpoint 'x'"), "unknown checkpoint 'x'"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.fits"), "a.fits: No such file"),
        (FileExistsError("a.fits exists"), "a.fits exists"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (ImportError("needs panel"), "needs panel"),
        (ValueError(), "ValueError"),
    ],
)
def test_bad_input_is_one_line_and_two(fail, error, text):
    result = fail(error)
    assert (result.exit_code, result.stderr) == (2, f"Error: {text}\n")
    assert result.stdout == ""


def test_ctrl_c_is_130(fail):
    result = fail(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def test_a_bug_keeps_its_traceback(fail):
    result = fail(ZeroDivisionError("oops"))
    assert isinstance(result.exception, ZeroDivisionError) and result.exit_code == 1
    assert not is_bad_input(result.exception)


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (7, 7)])
def test_a_verb_may_set_the_exit_code(fail, value, code):
    result = fail(value=value)
    assert result.exit_code == code and result.stderr == ""


def test_a_key_error_loses_its_quotes():
    assert sentence(KeyError("it's gone")) == "it's gone"
