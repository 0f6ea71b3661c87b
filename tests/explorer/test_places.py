"""A place is what astronomers write, or one clear sentence."""

from __future__ import annotations

import pytest

import massgan_core as mg
from explorer import places
from massgan_core.sky import Grid


@pytest.mark.parametrize(
    "text",
    [
        "150.1 2.2",
        "150.1, +2.2",
        "10:00:24 +02:12:00",
        "10 00 24 +02 12 00",
        "10h00m24s +2d12m",
        "  10h00m24s   2d12m00s ",
    ],
)
def test_every_way_of_writing_is_the_same_place(text: str) -> None:
    assert places.position(text) == pytest.approx((150.1, 2.2), abs=1e-6)


def test_a_true_minus_is_a_minus() -> None:
    assert places.position("10:00:24 −02:12:00") == pytest.approx((150.1, -2.2))


def test_a_cluster_is_found_by_its_name_or_its_number() -> None:
    table = mg.clusters()
    name, expected = str(table.name[5]), (float(table.ra[5]), float(table.dec[5]))
    for text in (name, name.upper(), name.rsplit(" ", 1)[-1]):
        assert places.position(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "here",
        "150.1",
        "150.1 99",
        "1 2 3",
        "nan nan",
        "inf 2",
        "25:00:00 +95:00:00",
        "x" * 500,
    ],
)
def test_anything_else_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a place must") as refused:
        places.position(text)
    assert len(str(refused.value)) < 250 and "\n" not in str(refused.value)


def test_a_place_is_in_the_field_or_outside_of_it(small_grid: Grid) -> None:
    assert places.on_plane("150.0 2.2", small_grid) == pytest.approx((0, 0), abs=1e-6)
    assert places.on_plane("150.1 2.2", small_grid)[0] == pytest.approx(-6, abs=0.01)
    for text in ("151 2.2", "330 -2.2"):  # the other side of the sky, too
        with pytest.raises(ValueError, match="outside of this field"):
            places.on_plane(text, small_grid)
    with pytest.raises(ValueError, match="no place on the sky"):
        places.on_plane("150 2", Grid((5, 5)))
