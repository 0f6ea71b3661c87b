"""Positions of clusters: bundled lists, pasted lines, and what is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

import massgan_core as mg
from explorer import positions
from explorer.state import CATALOGS, State


def test_every_list_of_the_state_is_there() -> None:
    assert set(positions.LISTS.values()) == set(positions.SOURCES) == set(CATALOGS)
    for name in CATALOGS[:-1]:
        table, library = positions.catalog(name, None), mg.clusters(name)
        for key in ("ra", "dec", "redshift", "m500"):
            np.testing.assert_array_equal(getattr(table, key), getattr(library, key))
        np.testing.assert_allclose(table.r500, library.r500, atol=0.0501)
        State(cluster=str(table.name[0]))  # a link may hold it
    assert positions.catalog("own", None) is None


@pytest.mark.parametrize(
    "line",
    [
        "150.1125 -2.205833 Mine",
        "150.1125,−2.205833,Mine",
        "10:00:27 -02:12:21 Mine",
        "10h00m27s -02d12m21s Mine",
        "10 00 27 -02 12 21 Mine",
    ],
)
def test_a_line_says_where_in_many_ways(line: str) -> None:
    table = positions.pasted(f"# RA Dec name\n\n{line}\n")
    assert len(table) == 1 and str(table.name[0]) == "Mine"
    np.testing.assert_allclose([table.ra[0], table.dec[0]], [150.1125, -2.205833], atol=1e-5)
    assert table.r500[0] == positions.RADIUS and np.isnan(table.redshift[0])


def test_names_are_fit_for_links_and_each_its_own() -> None:
    table = positions.pasted("1 2 a<b>\n1 2 a<b>\n1 2\n" + "1 2 " + "long " * 40)
    assert len(set(table.name)) == 4 and table.name[2] == "Position 3"
    for name in table.name:
        State(cluster=str(name))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "paste one position a line"),
        ("150.1", "line 1 must hold RA, Dec"),
        ("150.1 2.2\nhere there", "line 2 must hold RA, Dec"),
        ("150.1 95", "Dec within ±90°, got 150.1, 95 for position 1"),
        ("nan 2", "RA must be within"),
        ("1 2\n" * (positions.MOST + 1), "must have 1 to 5,000 positions, got 5,001"),
        ("x" * (positions.LONGEST + 1), "may have 500,000 characters"),
    ],
)
def test_what_is_no_position_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        positions.pasted(text)
    assert "\n" not in str(error.value)


def test_ranges_keep_what_is_unknown() -> None:
    table = mg.clusters()
    kept = positions.within(table, (0.2, 0.4), None)
    assert 0 < kept.sum() < len(table)
    assert ((table.redshift[kept] >= 0.2) & (table.redshift[kept] <= 0.4)).all()
    both = positions.within(table, (0.2, 0.4), (5.0, 1000.0))
    assert both.sum() < kept.sum() and not (both & ~kept).any()
    assert positions.within(table, None, None).all()
    assert positions.within(positions.pasted("1 2"), (0.2, 0.4), (5.0, 9.0)).all()
