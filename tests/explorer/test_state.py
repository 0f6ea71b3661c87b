"""Choices: what a link holds, what it may not do, and the run as Python."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode

import pytest

from explorer.state import State

CHOICES = {
    "source": "simulated",
    "region": (150.1, 2.2, 20.0, 10.5),
    "kind": "nfw",
    "sky_seed": 7,
    "depth": 30.0,
    "outline": "none",
    "n": 12,
    "seed": 5,
    "batch": 4,
    "shared": False,
    "theme": "dark",
}


def test_every_choice_has_a_doc_and_is_json() -> None:
    state = State()
    assert all(state.param[name].doc for name in State.names())
    values = {name: getattr(state, name) for name in State.names()}
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    assert json.loads(json.dumps(values)) == lists


def test_untouched_state_leaves_the_url_empty() -> None:
    assert State().query() == {}


def test_link_holds_what_changed_and_a_version() -> None:
    state = State(**CHOICES)
    # Given to the constructor, a choice is that session's default.
    assert state.query() == {}
    state = State()
    state.param.update(**CHOICES)
    assert set(state.query()) == {"version", *CHOICES}


def test_link_there_and_back() -> None:
    state, other = State(), State()
    state.param.update(**CHOICES)
    text = urlencode(state.query())
    assert other.restore(dict(parse_qsl(text))) == []
    assert {k: getattr(other, k) for k in State.names()} == {
        k: getattr(state, k) for k in State.names()
    }


def test_a_link_holds_the_chosen_maps() -> None:
    there, back = State(), State()
    there.param.update(pictures=["mean", "chance"], threshold=0.1)
    assert back.restore(there.query()) == []
    assert back.pictures == ["mean", "chance"] and back.threshold == 0.1
    (problem,) = back.restore({"version": "1", "pictures": '["mean", "secrets"]'})
    assert "`pictures` of the link was left out" in problem
    assert back.pictures == ["mean", "chance"]


def test_link_as_panel_parses_it() -> None:
    # Panel hands numbers, booleans and lists over as such.
    state = State()
    assert state.restore({"n": 9, "shared": False, "region": [150.0, 2.0, 5.0, 5.0]}) == []
    assert (state.n, state.shared, state.region) == (9, False, (150.0, 2.0, 5.0, 5.0))


@pytest.mark.parametrize(
    "bad", [{"n": "-5"}, {"kind": "fractal"}, {"region": "[1, 2]"}, {"depth": '"deep"'}]
)
def test_bad_choice_is_named_and_the_others_count(bad: dict[str, str]) -> None:
    state = State()
    problems = state.restore({**bad, "seed": "3"})
    assert len(problems) == 1 and f"`{next(iter(bad))}`" in problems[0]
    assert state.seed == 3
    name = next(iter(bad))
    assert getattr(state, name) == State.param[name].default


def test_link_of_another_version_is_refused() -> None:
    state = State()
    (problem,) = state.restore({"version": "99", "seed": "3"})
    assert "99" in problem and state.seed == 0


def test_link_cannot_open_a_file_that_was_not_given() -> None:
    state = State(inputs=["mine.fits"])
    (problem,) = state.restore({"file": "/etc/passwd"})
    assert "file" in problem and state.file == "mine.fits"


def test_inputs_are_shown_first() -> None:
    assert State(inputs=["mine.fits"]).field_choice() == ("file", "mine.fits")
    state = State(inputs=["cosmos", "mine.fits"])
    assert state.field_choice() == ("cosmos", None) and state.file == "mine.fits"


def test_checkpoint_goes_before_wiener() -> None:
    assert State().sampler == "wiener"
    state = State(trained=["gan:default"])
    assert state.sampler == "gan:default"
    assert state.param.sampler.objects == ["gan:default", "wiener"]
    assert State(trained=["gan:default"], sampler="wiener").sampler == "wiener"


def test_code_names_the_same_field_and_stream() -> None:
    state = State(source="simulated", kind="nfw", depth=30.0, outline="none", n=3, batch=2, seed=4)
    code = state.code()
    assert "mg.simulated('nfw', seed=0, depth=30.0, mask='none')" in code
    assert "n, batch, seed = 3, 2, 4" in code
    assert "mg.stream(sampler, field, n, batch, seed=seed, keep=n)" in code
    compile(code, "code", "exec")
    state.param.update(source="cosmos", region=(150.1, 2.2, 20.0, 10.0))
    assert "mg.cosmos(center=(150.1, 2.2), size=(20.0, 10.0))" in state.code()
    assert '"mean": summary.mean' in state.code() and "truth" not in state.code()


def test_code_of_a_calibrated_interval() -> None:
    state = State(trained=["gan:default"], pictures=["mean", "low"])
    assert "calibration = mg.calibration_of('default')" in state.code()
    assert '"low": interval and interval.low' in state.code()
    compile(state.code(), "code", "exec")
    state.sampler = "wiener"
    assert "interval" not in state.code()
