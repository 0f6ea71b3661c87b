"""Regions: bounded as a State keeps them, the same on the plane and in DS9's words."""

from __future__ import annotations

import json

import numpy as np
import pytest

import massgan_core as mg
from explorer import regions as forms
from explorer.state import State

CIRCLE = ("circle", 150.1, 2.25, 2.0)
BOX = ("box", 150.2, 2.3, 4.0, 3.0)
POLYGON = ("polygon", 150.0, 2.2, 150.1, 2.2, 150.05, 2.3)
ALL = (CIRCLE, BOX, POLYGON)
GRID = mg.Grid.tan((60, 80), 0.5, center=(150.1, 2.25))
NOWHERE = mg.Grid((60, 80), 0.5)


@pytest.mark.parametrize("grid", [GRID, NOWHERE], ids=["sky", "nowhere"])
@pytest.mark.parametrize("tool", ["circle", "box", "polygon", "line"])
def test_what_is_drawn_lies_where_it_was_drawn(grid: mg.Grid, tool: str) -> None:
    x, y = [-4.0, 3.0, 5.0], [2.0, -1.0, 6.0]
    if tool != "polygon":
        x, y = x[:2], y[:2]
    kept = forms.drawn(grid, tool, x, y)
    if tool == "line":
        np.testing.assert_allclose(forms.to_plane(grid, kept), np.stack([x, y], 1), atol=1e-3)
        return
    corners = forms.outline(grid, kept)
    if tool == "circle":
        assert kept[3] == pytest.approx(np.hypot(7, 3), abs=1e-3)
        np.testing.assert_allclose(np.hypot(*(corners - [-4, 2]).T), kept[3], atol=1e-3)
    elif tool == "box":
        ends = [corners.min(0), corners.max(0)]
        np.testing.assert_allclose(ends, [[-4, -1], [3, 2]], atol=1e-3)
    else:
        np.testing.assert_allclose(corners, np.stack([x, y], 1), atol=1e-3)


def test_links_and_sessions_restore_them() -> None:
    state, other = State(), State()
    state.param.update(regions=ALL, line=(150.0, 2.2, 150.1, 2.3), tool="box", measure=True)
    assert other.restore(state.query()) == []
    assert forms.checked(other.regions) == ALL and other.line == state.line
    assert (other.tool, other.measure) == ("box", True)
    assert State().restore(json.loads(json.dumps(state.changed()))) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("circle", "must be a list"),
        ([CIRCLE] * 21, "at most 20, got 21"),
        ([("ellipse", 1, 2, 3)], "a circle, a box or a polygon"),
        ([[]], "a circle, a box or a polygon"),
        ([("circle", 150, 2)], "RA, Dec and its size"),
        ([("circle", 150, 2, 0)], "larger than 0′"),
        ([("circle", 150, 2, 121)], "at most 120′"),
        ([("circle", 150, 2, float("nan"))], "finite numbers"),
        ([("circle", 150, 2, 10**400)], "finite numbers"),
        ([("circle", 150, 2, True)], "finite numbers"),
        ([("circle", 150, "2", 1)], "finite numbers"),
        ([("circle", 150, 91, 1)], "Dec between"),
        ([("polygon", 1, 2, 3, 4)], "3 to 40 corners"),
        ([("polygon", *[1.0, 2.0] * 41)], "3 to 40 corners"),
    ],
)
def test_a_state_keeps_only_what_is_bounded(value: object, words: str) -> None:
    state = State()
    with pytest.raises(ValueError, match=words):
        state.regions = value
    assert state.regions == ()
    said = state.restore({"regions": value})
    assert len(said) == 1 and "`regions` of the link was left out" in said[0]


@pytest.mark.parametrize("value", [(1, 2, 3), (1, 2, 1, 2), (1, 2, 3, 99), "x", (1, 2, 3, None)])
def test_a_line_has_two_ends(value: object) -> None:
    state = State()
    with pytest.raises(ValueError, match="a line must"):
        state.line = value
    assert state.line is None


def test_ds9_gives_back_what_it_was_given() -> None:
    lines = forms.write_ds9(ALL).decode("ascii")
    assert lines.startswith("# Region file format: DS9") and "\nfk5\n" in lines
    assert "text={3}" in lines
    assert forms.read_ds9(lines) == (list(ALL), 0)


def test_ds9_of_others_is_read_and_what_is_not_is_counted() -> None:
    found, others = forms.read_ds9(
        'global color=red\nicrs; circle(10:00:24, +02:15:00, 120") # text={x; y}\n'
        "ellipse(150,2,1',2',0)\n-circle(150,2,1')\ncircle 150.1 2.25 0.05\n"
        "image\ncircle(30,40,5)\nfk5\nbox(150.2d,2.3d,4',3',180)\n"
    )
    # What stands behind a # is a remark, though it holds a semicolon.
    assert found == [CIRCLE, ("circle", 150.1, 2.25, 3.0), BOX]
    assert others == 3


def test_a_turned_box_is_a_polygon_of_the_same_size() -> None:
    ((kind, *corners),), _ = forms.read_ds9("fk5\nbox(150.1,2.25,4',2',30)")
    assert kind == "polygon"
    plane = forms.to_plane(GRID, corners)
    sides = np.hypot(*(np.roll(plane, -1, 0) - plane).T)
    np.testing.assert_allclose(sides, [4, 2, 4, 2], atol=1e-3)
    # From the x axis, which runs to the West, towards North.
    along = plane[1] - plane[0]
    assert np.rad2deg(np.arctan2(along[1], along[0])) == pytest.approx(30, abs=0.05)


@pytest.mark.parametrize("text", ["", "fk5", "hello", "image\ncircle(1,2,3)", "circle(a,b,c)"])
def test_files_without_regions_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a region file must be DS9's"):
        forms.read_ds9(text)


@pytest.mark.parametrize(
    "text", ["150.1 2.25 2", "150.1, 2.25, 2′", "10:00:24 2:15:00 2'", "circle(150.1,2.25,2')"]
)
def test_a_region_may_be_typed(text: str) -> None:
    assert forms.typed(text) == [CIRCLE]


@pytest.mark.parametrize("text", ["", "150.1 2.25", "nan nan nan", "a b c", "circle(1,2)"])
def test_what_is_typed_wrong_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a (region|circle) must"):
        forms.typed(text)
