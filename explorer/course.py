"""One session's way through a lesson: it sets the choices, waits for a prediction, then shows.

Predictions stay in the memory of the session: in no link, no file, and nobody else sees them.
"""

from __future__ import annotations

from functools import lru_cache
from math import hypot
from typing import TYPE_CHECKING, Any

import param
import torch

import massgan_core as mg
from explorer.lessons.lesson import Lesson, Step, bundled, find

if TYPE_CHECKING:
    from explorer.viewer import Explorer
    from massgan_core.sky import ShearField

BLUR = 1.0  #: of a map whose highest point is looked for, std [arcmin]
RUN = ("sampler", "n", "seed", "batch")  #: what samples depend on beside the field


class Course(param.Parameterized):
    """Follows `State.lesson` and `State.step`.

    Args:
        explorer: Whose choices are set and whose samples are drawn.
        given: A lesson besides those that come with the page, or None.
    """

    lesson = param.ClassSelector(class_=Lesson, doc="The lesson that is on, or None.")
    prediction = param.Parameter(
        default=None, doc="Of the present step: number of the choice, number, (x, y) [arcmin]."
    )
    revealed = param.Boolean(default=False, doc="Whether the answer is shown.")
    near = param.Parameter(
        default=None, doc="Whether the prediction was right; None before it can be told."
    )
    place = param.Parameter(
        default=None, doc="Where the answer lies: x, y, radius [arcmin]; None before it is known."
    )

    def __init__(self, explorer: Explorer, given: Lesson | None = None) -> None:
        super().__init__()
        self._explorer = explorer
        self.given = given  #: what a page begins with where its link names no lesson
        self._at = 0  # which step was taken; the State may be ahead of it
        self._predicted: dict[tuple[str, int], Any] = {}
        state = explorer.state
        state.param.watch(self._on_step, ["lesson", "step"])
        explorer.runner.param.watch(self._judge, ["phase", "summary"])
        explorer.store.param.watch(self._judge, ["field", "seen"])
        explorer.param.watch(self._judge, ["known", "opening"])
        if state.lesson:
            self._on_step()

    @property
    def step(self) -> Step | None:
        """The present step; None while no lesson is on."""
        return None if self.lesson is None else self.lesson.steps[self._at]

    @property
    def first(self) -> str:
        """Name of the lesson that a reader is offered."""
        return bundled()[0] if self.given is None else self.given.name

    def begin(self, name: str = "") -> None:
        """Begin a lesson, the one that is offered where none is named."""
        self._explorer.state.param.update(lesson=name or self.first, step=1)

    def leave(self) -> None:
        """End the lesson; all else stays as it is."""
        self._explorer.state.param.update(lesson="", step=1)

    def go(self, steps: int) -> None:
        """Go on, or back."""
        if self.lesson is not None:
            to = self._explorer.state.step + steps
            self._explorer.state.step = min(max(to, 1), len(self.lesson.steps))

    def reset(self) -> None:
        """The step as it begins, whatever was changed since; its prediction is forgotten."""
        if self.lesson is not None:
            self._predicted.pop(self._key(), None)
            self._take()

    def predict(self, prediction: Any) -> None:
        """Take a prediction, until the answer is shown."""
        if self.lesson is not None and not self.revealed:
            self._predicted[self._key()] = prediction
            self.prediction = prediction

    def reveal(self) -> None:
        """Show the answer, if something was predicted."""
        step, explorer = self.step, self._explorer
        if step is None or self.revealed or self.prediction is None:
            return
        explorer.state.param.update(**step.reveal_state)
        if step.reveal_start:
            explorer.start_soon()
        self.revealed = True
        self._judge()

    def _key(self) -> tuple[str, int]:
        return self.lesson.name, self._explorer.state.step

    def _on_step(self, *_: param.parameterized.Event) -> None:
        state = self._explorer.state
        if not state.lesson:
            self._forget()
            self.lesson = None
            return
        given = self.given is not None and self.given.name == state.lesson
        lesson = self.given if given else _bundled(state.lesson, tuple(_trained(state)))
        if state.step > len(lesson.steps):  # a link to a step that is not there
            state.step = len(lesson.steps)  # comes here again
            return
        self._forget()  # a prediction is of the step that was
        self._at = 0
        self.lesson = lesson
        self._at = state.step - 1
        self._take()

    def _take(self) -> None:
        """Set the choices of the step; samples that are not its own go."""
        explorer, step = self._explorer, self.step
        state, run = explorer.state, explorer.race
        before = self._asked()
        self._forget()
        self.prediction = self._predicted.get(self._key())
        explorer.alert = ""
        state.reset(theme=state.theme, **step.state)
        own = before == self._asked() and explorer.drawn_by == state.sampler
        if not (own and step.start and explorer.phase in ("running", "finished")):
            run.reset()
            explorer.param.trigger("known")  # what was drawn beforehand is there again
            if step.start:
                explorer.start_soon()

    def _asked(self) -> tuple:
        """What the samples are asked of."""
        state = self._explorer.state
        return state.field_choice(), *(getattr(state, name) for name in RUN)

    def _forget(self) -> None:
        self.param.update(prediction=None, revealed=False, near=None, place=None)

    def _judge(self, *_: param.parameterized.Event) -> None:
        """Say whether the prediction was right, once what it is of is there."""
        step = self.step
        if step is None or not self.revealed or self.near is not None:
            return
        if step.kind != "place":
            self.near = step.near(self.prediction)
            return
        explorer, key = self._explorer, self._key()
        field = explorer.store.field
        if explorer.opening or explorer.store.choice != explorer.state.field_choice():
            return
        where = step.answer
        if where.at is not None:
            if field.grid.wcs is not None:
                self._mark(tuple(float(v) for v in field.grid.sky_to_plane(*where.at)))
            return
        image = self._image(where.highest)
        if image is not None:

            def then(found: tuple[float, float] | None) -> None:
                now = self.step is step and self._key() == key and self.revealed
                if now and found is not None and self.near is None:
                    self._mark(found)

            explorer.aside(lambda: highest(image, field), then)

    def _mark(self, at: tuple[float, float]) -> None:
        within = self.step.answer.within
        x, y = self.prediction
        self.param.update(place=(*at, within), near=hypot(x - at[0], y - at[1]) <= within)

    def _image(self, name: str) -> Any:
        """The map called `name`, [H, W]; None while it is not there, or still changes."""
        explorer = self._explorer
        if name == "truth":
            return explorer.store.field.truth
        if name == "ks":
            return explorer.store.seen.get("ks")
        runner = explorer.runner
        if runner.summary is None:
            known = None if runner.active else explorer.known
            return None if known is None else known.mean
        return runner.summary.mean if runner.at_rest and runner.phase != "paused" else None


def highest(image: Any, field: ShearField) -> tuple[float, float] | None:
    """Offsets [arcmin] of the highest peak of a map; None where there is none."""
    kappa = torch.as_tensor(image).float().cpu()
    peaks = mg.find_peaks(kappa, field.grid, field.footprint.cpu(), smoothing=BLUR)
    return (float(peaks.x[0]), float(peaks.y[0])) if len(peaks) else None


@lru_cache(maxsize=16)
def _bundled(name: str, trained: tuple[str, ...]) -> Lesson:
    return find(name, trained)


def _trained(state: Any) -> list[str]:
    return [name for name in state.param.sampler.objects if name != "wiener"]
