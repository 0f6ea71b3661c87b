"""The card of one's own file says what it is, what will be done, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.uploads.limits import LIMITS
from explorer.uploads.uploads import Plan, Preview, Uploads
from explorer.views.upload import LABELS, Upload, plan_words, preview_words

NAMES = ["A", "D", "x", "y", "w"]


def catalogue(*names: str, **guess: str) -> Preview:
    columns = [
        {"name": name, "numeric": True, "low": -0.5, "high": 2.0, "bad": 0} for name in names
    ]
    columns.append({"name": "<b>word", "numeric": False, "low": None, "high": None, "bad": 0})
    table = {"rows": 31216, "columns": columns, "first": [["1"] * len(columns)] * 2}
    return Preview(
        "mine.csv", "catalogue", table=table, guess={**dict.fromkeys(LABELS, ""), **guess}
    )


def plan(**words: Any) -> Plan:
    given = {
        "name": "mine.csv",
        "call": {},
        "field": None,
        "does": "9 galaxies → 3 × 2 pixels of 1′.",
        "notes": ("left out 2 of 11 rows",),
        "orientation": "E 1, B <2>",
        "suspicious": False,
    }
    return Plan(**{**given, **words})


@pytest.fixture
def chosen() -> list[dict]:
    return []


@pytest.fixture
def card(chosen: list[dict], monkeypatch: pytest.MonkeyPatch) -> Upload:
    uploads = Uploads(lambda work: work.close())
    monkeypatch.setattr(uploads, "choose", lambda **choices: chosen.append(choices))
    card = Upload(uploads)
    card.watch(lambda call: lambda *_: call())
    return card


def test_at_first_there_is_a_place_to_drop_and_nothing_else(card: Upload) -> None:
    assert card.words.visible and "up to 100 MB" in card.words.object
    assert not (card.options.visible or card.open.visible or card.plan.visible)
    assert card.dropper.max_file_size == f"{LIMITS.file // 1_000_000}MB"


def test_a_catalogue_is_shown_and_its_columns_are_guessed(
    card: Upload, chosen: list[dict]
) -> None:
    card.uploads.preview = catalogue(*NAMES, ra="A", dec="D")
    assert card.options.visible and card.mapping.visible and not card.words.visible
    assert "31,216 rows, 6 columns" in card.preview.object
    assert {key: widget.value for key, widget in card.columns.items()} == {
        **dict.fromkeys(LABELS, ""),
        **{"ra": "A", "dec": "D"},
    }
    assert list(card.columns["e1"].options.values()) == ["", *NAMES]  # numbers only
    assert chosen == []  # a guess of ours is no choice


def test_every_choice_is_passed_on_whole(card: Upload, chosen: list[dict]) -> None:
    card.uploads.preview = catalogue(*NAMES, ra="A", dec="D", e1="x", e2="y")
    card.flip_e2.value = True
    card.columns["weight"].value = "w"
    card.pixel.value = 0.5
    card.center.value = "150, 2"
    card.shapes.value = True
    columns = {"ra": "A", "dec": "D", "e1": "x", "e2": "y", "weight": "w", "z": ""}
    assert len(chosen) == 5
    assert chosen[-1] == {
        "columns": columns,
        "pixel_scale": 0.5,
        "center": "150, 2",
        "size": "",
        "flip_e1": False,
        "flip_e2": True,
        "distortion": True,
    }


def test_the_next_file_starts_from_its_own_guess(card: Upload, chosen: list[dict]) -> None:
    card.uploads.preview = catalogue(*NAMES, ra="A")
    card.flip_e1.value, card.size.value = True, "30"
    card.uploads.preview = catalogue("p", "q", dec="q")
    assert card.chosen()["columns"]["dec"] == "q" and card.chosen()["columns"]["ra"] == ""
    assert (card.flip_e1.value, card.size.value) == (False, "")
    assert len(chosen) == 2


def test_a_shear_field_needs_no_columns(card: Upload) -> None:
    card.uploads.preview = Preview("deep.fits", "field", shape=(24, 33))
    assert "33 × 24 pixels" in card.preview.object
    assert card.options.visible and not (card.mapping.visible or card.shapes.visible)
    assert card.chosen()["columns"] is None


def test_only_what_was_tried_can_be_opened(card: Upload) -> None:
    uploads = card.uploads
    uploads.preview = catalogue(*NAMES)
    assert card.open.visible and card.open.disabled
    uploads.plan = plan()
    assert "9 galaxies → 3 × 2 pixels" in card.plan.object
    assert not card.open.disabled and card.open.label == "Open it"
    card.open.param.trigger("clicks")
    assert uploads.opened is uploads.plan
    assert card.open.disabled and card.open.label == "Opened"
    uploads.plan = plan()
    assert not card.open.disabled and card.open.label == "Open it"


def test_what_is_wrong_or_going_on_is_said(card: Upload) -> None:
    card.uploads.problem = "mine.csv is <empty>."
    assert 'role="alert"' in card.plan.object and "&lt;empty&gt;" in card.plan.object
    card.uploads.param.update(busy="Looking …", problem="")
    assert "Looking …" in card.plan.object and "alert" not in card.plan.object
    card.uploads.busy = ""
    assert not card.plan.visible


def test_words_of_a_file_are_never_markup() -> None:
    assert "<b>" not in preview_words(catalogue("<b>a"))
    words = plan_words(plan(does="<i>", notes=("<u>",)))
    assert not any(tag in words for tag in ("<i>", "<u>", "<2>"))


def test_a_suspicious_sign_is_a_warning() -> None:
    assert 'role="alert"' not in plan_words(plan())
    assert 'role="alert"' in plan_words(plan(suspicious=True))
