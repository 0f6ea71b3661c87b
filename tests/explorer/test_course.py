"""A session's way through a lesson: choices set, predictions first, reset, nothing shared."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from explorer import Explorer, store
from explorer.course import highest
from explorer.lessons.lesson import Lesson, Place, Step
from explorer.shelf import Shelf

SKY = {"source": "simulated", "kind": "nfw", "sampler": "wiener", "n": 4, "batch": 2}
WORDS = {"title": "T", "text": "t", "question": "q", "reveal": "r"}
LESSON = Lesson(
    "mine",
    "Mine",
    "",
    (
        Step(
            **WORDS,
            kind="choice",
            choices=("a", "b"),
            answer=1,
            state=SKY,
            reveal_state={"limit": 0.3},
            reveal_start=True,
        ),
        Step(**WORDS, kind="number", answer=(1.0, 2.0), state={**SKY, "seed": 5}, start=True),
        Step(**WORDS, kind="place", answer=Place(2.0, "truth"), state=SKY),
        Step(**WORDS, kind="place", answer=Place(2.0, "mean"), state=SKY, reveal_start=True),
        Step(**WORDS, kind="place", answer=Place(2.0, at=(150.0, 2.2)), state=SKY),
    ),
)


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> Explorer:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    return Explorer(lesson=LESSON)


async def settle(*explorers: Explorer) -> None:
    while any(one._tasks or one.runner.phase == "running" for one in explorers):
        tasks = [task for one in explorers for task in one._tasks]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def begin(explorer: Explorer, step: int = 1) -> None:
    await explorer.open()
    explorer.state.param.update(lesson="mine", step=step)
    await settle(explorer)


def test_a_step_sets_its_choices_and_leaves_the_readers_own(explorer: Explorer) -> None:
    state = explorer.state
    state.param.update(theme="dark", projector=True, seed=9, limit=0.2)

    async def scene() -> None:
        await begin(explorer)
        assert (state.source, state.kind, state.sampler) == ("simulated", "nfw", "wiener")
        assert (state.seed, state.limit) == (0, 0.1)  # the defaults, whatever was before
        assert (state.theme, state.projector) == ("dark", True)
        assert explorer.store.choice == state.field_choice()
        assert explorer.runner.summary is None

    asyncio.run(scene())


def test_nothing_is_shown_before_a_prediction(explorer: Explorer) -> None:
    course, state = explorer.course, explorer.state

    async def scene() -> None:
        await begin(explorer)
        course.reveal()
        assert (course.revealed, state.limit, explorer.phase) == (False, 0.1, "idle")
        course.predict(0)
        course.reveal()
        assert (course.revealed, course.near, state.limit) == (True, False, 0.3)
        await settle(explorer)
        assert explorer.runner.n == 4
        course.predict(1)  # too late
        assert (course.prediction, course.near) == (0, False)
        course.reset()
        assert (course.prediction, course.revealed, state.limit) == (None, False, 0.1)
        assert explorer.runner.summary is None
        course.predict(1)
        course.reveal()
        assert course.near is True
        await settle(explorer)

    asyncio.run(scene())


def test_reset_always_brings_the_step_back(explorer: Explorer) -> None:
    course, state = explorer.course, explorer.state

    async def scene() -> None:
        await begin(explorer, 2)
        assert explorer.runner.n == 4 and explorer.drawn_by == "wiener"
        want = {name: getattr(state, name) for name in state.names()}
        state.param.update(source="cosmos", n=7, seed=8, pictures=["std"], checks=True)
        await settle(explorer)
        course.predict(1.5)
        course.reset()
        await settle(explorer)
        assert {name: getattr(state, name) for name in state.names()} == want
        assert course.prediction is None and explorer.runner.n == 4
        course.reset()  # while it draws
        course.reset()
        explorer.stop()
        course.reset()
        await settle(explorer)
        assert (explorer.runner.n, explorer.phase) == (4, "finished")

    asyncio.run(scene())


def test_predictions_stay_while_one_goes_back_and_forth(explorer: Explorer) -> None:
    course, state = explorer.course, explorer.state

    async def scene() -> None:
        await begin(explorer)
        course.predict(1)
        course.go(1)
        await settle(explorer)
        assert (state.step, course.prediction) == (2, None)
        course.go(-5)
        await settle(explorer)
        assert (state.step, course.prediction, course.revealed) == (1, 1, False)
        course.go(99)
        await settle(explorer)
        assert state.step == len(LESSON.steps)
        state.step = 40  # as a link may say
        assert state.step == len(LESSON.steps)
        course.leave()
        assert (state.lesson, course.step, course.prediction) == ("", None, None)
        assert state.kind == "nfw"  # all else stays
        await settle(explorer)

    asyncio.run(scene())


@pytest.mark.parametrize("step", [3, 4, 5])
def test_a_place_is_compared_with_the_map(explorer: Explorer, step: int) -> None:
    course = explorer.course

    async def scene() -> None:
        await begin(explorer, step)
        course.predict((-900.0, 0.0))
        course.reveal()
        await settle(explorer)
        assert course.near is False
        field = explorer.store.field
        if step == 5:
            expected = tuple(float(v) for v in field.grid.sky_to_plane(150.0, 2.2))
        else:
            image = field.truth if step == 3 else explorer.runner.summary.mean
            expected = highest(image, field)
        assert course.place == (*expected, 2.0)
        course.reset()
        assert course.place is None
        course.predict((expected[0] + 1.0, expected[1] - 1.0))
        course.reveal()
        await settle(explorer)
        assert course.near is True

    asyncio.run(scene())


def test_the_link_of_a_lesson_is_its_step(explorer: Explorer) -> None:
    async def scene() -> None:
        await begin(explorer, 2)
        explorer.state.theme = "dark"
        query = explorer.state.query()
        assert query == {"version": "1", "lesson": "mine", "step": "2", "theme": "dark"}
        other = Explorer(lesson=LESSON)
        other.restore(lambda: other.state.restore(query))
        await other.open()
        await settle(other)
        assert (other.course.step, other.runner.n) == (LESSON.steps[1], 4)

    asyncio.run(scene())


def test_no_link_opens_a_lesson_that_is_not_there(explorer: Explorer) -> None:
    (problem,) = explorer.state.restore({"lesson": "/etc/passwd", "version": "1"})
    assert "`lesson` of the link was left out" in problem and explorer.course.step is None


@pytest.mark.parametrize("late", [False, True])
def test_a_class_draws_each_sample_once(
    monkeypatch: pytest.MonkeyPatch, small_field: Any, late: bool
) -> None:
    """Thirty at one step, together or one after the other has gone."""
    calls: list[int] = []
    shelf = Shelf()
    shelf.hold()
    real = store.sampler("wiener", small_field)

    class Counted:
        name = "counted"

        def sample(self, field: Any, n: int, generator: Any = None) -> Any:
            calls.append(n)
            return real.sample(field, n, generator)

    monkeypatch.setattr(store, "SHELF", shelf)
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    monkeypatch.setattr(store, "sampler", lambda name, field: Counted())
    monkeypatch.setattr(store, "about", lambda name, field: ("", ""))

    async def scene() -> list[Explorer]:
        students = [Explorer(lesson=LESSON, takes_files=False) for _ in range(30)]
        for student in students:
            await student.open()
            student.state.param.update(lesson="mine", step=2)
            if late:
                await settle(student)
                assert student.runner.n == 4
                student.close()
        await settle(*students)
        return students

    students = asyncio.run(scene())
    assert calls == [2, 2]  # four samples, two at a time, for all of them
    if not late:
        shared = {tuple(map(id, s.runner.summary.batches)) for s in students}
        assert len(shared) == 1 and {s.runner.n for s in students} == {4}


def test_a_class_takes_no_files(explorer: Explorer) -> None:
    student = Explorer(takes_files=False)
    student.uploads.receive("mine.csv", 1, 1, b"ra,dec\n1,2\n")
    assert student.uploads.problem == "This server takes no files."
    assert student.uploads._path is None and not student._tasks
    student.census.receive("mine.csv", 1, 1, b"1,2\n")
    assert student.census.problem == "This server takes no files." and student.census.own is None
    (problem,) = student.state.restore({"source": "file", "version": "1"})
    assert "`source`" in problem and student.state.source == "cosmos"
    assert explorer.state.restore({"source": "file", "version": "1"}) == []


def test_held_samples_stay_within_the_budget(small_field: Any) -> None:
    from explorer.shelf import Drawn, Reader

    batch = small_field.grid.shape[0] * small_field.grid.shape[1] * 4 * 2
    shelf = Shelf(budget=3 * batch)
    shelf.hold()
    sampler = store.sampler("wiener", small_field)
    for seed in range(4):

        def drawn(seed: int = seed) -> Drawn:
            return Drawn(sampler, small_field, 2, seed)

        list(Reader(shelf.tape(("wiener", 2, seed), small_field, drawn), 4))
    assert batch <= shelf.size <= shelf.budget
    assert replace(small_field) is not small_field and len(shelf._held) <= 2
