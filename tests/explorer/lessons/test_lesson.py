"""A lesson as a file: what is read, and one sentence for all that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import massgan_core as mg
from explorer import store
from explorer.lessons.lesson import LONGEST, MAPS, Place, bundled, find, parse

STEP = {
    "title": '"One"',
    "text": '"Words."',
    "question": '"Which?"',
    "kind": '"choice"',
    "choices": '["a", "b"]',
    "answer": "2",
    "reveal": '"So."',
}


def toml(**changes: str | None) -> bytes:
    """A lesson of one step, some keys of it changed, those that are None left out."""
    lines = [f"{k} = {v}" for k, v in {**STEP, **changes}.items() if v is not None]
    return "\n".join(['title = "Lesson"', "[[step]]", *lines]).encode()


def test_a_step_is_read() -> None:
    lesson = parse(toml(state='{ source = "simulated", pictures = ["ks", "mean"] }'), "mine")
    (step,) = lesson.steps
    assert (lesson.name, lesson.title, step.title) == ("mine", "Lesson", "One")
    assert (step.kind, step.answer, step.answer_words()) == ("choice", 1, "b")
    assert step.state == {"source": "simulated", "pictures": ["ks", "mean"]}
    assert step.near(1) and not step.near(0)
    assert not step.start and not step.reveal_start


def test_a_number_is_near_within_its_ends() -> None:
    (step,) = parse(
        toml(kind='"number"', answer="[60, 76]", choices=None, unit='"%"'), "mine"
    ).steps
    assert [step.near(v) for v in (59.9, 60, 76, 76.1)] == [False, True, True, False]
    assert step.answer_words() == "60 to 76 %"


@pytest.mark.parametrize(
    ("answer", "place", "words"),
    [
        ('{ highest = "mean", within = 3 }', Place(3.0, "mean"), "highest point of the mean"),
        ("{ at = [150.1, 2.2], within = 2 }", Place(2.0, at=(150.1, 2.2)), "RA 150.1°, Dec 2.2°"),
    ],
)
def test_a_place(answer: str, place: Place, words: str) -> None:
    (step,) = parse(toml(kind='"place"', answer=answer, choices=None), "mine").steps
    assert step.answer == place and words in step.answer_words()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": None}, "step 1 of lesson mine must have `title`"),
        ({"reveal": '" "'}, "`reveal` of step 1 of lesson mine must be a text, got ' '"),
        ({"question": "3"}, "`question` of step 1"),
        ({"kind": '"riddle"'}, "must be one of choice, number, place, got 'riddle'"),
        ({"choices": None}, "step 1 of lesson mine must have `choices`"),
        ({"choices": '["a"]'}, "must be 2 to 8 different texts"),
        ({"choices": '["a", "a"]'}, "must be 2 to 8 different texts"),
        ({"choices": '["a", 2]'}, "must be 2 to 8 different texts"),
        ({"answer": "0"}, "the number of the right choice, 1 to 2, got 0"),
        ({"answer": "3"}, "the number of the right choice, 1 to 2, got 3"),
        ({"answer": "true"}, "the number of the right choice, 1 to 2, got True"),
        ({"kind": '"number"'}, "is a number: leave out `choices`"),
        ({"kind": '"number"', "choices": None}, "must be [low, high]"),
        ({"kind": '"number"', "choices": None, "answer": "[2, 1]"}, "must be [low, high]"),
        ({"kind": '"number"', "choices": None, "answer": "[nan, 1]"}, "must be [low, high]"),
        ({"kind": '"place"', "choices": None}, 'must be { highest = "truth", within = 3 }'),
        (
            {"kind": '"place"', "choices": None, "answer": '{ highest = "std", within = 3 }'},
            "must be one of truth, ks, mean, got 'std'",
        ),
        (
            {"kind": '"place"', "choices": None, "answer": '{ highest = "ks", within = 0 }'},
            "must be more than 0 [arcmin], got 0",
        ),
        (
            {"kind": '"place"', "choices": None, "answer": "{ at = [400, 0], within = 1 }"},
            "must be [RA, Dec] in degrees",
        ),
        ({"start": '"yes"'}, "`start` of step 1 of lesson mine must be true or false, got 'yes'"),
        ({"questoin": '"x"'}, "has an unknown key `questoin`; did you mean `question`?"),
        ({"state": "3"}, "`state` of step 1 of lesson mine must be a table of choices, got 3"),
        (
            {"state": '{ sorce = "cosmos" }'},
            "`state` of step 1 of lesson mine has an unknown key `sorce`; did you mean `source`?",
        ),
        ({"state": "{ n = 0 }"}, "`n` in `state` of step 1 of lesson mine does not fit: "),
        ({"state": '{ sampler = "gan:mine" }'}, "`sampler` in `state` of step 1"),
        ({"reveal_state": '{ kind = "fractal" }'}, "`kind` in `reveal_state` of step 1"),
        ({"state": '{ source = "file" }'}, "must be cosmos or simulated"),
        ({"state": '{ theme = "dark" }'}, "must not set `theme`: leave it out"),
        ({"state": "{ step = 2 }"}, "must not set `step`: leave it out"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as error:
        parse(toml(**changes), "mine")
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "must be text in UTF-8"),
        (b"title = ", "lesson mine must be TOML: "),
        (b'title = "x"', "must have 1 to 40 [[step]] tables"),
        (b'title = "x"\nstep = 3', "must have 1 to 40 [[step]] tables"),
        (b'title = "x"\nstep = [3]', "step 1 of lesson mine must be a table"),
        (b'titel = "x"', "did you mean `title`?"),
    ],
)
def test_a_file_that_is_no_lesson(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=r"lesson mine") as error:
        parse(content, "mine")
    assert said in str(error.value)


def test_a_lesson_is_found_by_name_or_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my lesson.toml"
    path.write_bytes(toml())
    assert find(str(path)).name == "my_lesson"
    with pytest.raises(ValueError, match="`lesson` must be one of .*where_is_the_mass.*'nope'"):
        find("nope")
    path.write_bytes(b"#" * (LONGEST + 1))
    with pytest.raises(ValueError, match="at most 200 kB"):
        find(str(path))


@pytest.mark.parametrize("name", bundled())
def test_what_comes_with_the_page_is_well_made(name: str) -> None:
    lesson = find(name, store.trained())
    assert len(lesson.steps) >= 8
    assert {step.kind for step in lesson.steps} == {"choice", "number", "place"}
    for step in lesson.steps:
        assert step.kind != "place" or step.answer.highest in MAPS
        # Something happens when the answer is shown, or there is something to read.
        assert step.reveal_state or step.reveal_start or len(step.reveal) > 80


def test_what_the_lesson_says_of_its_skies_is_so() -> None:
    steps = {step.title: step for step in find("where_is_the_mass", store.trained()).steps}

    def field(**changes: Any) -> mg.ShearField:
        chosen = {"kind": "nfw", "outline": "none", **changes}
        return mg.simulated(chosen["kind"], depth=chosen["depth"], mask=chosen["outline"])

    noisy = steps["Why the map is noisy"]
    few, many = (field(**table) for table in (noisy.state, noisy.reveal_state))
    textbook = mg.KaiserSquires(1.0)
    half = textbook.b_mode(many).std() / textbook.b_mode(few).std()
    assert noisy.answer_words().startswith("four") and 0.42 < half < 0.58
    # The cluster is in the map of its mass and not in that of the turned galaxies.
    sky = field(**steps["A test that mass must fail"].state)
    assert textbook.b_mode(sky).max() < 0.6 * textbook.map(sky).max()
    sky = field(**steps["What one expects, one sees"].state)
    assert mg.Wiener(mg.spectrum_of(sky)).map(sky).max() < 0.5 * sky.truth.max()


@pytest.mark.slow
def test_the_share_within_one_error_bar_is_measured() -> None:
    lesson = find("where_is_the_mass", store.trained())
    (step,) = (step for step in lesson.steps if step.kind == "number")
    field = mg.simulated(step.state["kind"], seed=step.state["sky_seed"])
    *_, summary = mg.stream(mg.load("default"), field, step.state["n"], 2)
    within = (summary.mean - field.truth).abs() < summary.std
    assert step.near(100 * within[field.footprint].float().mean().item())
