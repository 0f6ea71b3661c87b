"""The second sampler in the choices."""

from __future__ import annotations

import pytest

from explorer.beside import RIVALS, base, possible, raced, rival
from explorer.state import State


def test_no_one_races_against_oneself() -> None:
    state = State(trained=["gan:default"], beside="wiener")
    assert rival(state) == "wiener"
    state.sampler = "wiener"
    assert rival(state) == "" and not set(RIVALS) & set(possible(state))


def test_the_rivals_maps_follow_the_maps_of_the_page() -> None:
    state = State(trained=["gan:default"], beside="wiener", pictures=["ks", "mean"])
    assert raced(state) == ("mean_b",) and base("mean_b") == "mean" and base("ks") == "ks"
    assert "truth" not in possible(state)  # COSMOS
    state.source = "simulated"
    assert {"truth", *RIVALS} < set(possible(state))


def test_the_code_blurs_both_samplers_alike() -> None:
    state = State(trained=["gan:default"], beside="wiener", pictures=["mean", "std", "low"])
    state.blur = 2.0
    code = state.code()
    compile(code, "code", "exec")
    assert code.count("soft = mg.SmoothedSamples(2.0)") == 1
    for line in ('"mean": soft.mean(summary),', '"mean_b": soft.mean(beside),'):
        assert line in code
    assert "interval" not in code  # none is calibrated for a blur
    state.pictures = ["ks"]
    assert "soft" not in state.code()


@pytest.mark.parametrize("bad", [{"beside": "oracle"}, {"curtain": "2"}, {"first": "secrets"}])
def test_a_link_cannot_choose_what_is_not_offered(bad: dict[str, str]) -> None:
    state = State(trained=["gan:default"])
    (problem,) = state.restore({"version": "1", **bad})
    (name,) = bad
    assert f"`{name}` of the link was left out" in problem
    assert getattr(state, name) == State.param[name].default


def test_the_link_holds_race_and_comparison() -> None:
    there, back = State(trained=["gan:default"]), State(trained=["gan:default"])
    chosen = {"beside": "wiener", "compare": "swipe", "first": "mean", "second": "mean_b"}
    there.param.update(**chosen, curtain=0.25)
    assert set(there.query()) == {"version", *chosen, "curtain"}
    assert back.restore(there.query()) == []
    assert {name: getattr(back, name) for name in chosen} == chosen and back.curtain == 0.25
