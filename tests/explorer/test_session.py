"""A session: out and back the same; what is wrong is one sentence, and the rest is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer import session
from explorer.state import VERSION, State

CHOICES = {
    "source": "simulated",
    "region": (150.1, 2.2, 20.0, 10.5),
    "kind": "nfw",
    "depth": 30.0,
    "outline": "none",
    "smoothing": 2.5,
    "n": 12,
    "seed": 5,
    "pictures": ["mean", "chance"],
    "threshold": -0.02,
    "shared": False,
    "cluster": "COSMOS X-ray cluster 62",
    "theme": "dark",
}


def _values(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in State.names()}


def _take(state: State, choices: dict[str, Any]) -> list[str]:
    return session.restore(state, session.read(json.dumps({"version": 1, "choices": choices})))


def test_out_and_back_whatever_was_chosen_before() -> None:
    there, back = State(), State(n=3, kind="gaussian", limit=0.3, theme="dark")
    there.param.update(**CHOICES)
    assert session.restore(back, session.read(session.dump(there))) == []
    assert _values(back) == _values(there)
    # The defaults of one page are not those of another: they are written, too.
    assert session.restore(back, session.read(session.dump(State()))) == []
    assert _values(back) == _values(State())


def test_a_file_is_named_and_its_folder_is_not() -> None:
    there = State(inputs=["/somewhere/secret/mine.fits"])
    text = session.dump(there)
    assert json.loads(text)["choices"]["file"] == "mine.fits" and "secret" not in text
    back = State(inputs=["cosmos", "/else/other.fits", "/else/mine.fits"])
    assert session.restore(back, session.read(text)) == []
    assert back.field_choice() == ("file", "/else/mine.fits")


@pytest.mark.parametrize("name", ["/etc/passwd", "../mine.fits", "else.fits", None, 7, ["x"]])
def test_no_other_file_is_opened_in_its_place(name: Any) -> None:
    state = State(inputs=["cosmos", "/else/mine.fits"])
    (problem,) = _take(state, {"source": "file", "file": name, "n": 9})
    assert "`file`" in problem and "/else" not in problem
    assert state.field_choice() == ("cosmos", None) and state.n == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", -5),
        ("n", 5000),
        ("n", 2.5),
        ("depth", 1e9),
        ("kind", "fractal"),
        ("kind", ["nfw"]),
        ("region", [1, 2]),
        ("pictures", ["mean", "secrets"]),
        ("pictures", 3),
        ("shared", 1),
        ("cluster", "<script>"),
        ("cluster", "x" * 5000),
        ("sampler", "gan:/etc/passwd"),
        ("threshold", None),
    ],
)
def test_a_wrong_value_is_one_sentence_and_the_others_count(name: str, value: Any) -> None:
    state = State()
    before = getattr(state, name)
    (problem,) = _take(state, {name: value, "seed": 3})
    assert f"`{name}` of the session" in problem and len(problem) <= 200
    assert getattr(state, name) == before and state.seed == 3


def test_unknown_names_are_one_sentence() -> None:
    state = State()
    (problem,) = _take(state, {**{f"weird{i}" * 6: i for i in range(900)}, "seed": 3})
    assert "weird0" in problem and len(problem) <= 200 and state.seed == 3
    (problem,) = _take(state, {f"odd{i}": i for i in range(7)})
    assert problem.endswith("`odd4` and 2 more")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 60_000,
        "[1, 2]",
        "null",
        "7",
        '{"version": 1}',
        '{"version": 1, "choices": [1]}',
        '{"version": 1, "choices": {"threshold": NaN}}',
        '{"version": 1, "choices": {"region": [Infinity, 2, 3, 4]}}',
        '{"version": 1, "choices": {"n": ' + "9" * 6000 + "}}",
        '{"choices": {"n": 3}}',
        '{"version": 99, "choices": {"n": 3}}',
        '{"version": true, "choices": {"n": 3}}',
        json.dumps({"version": "x" * 50_000, "choices": {}}),
        json.dumps({"version": 1, "choices": {"n": 3}}) + " " * session.LONGEST,
        "κ" * (session.LONGEST // 2 + 1),
    ],
)
def test_what_is_no_session_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        session.read(text)
    assert 20 < len(str(refused.value)) < 150 and "session" in str(refused.value)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert session.read("\ufeff" + session.dump(State()))["n"] == State().n


def test_the_version_is_that_of_links() -> None:
    assert json.loads(session.dump(State()))["version"] == VERSION
