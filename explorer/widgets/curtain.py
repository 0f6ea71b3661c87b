"""What is seen of two pictures that lie one on the other: one of them, or a line between them.

It lies above both in a column of class ``mg-curtain`` and sets one variable there, ``--mg-cut``:
left of it the first shows, right of it the second (``compare.css``). Nothing goes to the server
but where the line was let go.
"""

from __future__ import annotations

import param
from panel.custom import JSComponent

from explorer.elements.figures import BORDERS

INTERVAL = 700  #: between two blinks [ms]
LEFT, SIDES = (
    BORDERS["min_border_left"],
    sum(BORDERS[f"min_border_{side}"] for side in ("left", "right")),
)

_DRAW = (
    f"""
const INTERVAL = {INTERVAL}, CUT = at => `calc({LEFT}px + ${{at}} * (100% - {SIDES}px))`
"""
    + """
export function render({ model, el }) {
  const make = (kind, parent) => {
    const made = document.createElement("div")
    made.className = kind
    parent.append(made)
    return made
  }
  const box = document.createElement("div")
  box.className = "frame"
  const line = make("line", box), tags = [make("tag first", box), make("tag second", box)]
  Object.assign(line, { tabIndex: 0, role: "slider" })
  line.setAttribute("aria-label", "Line between map A and map B")
  line.setAttribute("aria-valuemin", 0)
  line.setAttribute("aria-valuemax", 100)
  let timer = null, at = model.at, second = false

  const place = () => {
    const mode = model.mode, still = { swipe: at, blink: second ? 0 : 1 }
    const share = mode in still ? still[mode] : 1
    const stack = el.getRootNode().host?.getRootNode().host
    if (stack) stack.style.setProperty("--mg-cut", CUT(share))
    else requestAnimationFrame(place)
    line.hidden = mode !== "swipe"
    line.style.left = `${100 * share}%`
    line.setAttribute("aria-valuenow", Math.round(100 * share))
    tags.forEach((tag, i) => {
      const side = i ? 1 - share : share
      tag.textContent = mode === "difference" ? (i ? "" : "A − B") : model.names[i]
      tag.hidden = !tag.textContent || side < 0.02
    })
    box.dataset.shown = mode === "blink" ? (second ? "second" : "first") : mode
  }
  const flip = () => { second = !second; place() }
  const run = on => {
    clearInterval(timer)
    timer = on ? setInterval(flip, INTERVAL) : null
    model.blinking = on
  }
  const enter = () => {
    second = false
    // Whoever asked for less motion starts the blinking by hand.
    run(model.mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches)
    place()
  }
  const move = event => {
    const { left, width } = box.getBoundingClientRect()
    at = Math.min(1, Math.max(0, (event.clientX - left) / width))
    place()
  }
  const settle = () => { model.at = Math.round(1000 * at) / 1000 }
  line.addEventListener("pointerdown", event => {
    event.preventDefault()
    line.focus()
    line.setPointerCapture(event.pointerId)
    line.addEventListener("pointermove", move)
  })
  line.addEventListener("lostpointercapture", () => {
    line.removeEventListener("pointermove", move)
    settle()
  })
  line.addEventListener("keydown", event => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    at = Math.min(1, Math.max(0, at + step))
    place()
    settle()
  })
  model.on("at", () => { at = model.at; place() })
  model.on("names", place)
  model.on("mode", enter)
  model.on("turns", () => { if (model.mode === "blink") run(timer === null) })
  model.on("flips", () => { if (model.mode === "blink") { run(false); flip() } })
  model.on("remove", () => clearInterval(timer))
  enter()
  return box
}
"""
)


class Curtain(JSComponent):
    """Shows A, B or both; the page makes it blink and swipe with no word from the server."""

    mode = param.String(default="off", doc="off, blink, swipe or difference.")
    at = param.Number(default=0.5, bounds=(0, 1), doc="Where the line is, share of the width.")
    names = param.List(default=["A", "B"], doc="What is written on the two pictures.")
    turns = param.Integer(default=0, doc="Each change starts or stops the blinking.")
    flips = param.Integer(default=0, doc="Each change shows the other picture, and holds still.")
    blinking = param.Boolean(default=False, doc="Whether it blinks now; the page says so.")

    _esm = _DRAW
