"""A lesson is a TOML file: a title and steps, each of which sets choices and asks a question.

The whole file is checked before any of it is shown; nothing here knows of the page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from explorer.lessons.choices import KEPT, MOST_STEPS
from explorer.links import is_finite
from explorer.state import State

KINDS = ("choice", "number", "place")
MAPS = ("truth", "ks", "mean")  #: whose highest point a question can ask for
LONGEST = 200_000  #: of the file [bytes]
MOST_CHOICES = 8
_NEEDED = ("title", "text", "question", "kind", "answer", "reveal")
_STEP = (*_NEEDED, "state", "choices", "unit", "start", "reveal_state", "reveal_start")
_LESSON = ("title", "text", "step")


@dataclass(frozen=True)
class Place:
    """Where on a map the answer lies."""

    within: float  #: this near is right [arcmin]
    highest: str = ""  #: the map whose highest point it is, one of `MAPS`; empty for `at`
    at: tuple[float, float] | None = None  #: RA, Dec [deg]


@dataclass(frozen=True)
class Step:
    """One question: what is on the page before it, and what comes after the prediction."""

    title: str
    text: str
    question: str
    kind: str  #: one of `KINDS`
    answer: int | tuple[float, float] | Place  #: number of the choice from 0; low, high; a place
    reveal: str
    state: dict[str, Any] = field(default_factory=dict)  #: choices that differ from the defaults
    choices: tuple[str, ...] = ()
    unit: str = ""  #: of a number
    start: bool = False  #: samples are drawn as the step begins
    reveal_state: dict[str, Any] = field(default_factory=dict)
    reveal_start: bool = False  #: samples are drawn as the answer is shown

    def near(self, prediction: Any) -> bool:
        """Whether a choice or a number was predicted right; a place needs a map to tell."""
        if self.kind == "choice":
            return prediction == self.answer
        low, high = self.answer
        return low <= prediction <= high

    def answer_words(self) -> str:
        """The answer, for a teacher and for the page."""
        if self.kind == "choice":
            return self.choices[self.answer]
        if self.kind == "number":
            low, high = self.answer
            return f"{low:g} to {high:g}{' ' * bool(self.unit)}{self.unit}"
        where = self.answer
        names = {"truth": "the truth", "ks": "the Kaiser–Squires map", "mean": "the mean"}
        if where.at is not None:
            return f"within {where.within:g}′ of RA {where.at[0]:g}°, Dec {where.at[1]:g}°"
        return f"within {where.within:g}′ of the highest point of {names[where.highest]}"


@dataclass(frozen=True)
class Lesson:
    """A story in steps."""

    name: str  #: as in a link
    title: str
    text: str  #: for the teacher
    steps: tuple[Step, ...]


@lru_cache(maxsize=1)
def bundled() -> tuple[str, ...]:
    """Names of the lessons that come with the page."""
    here = files("explorer.lessons")
    return tuple(sorted(p.name[:-5] for p in here.iterdir() if p.name.endswith(".toml")))


def find(source: str, trained: Iterable[str] = ()) -> Lesson:
    """The lesson called `source`, one of :func:`bundled`, or in the file of that name.

    Args:
        source: Name or path.
        trained: Samplers that a step may choose besides ``wiener``.

    Raises:
        ValueError: There is none, or it is not well made; one sentence that names the step.
    """
    if source in bundled():
        content = files("explorer.lessons").joinpath(f"{source}.toml").read_bytes()
        return parse(content, source, trained)
    path = Path(source)
    if not path.is_file():
        raise ValueError(
            f"`lesson` must be one of {', '.join(bundled())}, or a TOML file, got {source!r}"
        )
    if path.stat().st_size > LONGEST:
        raise ValueError(f"a lesson must be a file of at most {LONGEST // 1000} kB, got {source}")
    name = re.sub(r"[^\w-]+", "_", path.stem)[:60] or "lesson"
    return parse(path.read_bytes(), name, trained)


def parse(content: bytes, name: str, trained: Iterable[str] = ()) -> Lesson:
    """The lesson in the bytes of a TOML file.

    Raises:
        ValueError: It is not well made; one sentence that names the step.
    """
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"lesson {name} must be text in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"lesson {name} must be TOML: {error}") from None
    where = f"lesson {name}"
    _only(table, _LESSON, where)
    steps = table.get("step")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise ValueError(f"{where} must have 1 to {MOST_STEPS} [[step]] tables")
    trained = tuple(trained)
    return Lesson(
        name,
        _text(table, "title", where),
        _text(table, "text", where) if "text" in table else "",
        tuple(_step(step, f"step {i} of {where}", trained) for i, step in enumerate(steps, 1)),
    )


def _step(table: Any, where: str, trained: tuple[str, ...]) -> Step:
    if not isinstance(table, dict):
        raise ValueError(f"{where} must be a table: write [[step]]")
    _only(table, _STEP, where)
    for key in _NEEDED:
        if key not in table:
            raise ValueError(f"{where} must have `{key}`")
    kind = table["kind"]
    if kind not in KINDS:
        raise ValueError(f"`kind` of {where} must be one of {', '.join(KINDS)}, got {kind!r}")
    choices = _offered(table, kind, where)
    texts = {key: _text(table, key, where) for key in ("title", "text", "question", "reveal")}
    return Step(
        **texts,
        kind=kind,
        choices=choices,
        answer=_ANSWERS[kind](table["answer"], f"`answer` of {where}", choices),
        unit=_text(table, "unit", where) if "unit" in table else "",
        state=_state(table, "state", where, trained),
        reveal_state=_state(table, "reveal_state", where, trained),
        start=_flag(table, "start", where),
        reveal_start=_flag(table, "reveal_start", where),
    )


def _offered(table: dict, kind: str, where: str) -> tuple[str, ...]:
    """The choices of a question; none for one of another kind."""
    if (kind == "choice") != ("choices" in table):
        rule = "must have `choices`" if kind == "choice" else f"is a {kind}: leave out `choices`"
        raise ValueError(f"{where} {rule}")
    choices = table.get("choices", [])
    words = isinstance(choices, list) and all(isinstance(c, str) and c.strip() for c in choices)
    if kind == "choice" and not (
        words and 2 <= len(choices) <= MOST_CHOICES and len({*choices}) == len(choices)
    ):
        raise ValueError(f"`choices` of {where} must be 2 to {MOST_CHOICES} different texts")
    return tuple(choices)


def _choice(answer: Any, what: str, choices: tuple[str, ...]) -> int:
    if type(answer) is not int or not 1 <= answer <= len(choices):
        raise ValueError(
            f"{what} must be the number of the right choice, 1 to {len(choices)}, got {answer!r}"
        )
    return answer - 1


def _number(answer: Any, what: str, _: tuple[str, ...]) -> tuple[float, float]:
    pair = isinstance(answer, list) and len(answer) == 2 and all(map(is_finite, answer))
    if not pair or answer[0] > answer[1]:
        raise ValueError(f"{what} must be [low, high], the numbers that are right, got {answer!r}")
    return float(answer[0]), float(answer[1])


def _place(answer: Any, what: str, _: tuple[str, ...]) -> Place:
    form = 'must be { highest = "truth", within = 3 } or { at = [RA, Dec], within = 3 }'
    if not isinstance(answer, dict) or {*answer} not in ({"highest", "within"}, {"at", "within"}):
        raise ValueError(f"{what} {form}, got {answer!r}")
    within, at = answer["within"], answer.get("at")
    if not is_finite(within) or within <= 0:
        raise ValueError(f"`within` in {what} must be more than 0 [arcmin], got {within!r}")
    if at is None:
        if answer["highest"] not in MAPS:
            raise ValueError(
                f"`highest` in {what} must be one of {', '.join(MAPS)}, got {answer['highest']!r}"
            )
        return Place(float(within), highest=answer["highest"])
    pair = isinstance(at, list) and len(at) == 2 and all(map(is_finite, at))
    if not pair or not (0 <= at[0] <= 360 and -90 <= at[1] <= 90):
        raise ValueError(f"`at` in {what} must be [RA, Dec] in degrees, got {at!r}")
    return Place(float(within), at=(float(at[0]), float(at[1])))


_ANSWERS = {"choice": _choice, "number": _number, "place": _place}


def _state(table: dict, key: str, where: str, trained: tuple[str, ...]) -> dict[str, Any]:
    """Choices of the page, as the State takes them."""
    chosen, what = table.get(key, {}), f"`{key}` of {where}"
    if not isinstance(chosen, dict):
        raise ValueError(f"{what} must be a table of choices, got {chosen!r}")
    state, taken = State(trained=trained), {}
    _only(chosen, state.names(), what)
    for name, value in chosen.items():
        if name in (*KEPT, "file"):
            raise ValueError(f"{what} must not set `{name}`: leave it out")
        if name == "source" and value == "file":
            raise ValueError(f"`source` in {what} must be cosmos or simulated: no file is open")
        try:
            state.take(name, value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"`{name}` in {what} does not fit: {error}") from None
        taken[name] = getattr(state, name)
    return taken


def _only(table: dict, known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}"
            raise ValueError(f"{where} has an unknown key `{key[:40]}`; {hint}")


def _text(table: dict, key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"`{key}` of {where} must be a text, got {value!r}")
    return value.strip()


def _flag(table: dict, key: str, where: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"`{key}` of {where} must be true or false, got {value!r}")
    return value
