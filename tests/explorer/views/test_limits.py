"""A drag on one bar moves the maps that share its limits; two clicks bring the usual ones back."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.history import History
from explorer.recipes import PICTURES
from explorer.state import State
from explorer.views.limits import chosen_limits, limits_of, take_limits, usual_limits
from explorer.views.titles import FIXED, KAPPA_MAPS

OTHERS = [name for name in PICTURES if name not in KAPPA_MAPS]


@pytest.fixture
def state() -> State:
    return State(source="simulated")


def _all(state: State) -> dict:
    return {name: chosen_limits(state, name) for name in PICTURES}


@pytest.mark.parametrize("name", KAPPA_MAPS)
def test_maps_that_share_their_limits_move_together(state: State, name: str) -> None:
    before = _all(state)
    take_limits(state, name, -0.02, 0.3)
    assert {k for k in PICTURES if chosen_limits(state, k) == (-0.02, 0.3)} == {*KAPPA_MAPS}
    assert {k: chosen_limits(state, k) for k in OTHERS} == {k: before[k] for k in OTHERS}
    usual_limits(state, name)
    assert _all(state) == before and state.changed() == {}


@pytest.mark.parametrize("name", [*KAPPA_MAPS, "std", "snr"])
def test_a_map_that_shares_nothing_moves_alone(state: State, name: str) -> None:
    state.shared = False
    before = _all(state)
    take_limits(state, name, 0.01, 0.3)
    assert _all(state) == {**before, name: (0.01, 0.3)}
    image = np.linspace(0, 1, 16).reshape(4, 4)
    assert limits_of(state, name, image, np.ones((4, 4), bool)) == (0.01, 0.3)
    state.span = "typed"  # does not take it away
    assert chosen_limits(state, name) == (0.01, 0.3)
    state.span = "limit"
    usual_limits(state, name)
    assert _all(state) == before


def test_shared_limits_come_before_those_of_one_map(state: State) -> None:
    state.shared = False
    take_limits(state, "mean", 0.0, 0.3)
    state.shared = True
    assert chosen_limits(state, "mean") == (-state.limit, state.limit)
    take_limits(state, "std", 0.0, 0.2)  # has nobody to share with
    assert chosen_limits(state, "std") == (0.0, 0.2)


def test_two_clicks_where_nothing_was_dragged_change_nothing(state: State) -> None:
    for name in PICTURES:
        usual_limits(state, name)
    assert state.changed() == {}


def test_the_usual_limits_are_those_the_session_began_with() -> None:
    state = State(span="90")
    take_limits(state, "mean", -0.02, 0.3)
    usual_limits(state, "mean")
    assert state.span == "90"


@pytest.mark.parametrize("shared", [True, False])
def test_what_cannot_be_changes_nothing(state: State, shared: bool) -> None:
    state.shared = shared
    before = state.changed()
    for name in (*FIXED, "nothing"):
        take_limits(state, name, 0.0, 0.1)
    for low, high in ((0.1, 0.1), (0.2, 0.1), (float("nan"), 0.1), (20e3, 30e3)):
        take_limits(state, "mean", low, high)
    assert state.changed() == before


def test_far_limits_stop_where_typed_ones_do(state: State) -> None:
    take_limits(state, "mean", -1e6, 1e6)
    assert (state.low, state.high) == state.param.low.bounds


def test_a_drag_is_one_step_to_undo(state: State) -> None:
    history = History(state)
    history.begin()
    take_limits(state, "mean", -0.02, 0.3)
    take_limits(state, "std", 0.01, 0.02)
    history.undo()
    assert (state.span, state.low, state.high) == ("typed", -0.02, 0.3)
    assert state.own_limits == {}
    history.undo()
    assert state.changed() == {}
    history.redo()
    assert state.high == 0.3
