"""What a person chooses becomes arguments of `open_field`, or one sentence."""

from __future__ import annotations

import pytest

from explorer.uploads import choices

COLUMNS = {"ra": "A", "dec": "D", "e1": "x", "e2": "y", "weight": "", "z": ""}


def test_usual_names_are_guessed_whatever_their_case() -> None:
    names = ["ID", "RAJ2000", "Dec", "E1", "g2", "W", "Z_B"]
    assert choices.guess(names) == {
        **{"ra": "RAJ2000", "dec": "Dec", "e1": "E1", "e2": "g2", "weight": "W", "z": "Z_B"}
    }
    assert set(choices.guess(["a", "b"]).values()) == {""}


def test_the_table_of_galaxies_is_found_among_others() -> None:
    def table(*names: str) -> dict:
        return {"columns": [{"name": name, "numeric": True} for name in names]}

    galaxies = table("ra", "dec", "e1", "e2")
    assert choices.best([table("REDSHIFT", "DENSITY"), galaxies, table("ra")]) is galaxies


def test_only_what_differs_from_the_defaults_is_passed_on() -> None:
    assert choices.call() == {}
    assert choices.call(columns=COLUMNS) == {"columns": COLUMNS}
    assert choices.call(
        columns=COLUMNS,
        pixel_scale=0.5,
        center="150.1, −2.2",
        size="30,20",
        flip_e2=True,
        distortion=True,
    ) == {
        "columns": COLUMNS,
        "pixel_scale": 0.5,
        "center": (150.1, -2.2),
        "size": (30.0, 20.0),
        "flip_e2": True,
        "ellipticity": "distortion",
    }
    assert choices.call(size=" 30 ") == {"size": 30.0}


def test_a_shear_field_has_neither_columns_nor_a_pixel_of_one_s_own() -> None:
    assert choices.call(columns=None, pixel_scale=0.5, distortion=True) == {}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({**COLUMNS, "e1": "", "e2": ""}, "^Choose the column of e1 and e2.$"),
        ({"weight": "w"}, "^Choose the column of RA, Dec, e1 and e2.$"),
        ({**COLUMNS, "dec": "A"}, "^RA and Dec are both read from “A”"),
        ({**COLUMNS, "weight": "x"}, "^e1 and the weight are both read from “x”"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_a_sentence(columns: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        choices.call(columns=columns)


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"center": "150"}, "Centre must be RA, Dec in degrees, got “150”"),
        ({"center": "here, there"}, "Centre must be"),
        ({"size": "1,2,3"}, "Size must be one side"),
        ({"size": "inf"}, "Size must be"),
    ],
)
def test_numbers_that_are_none_are_a_sentence(chosen: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        choices.call(**chosen)
