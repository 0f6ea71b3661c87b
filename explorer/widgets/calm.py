"""A calm, roomy look in a light and a dark variant, with the reader's own fonts.

Colours are CSS variables set once at the root of the page; every part inherits them, so the
theme changes with one class and no reload. Nothing here is fetched from anywhere.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from panel.theme import Design
from panel.theme.base import Inherit
from panel.viewable import Viewable
from panel.widgets import Widget

FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

TOKENS = {
    "light": {
        "page": "#f5f6f8",
        "card": "#ffffff",
        "well": "#eef0f4",
        "field": "#ffffff",
        "raised": "#ffffff",
        "ink": "#1f2733",
        "quiet": "#5d6675",
        "line": "#dfe3ea",
        "accent": "#2f5fd0",
        "on-accent": "#ffffff",
        "ring": "rgba(47, 95, 208, 0.22)",
        "warn": "#8a2f12",
        "warn-well": "#fdeee8",
        "lift": "0 1px 2px rgba(16, 24, 40, 0.10)",
        "spin": "none",
        "scheme": "light",
    },
    "dark": {
        "page": "#0e1218",
        "card": "#171d26",
        "well": "#222a36",
        "field": "#1b222d",
        "raised": "#3a4658",
        "ink": "#e7ebf2",
        "quiet": "#9aa5b5",
        "line": "#2c3644",
        "accent": "#8ab0ff",
        "on-accent": "#0c1426",
        "ring": "rgba(138, 176, 255, 0.28)",
        "warn": "#ffb59b",
        "warn-well": "#3a2219",
        "lift": "0 1px 2px rgba(0, 0, 0, 0.5)",
        "spin": "invert(0.8)",
        "scheme": "dark",
    },
}


def tokens(selector: str = ":host(.mg-{theme})") -> str:
    """The variables of both themes as CSS; `selector` says where they are set."""
    rules = []
    for theme, values in TOKENS.items():
        body = " ".join(f"--mg-{key}: {value};" for key, value in values.items())
        rules.append(f"{selector.format(theme=theme)} {{ {body} --mg-font: {FONT}; }}")
    return "\n".join(rules)


@cache
def sheet(name: str) -> str:
    """The text of a style sheet that lies beside this module."""
    return files("explorer.widgets").joinpath(f"{name}.css").read_text(encoding="utf-8")


class Calm(Design):
    """Panel's parts in our colours."""

    modifiers = {
        Viewable: {"stylesheets": [Inherit]},
        Widget: {"stylesheets": [Inherit, sheet("calm")]},
    }
