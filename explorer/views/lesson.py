"""The lesson at the side: a step says and asks, takes a prediction, then shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import panel as pn

from explorer.views.measured import signed
from explorer.widgets.calm import sheet
from explorer.widgets.prose import prose
from explorer.widgets.texts import Words

if TYPE_CHECKING:
    from explorer.lessons.lesson import Step
    from explorer.views.page import Page

CLICK = "Click on a map."
RIGHT, WRONG = "As you predicted.", "Not as you predicted."
WAITS = "Your prediction is compared once the samples are drawn."
NEAR, FAR = "You were near.", "It lies elsewhere: in the dashed circle."
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


class LessonView:
    """A card before the steps at the side, and two buttons in the header.

    Args:
        page: Into whose side and header they go.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.course = page, page.explorer.course
        self.state, self.guess = page.explorer.state, page.maps.sky.guess
        self._shown: Step | None = None
        self._setting = False
        css = {"stylesheets": [sheet("calm"), sheet("lesson")], **_WIDE}
        button = pn.widgets.Button
        self.words, self.verdict = _text(), _text()
        self.place_words = _text()
        self.choice = pn.widgets.RadioBoxGroup(label="Your prediction", options={}, **css)
        self.number = pn.widgets.FloatInput(
            label="Your prediction", value=None, placeholder="a number", **css
        )
        self.show = button(label="Show what happens", color="primary", **css)
        self.back, self.forth = button(label="Back", **css), button(label="Next", **css)
        self.again = button(label="Reset step", **css)
        self.leave = button(label="Leave lesson", **css)
        self.begin = button(label="Lesson", margin=(0, 8, 0, 0), width=80)
        self.projector = button(label="Projector", margin=(0, 8, 0, 0), width=92)
        card = pn.Column(
            self.words,
            self.choice,
            self.number,
            self.place_words,
            self.show,
            self.verdict,
            _pair(self.back, self.forth),
            _pair(self.again, self.leave),
            css_classes=["mg-card", "mg-lesson"],
            stylesheets=[sheet("page")],
            **_WIDE,
        )
        # Hidden from outside: the grid's own display rule would keep it in sight.
        self.layout = pn.Column(card, visible=False, **_WIDE)
        self._others = list(page.sidebar.layout)
        page.sidebar.layout.insert(0, self.layout)
        for part in (self.projector, self.begin):
            page.layout[0].insert(1, part)
        self._watch()
        self.update()
        self.update_size()

    @property
    def classes(self) -> list[str]:
        """Of the whole page."""
        if not self.state.projector:
            return []
        return ["mg-projector", "mg-with-lesson" if self.state.lesson else "mg-alone"]

    def _watch(self) -> None:
        course, state, soon = self.course, self.state, self.page._soon
        self.show.on_click(lambda _: course.reveal())
        self.back.on_click(lambda _: course.go(-1))
        self.forth.on_click(lambda _: course.go(1))
        self.again.on_click(lambda _: course.reset())
        self.leave.on_click(lambda _: course.leave())
        self.begin.on_click(lambda _: course.begin())
        self.projector.on_click(lambda _: state.param.update(projector=not state.projector))
        self.choice.param.watch(self._on_prediction, "value")
        self.number.param.watch(self._on_prediction, "value")
        names = ["lesson", "prediction", "revealed", "near", "place"]
        self.page._watchers += [
            (course, course.param.watch(soon(self.update), names)),
            (state, state.param.watch(soon(self.update), ["step", "theme"])),
            (state, state.param.watch(soon(self.update_size), ["projector", "lesson"])),
        ]

    def _on_prediction(self, event: object) -> None:
        if not self._setting:
            self.course.predict(event.new)

    def _on_place(self, x: float, y: float) -> None:
        if not self.course.revealed:
            self.course.predict((x, y))

    def update_size(self) -> None:
        """Take the projector: of the panels at the side it leaves the lesson."""
        on = self.state.projector
        self.page.layout.css_classes = ["mg-root", f"mg-{self.state.theme}", *self.classes]
        self.projector.label = "Desk" if on else "Projector"
        for part in self._others:
            part.visible = not on

    def update(self) -> None:
        """Show the present step as far as it has come."""
        course, step = self.course, self.course.step
        self.layout.visible, self.begin.visible = step is not None, step is None
        self.guess.paint(self.state.theme)
        asks = step is not None and step.kind == "place"
        self.guess.arm(self._on_place if asks else None)
        self.guess.show(course.prediction if asks else None, course.place if asks else None)
        if step is None:
            self._shown = None
            return
        if step is not self._shown:
            self._ask(step)
        number, count = self.state.step, len(course.lesson.steps)
        self._setting = True
        try:
            self.choice.param.update(
                value=course.prediction if step.kind == "choice" else None,
                disabled=course.revealed,
            )
            self.number.param.update(
                value=course.prediction if step.kind == "number" else None,
                disabled=course.revealed,
            )
        finally:
            self._setting = False
        self.place_words.object = f'<p class="hint">{escape(self._place())}</p>'
        self.show.disabled = course.prediction is None or course.revealed
        self.verdict.param.update(object=self._verdict(step), visible=course.revealed)
        self.back.disabled, self.forth.disabled = number == 1, number == count

    def _ask(self, step: Step) -> None:
        lesson, number = self.course.lesson, self.state.step
        self.words.object = (
            f'<div class="lesson" id="massgan-lesson" data-step="{number}">'
            f'<div class="count"><span>{escape(lesson.title)}</span>'
            f"<span>Step {number} of {len(lesson.steps)}</span></div>"
            f"<h2>{escape(step.title)}</h2>{prose(step.text)}"
            f'<div class="question">{prose(step.question)}</div></div>'
        )
        self.choice.visible = step.kind == "choice"
        self.number.visible = step.kind == "number"
        self.place_words.visible = step.kind == "place"
        self._setting = True
        try:
            self.choice.param.update(
                value=None, options={words: i for i, words in enumerate(step.choices)}
            )
            self.number.label = f"Your prediction [{step.unit}]" if step.unit else _NUMBER
        finally:
            self._setting = False
        self._shown = step

    def _place(self) -> str:
        at = self.course.prediction
        if at is None or self.course.step.kind != "place":
            return CLICK
        x, y = at
        field = self.page.explorer.store.field
        if field is None or field.grid.wcs is None:
            return f"Your cross: x {signed(x, 1)}′, y {signed(y, 1)}′."
        # Plane x grows to the West.
        east = f"{abs(x):.1f}′ {'West' if x > 0 else 'East'}"
        north = f"{abs(y):.1f}′ {'South' if y < 0 else 'North'}"
        return f"Your cross: {east} and {north} of the centre."

    def _verdict(self, step: Step) -> str:
        near = self.course.near
        if step.kind == "place":
            words = WAITS if near is None else NEAR if near else FAR
        else:
            words = RIGHT if near else f"{WRONG} Right is: {step.answer_words()}."
        kind = "waits" if near is None else "near" if near else "far"
        return (
            f'<div class="lesson" id="massgan-verdict" data-near="{kind}" role="status">'
            f'<p class="verdict {kind}">{escape(words)}</p>{prose(step.reveal)}</div>'
        )


_NUMBER = "Your prediction"


def _text() -> Words:
    return Words("", stylesheets=[sheet("text"), sheet("lesson")], **_WIDE)


def _pair(*parts: object) -> pn.Column:
    return pn.Column(*parts, css_classes=["mg-pair"], stylesheets=[sheet("page")], **_WIDE)
