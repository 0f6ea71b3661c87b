"""Limits of single maps are a table of a few numbers in order, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.own_limits import MAPS, REACH
from explorer.recipes import PICTURES
from explorer.state import State
from explorer.views.titles import FIXED


def test_maps_whose_limits_mean_something_have_none() -> None:
    assert {*MAPS} == {*PICTURES} - {*FIXED}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"nothing": [0, 1]},
        {"chance": [0, 1]},
        {"std": [1, 0]},
        {"std": [0, 0]},
        {"std": [0, 1, 2]},
        {"std": 1},
        {"std": ["0", "1"]},
        {"std": [False, True]},
        {"std": [0, float("nan")]},
        {"std": [0, 2 * REACH]},
    ],
    ids=str,
)
def test_what_is_wrong_is_one_sentence_and_changes_nothing(wrong: Any) -> None:
    state = State(own_limits={"mean": [0.0, 1.0]})
    with pytest.raises(ValueError, match="limits of single maps must be"):
        state.own_limits = wrong
    assert state.own_limits == {"mean": [0.0, 1.0]}


def test_a_link_holds_them() -> None:
    there, back = State(), State()
    there.own_limits = {"std": [0.01, 0.03], "ks": [-1.0, 2.0]}
    assert back.restore(there.query()) == [] and back.own_limits == there.own_limits
    (problem,) = back.restore({"own_limits": '{"std": [3, 2]}'})
    assert "`own_limits` of the link was left out" in problem
