"""A session as a JSON file: every choice by name, no path and no result.

What it says is checked like a link: names come from closed lists, numbers have bounds.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any, NoReturn

from explorer.state import VERSION, State
from massgan_core import __version__

LONGEST = 64_000  #: of the text of a session [bytes]
TOO_LONG = f"a session must be a JSON file of at most {LONGEST // 1000} kB"
_SAID = 200  #: letters of one sentence about what was left out


def dump(state: State) -> str:
    """All choices of `state`; of a file its name alone, not where it lies."""
    choices = {name: getattr(state, name) for name in state.names()}
    choices["file"] = _base(state.file)
    session = {"version": VERSION, "massgan": __version__, "choices": choices}
    return json.dumps(session, indent=2, ensure_ascii=False) + "\n"


def read(text: str | None) -> dict[str, Any]:
    """The choices in the text of a session, names and values as they stand there.

    Args:
        text: Of the file; None for one that was too long to be sent.

    Raises:
        ValueError: It is no session, or one of another version.
    """
    if text is None or len(text.encode("utf-8", "replace")) > LONGEST:
        raise ValueError(TOO_LONG)
    try:
        session = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("a session must be a JSON file, as `Save session` writes it") from None
    choices = session.get("choices") if isinstance(session, dict) else None
    if not isinstance(choices, dict):
        raise ValueError("a session must hold `choices`, as `Save session` writes them")
    version = session.get("version")
    if version != VERSION or isinstance(version, bool):
        raise ValueError(
            f"`version` of the session must be {VERSION}, got {_short(repr(version), 20)}; "
            "its choices were left out"
        )
    return choices


def restore(state: State, choices: dict[str, Any]) -> list[str]:
    """Take the choices of a session; one sentence for each that had to be left out."""
    choices, problems = dict(choices), []
    unknown = [name for name in choices if name not in state.names()]
    if unknown:
        names = ", ".join(f"`{_short(name, 30)}`" for name in unknown[:5])
        more = f" and {len(unknown) - 5} more" * (len(unknown) > 5)
        problems.append(f"the session holds what this page does not know: {names}{more}")
    name, known = choices.pop("file", None), state.param.file.objects
    paths = [path for path in known if path is not None and _base(path) == name]
    if paths:
        choices["file"] = paths[0]
    elif choices.get("source") == "file":
        # Not another file in its place.
        del choices["source"]
        problems.append(
            f"`file` of the session was left out: {_short(repr(name), 60)} is none of the files "
            "that this page was started with"
        )
    problems += state.restore(choices, of="session")
    return [_short(problem, _SAID) for problem in problems]


def _base(path: str | None) -> str | None:
    return None if path is None else PurePath(path).name


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
