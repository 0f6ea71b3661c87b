"""``{lesson} name``: the steps of a bundled lesson with their answers, for teachers."""

from __future__ import annotations

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class LessonNotes(SphinxDirective):
    """One section for each step of a lesson."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from explorer.lessons.lesson import find
        from explorer.store import trained

        lesson = find(self.arguments[0], trained())
        lines = [*lesson.text.splitlines(), ""]
        for number, step in enumerate(lesson.steps, 1):
            lines += [f"## {number}. {step.title}", "", *step.text.splitlines(), ""]
            lines += [f"**Question.** {step.question}", ""]
            lines += [f"- {choice}" for choice in step.choices] + [""]
            lines += [f"**Answer.** {step.answer_words()}", "", *step.reveal.splitlines(), ""]
            lines += [f"Link: `?lesson={lesson.name}&step={number}`", ""]
        found = nodes.Element()
        self.state.nested_parse(
            StringList(lines, lesson.name), self.content_offset, found, match_titles=True
        )
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("lesson", LessonNotes)
    return {"parallel_read_safe": True}
