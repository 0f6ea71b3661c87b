"""Files across the browser's border: handed out as downloads, taken in as short texts.

Nothing of a file stays in the page's models: it travels as a message, and as bytes.
"""

from __future__ import annotations

import param
from panel.custom import JSComponent

_HAND_OUT = """
export function render({ model }) {
  model.on("msg:custom", ({ name, kind, data }) => {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([data], { type: kind }))
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60000)
  })
}
"""

_TAKE_IN = """
export function render({ model }) {
  const box = document.createElement("div")
  const input = document.createElement("input")
  Object.assign(input, { type: "file", accept: model.accept, hidden: true })
  const button = document.createElement("button")
  Object.assign(button, { type: "button", className: "bk-btn bk-btn-default" })
  button.textContent = model.label
  button.style.width = "100%"
  button.addEventListener("click", () => input.click())
  input.addEventListener("change", async () => {
    const file = input.files[0]
    if (!file) return
    model.send_msg(file.size <= model.longest ? await file.text() : null)
    input.value = ""  // the same file may be chosen again
  })
  box.append(button, input)
  return box
}
"""

#: JS of a `button` that copies the page's address; it says so for a moment.
COPY_LINK = """
const label = button.label, address = window.location.href
const said = () => {
  if (label !== "Copied") { button.label = "Copied"; setTimeout(() => button.label = label, 2000) }
}
const by_hand = () => {  // pages that are neither https nor localhost have no clipboard
  const area = document.createElement("textarea")
  area.value = address
  document.body.append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  if (done) said()
  else window.prompt("Copy this link", address)
}
if (navigator.clipboard) navigator.clipboard.writeText(address).then(said, by_hand)
else by_hand()
"""


class Outbox(JSComponent):
    """Hands files to the browser, which saves them; shows nothing."""

    _esm = _HAND_OUT

    def hand(self, name: str, data: bytes, kind: str = "application/octet-stream") -> None:
        """Let the browser save `data` of MIME type `kind` as `name`."""
        self._send_msg({"name": name, "kind": kind, "data": data})


class Inbox(JSComponent):
    """A button that asks for one short text file; `on_msg` gives its text, None if too long."""

    label = param.String(default="Load", doc="On the button.")
    accept = param.String(default=".json,application/json", doc="What the file dialogue offers.")
    longest = param.Integer(
        default=64_000, doc="A longer file is not sent, only its size [bytes]."
    )

    _esm = _TAKE_IN
