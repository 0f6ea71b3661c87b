"""Holes that a person cuts: bounded, in the link, in the code."""

from __future__ import annotations

import pytest

from explorer.holes import CORNERS, hole
from explorer.state import State
from massgan_core.simulate import polygons

TRIANGLE = [[-8.0, -8.0], [8.0, -8.0], [0.0, 9.5]]


def test_a_link_there_and_back() -> None:
    there, back = State(source="simulated"), State()
    there.cut = [TRIANGLE]
    assert back.restore(there.query()) == []
    assert [[list(corner) for corner in outline] for outline in back.cut] == [TRIANGLE]
    assert back.param.cut.default == []


def test_holes_decide_the_field_and_stand_in_the_code() -> None:
    state = State(source="simulated")
    whole = state.field_choice()
    assert "cut" not in state.code()
    state.cut = [TRIANGLE]
    assert state.field_choice() != whole and hash(state.field_choice())
    assert f"cut={[TRIANGLE]!r}" in state.code()
    compile(state.code(), "code", "exec")


@pytest.mark.parametrize(
    "bad",
    [
        [TRIANGLE] * 13,
        [TRIANGLE[:2]],
        [[[0.0, 0.0]] * 41],
        [[[0.0, 0.0], [1.0, 1.0], [1.0, 200.0]]],
        [[[0.0, 0.0], [1.0, 1.0], [1.0, "x"]]],
        [[[0.0, 0.0], [1.0, 1.0], [1.0]]],
        7,
    ],
)
def test_what_is_no_hole_is_refused(bad: object) -> None:
    state = State()
    (problem,) = state.restore({"cut": bad})
    assert "12 polygons" in problem and state.cut == []


@pytest.mark.parametrize("n", [3, 40, 41, 79, 400])
def test_a_drawn_line_keeps_its_bounds_and_its_first_corner(n: int) -> None:
    outline = hole([i / 10 for i in range(n)], [i % 7 for i in range(n)])
    assert 3 <= len(outline) <= CORNERS and outline[0] == [0.0, 0.0]


def test_the_bounds_are_those_of_the_library() -> None:
    from explorer import holes

    assert (holes.MOST, holes.CORNERS) == (polygons.MOST, polygons.CORNERS)
