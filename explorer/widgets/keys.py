"""The keyboard: a key pressed anywhere on the page, but not while someone types or chooses."""

from __future__ import annotations

import param
from panel.custom import JSComponent

#: What each key does, in the words of the sheet that `?` shows.
KEYS = {
    " ": ("Space", "start, pause, go on"),
    "Escape": ("Esc", "stop; close this sheet"),
    "n": ("n", "next sample"),
    "p": ("p", "previous sample"),
    "b": ("b", "blink between maps A and B"),
    "Delete": ("Del", "delete the chosen region"),
    "d": ("d", "dark or light"),
    "z": ("z", "undo a choice; Ctrl + z too"),
    "y": ("y", "redo it; Ctrl + Shift + z too"),
    "?": ("?", "this sheet"),
}

_LISTEN = """
export function render({ model }) {
  const listen = event => {
    const held = event.ctrlKey || event.metaKey, letter = event.key.toLowerCase()
    const undoes = held && (letter === "z" || letter === "y")
    const key = undoes ? (letter === "y" || event.shiftKey ? "y" : "z") : event.key
    if (event.altKey || (held && !undoes) || !model.known.includes(key)) return
    // Inside shadow roots the event's own target is only the outermost host.
    const target = event.composedPath()[0]
    const name = target.tagName ? target.tagName.toLowerCase() : ""
    const takes = ["textarea", "select"].includes(name) || target.isContentEditable
    const types = name === "input" && !["checkbox", "range"].includes(target.type)
    const clicks = event.key === " " && ["button", "input", "summary", "a"].includes(name)
    if (event.key !== "Escape" && (takes || types || clicks)) return
    if (key === " " || undoes) event.preventDefault()  // the page would scroll, the browser undo
    model.key = key
    model.presses += 1
  }
  document.addEventListener("keydown", listen)
  model.on("remove", () => document.removeEventListener("keydown", listen))
}
"""


class Keys(JSComponent):
    """Tells of each press; shows nothing."""

    key = param.String(default="", doc="The last key pressed.")
    presses = param.Integer(default=0, doc="How many there were: changes with every press.")
    known = param.List(default=list(KEYS), constant=True, doc="Keys that are listened to.")

    _esm = _LISTEN


def key_sheet() -> str:
    """The keys and what they do."""
    rows = "".join(f"<dt><kbd>{name}</kbd></dt><dd>{what}</dd>" for name, what in KEYS.values())
    return f'<div class="title">Keys</div><dl class="keys" id="massgan-keys">{rows}</dl>'
