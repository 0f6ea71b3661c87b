"""The choices of a session that belong to a lesson; :class:`explorer.state.State` holds them."""

from __future__ import annotations

import param

MOST_STEPS = 40  #: of a lesson
#: Choices that are the reader's, or the lesson's own: no step sets them.
KEPT = ("lesson", "step", "projector", "theme")


class LessonChoices(param.Parameterized):
    """Which lesson is on, where in it, and how large the page is."""

    lesson = param.Selector(default="", objects=[""], doc="The lesson that is on; empty = none.")
    step = param.Integer(default=1, bounds=(1, MOST_STEPS), doc="Step of the lesson, from 1.")
    projector = param.Boolean(
        default=False,
        doc="For a wall: larger type, and of the panels at the side the lesson only.",
    )
