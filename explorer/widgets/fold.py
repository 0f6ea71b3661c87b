"""A section of the page that starts as one line with a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

from explorer.widgets.calm import sheet
from explorer.widgets.texts import text

if TYPE_CHECKING:
    from explorer.state import State

_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


class Fold:
    """Words, a button that turns a choice of the State on and off, and a body below.

    Args:
        state: Choices.
        choice: Name of the one that says whether the body is open.
        what: Is shown and hidden, in a word for the button.
    """

    def __init__(self, state: State, choice: str, what: str) -> None:
        self._state, self._choice, self._what = state, choice, what
        self.line = text("")
        self.button = pn.widgets.Button(margin=0, width=148)
        self.button.on_click(lambda _: setattr(state, choice, not self.wanted))
        self.body = pn.Column(visible=False, **_WIDE)
        head = pn.Row(
            self.line,
            self.button,
            css_classes=["mg-card"],
            stylesheets=[sheet("page")],
            align="center",
            **_WIDE,
        )
        self.layout = pn.Column(
            head, self.body, css_classes=["mg-main"], stylesheets=[sheet("page")], **_WIDE
        )

    @property
    def wanted(self) -> bool:
        """Whether it should be open."""
        return getattr(self._state, self._choice)

    def open(self, *, there: bool = True) -> None:
        """Open or close, as the State says; not while nothing is `there` to be shown."""
        self.button.label = f"{'Hide' if self.wanted else 'Show'} {self._what}"
        self.body.visible = self.wanted and there
